from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from datavc.core.errors import DatavcError, FormatError
from datavc.formats import people_yaml
from datavc.formats.strict_yaml import MAX_DEPTH, Value

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 100))


def value(text: str) -> Value:
    return people_yaml.load(text.encode(), "f.yaml").value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1", 1),
        ("-7", -7),
        ("012", 12),
        ("0o14", 12),
        ("0x1F", 31),
        ("0b101", 5),
        ("1_000", 1000),
        ("1_000.5", 1000.5),
        ("1e-5", 1e-5),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e22", 1e22),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("no", "no"),
        ("~", None),
        ("", None),
        ("null", None),
        (".inf", "inf"),
        ("-.inf", "-inf"),
        (".NaN", "nan"),
        ("2024-01-31", "2024-01-31"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("1:30", "1:30"),
        ("_1", "_1"),
        ("1.2.3", "1.2.3"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 1", "1"),
        ("!!float 1", 1.0),
        ("!!int 7", 7),
        ("! 7", "7"),
    ],
)
def test_scalars_mean_what_the_core_schema_and_stage_files_of_today_say(
    text: str, meant: Value
) -> None:
    found = value(f"k: {text}\n")

    assert found == {"k": meant}
    assert type(found["k"]) is type(meant)  # type: ignore[index, call-overload]


def test_anchors_aliases_and_merge_keys_are_read() -> None:
    found = value(
        "base: &b {x: 1, y: 2}\n"
        "more: &m {y: 3, z: 4}\n"
        "one: {<<: *b, y: 9}\n"
        "two: {<<: [*b, *m]}\n"
        "name: &n key\n"
        "three: {*n : 5, '<<': text}\n"
    )

    assert isinstance(found, dict)
    assert found["one"] == {"x": 1, "y": 9}
    assert found["two"] == {"x": 1, "y": 2, "z": 4}
    assert found["three"] == {"key": 5, "<<": "text"}


def test_every_key_and_item_knows_its_line() -> None:
    document = people_yaml.load(b"# top\na:\n  - x\n  - b: 1\n\n    c: 2\n", "f.yaml")
    top = document.value
    assert isinstance(top, dict)
    items = top["a"]
    assert isinstance(items, list)

    assert document.line(top, "a") == 2
    assert document.line(items, 1) == 4
    assert document.line(items[1], "c") == 6


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\na: 2\n", "f.yaml:2: 'a' stands here twice"),
        ("a: [1, 2\n", "f.yaml:2: "),
        ("a: 1\n  b: 2\n", "f.yaml:2: "),
        ("a: *b\n", "f.yaml:1: the anchor &b is not there"),
        ("a: &a [*a]\n", "f.yaml:1: the anchor &a is used inside itself"),
        ("a: !!python/object:os.system x\n", "is not understood"),
        ("a: !!int x\n", "is not what its tag"),
        ("a: !!set {x}\n", "is not understood"),
        ("? [a]\n: 1\n", "f.yaml:1: a key must be text"),
        ("<<: 3\n", "f.yaml:1: a merge key takes a map"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: more than one document"),
        ("a: 1\n<<<<<<< HEAD\nb: 2\n=======\n", "f.yaml:2: has a merge conflict"),
        ("a: \x07\n", "f.yaml:1: not YAML"),
        ("x: 1\ny: " + "[" * MAX_DEPTH, f"f.yaml:2: more than {MAX_DEPTH} levels"),
        ("a: " + "[" * 100_000, "f.yaml:1: "),
        (BOMB, "aliases make the file too large"),
        (CHAIN, "aliases make the file too large"),
        ("a: &a x\nb: [" + "*a," * 10_001 + "]\n", "aliases make the file too large"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(FormatError) as caught:
        value(text)

    assert problem in caught.value.message
    assert "\n" not in caught.value.message


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    with pytest.raises(FormatError, match=r"f\.yaml:2: not UTF-8"):
        people_yaml.load(b"a: 1\nb: \xff\n", "f.yaml")


def test_an_empty_file_and_a_mark_of_an_editor_are_nothing() -> None:
    assert value("") is None
    assert value("\ufeff# only a comment\n") is None


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200).map(lambda b: b.decode("latin1"))))
@example("? &a *a\n")
@example("*a : 1")
@example("&a a: *a")
@example("{<<: {<<: {a: 1}}}")
def test_any_text_is_read_or_refused_by_an_error_of_ours(text: str) -> None:
    try:
        people_yaml.load(text.encode("utf-8", "surrogatepass"), "f.yaml")
    except DatavcError as error:
        assert error.message.startswith("f.yaml:")


def test_five_thousand_stages_are_read_in_about_a_second() -> None:
    block = (
        "  s{n}:\n    cmd: run {n}\n    deps: [a{n}, b]\n    outs:\n    - o{n}:\n        x: no\n"
    )
    text = "stages:\n" + "".join(block.replace("{n}", str(n)) for n in range(5000))

    begin = time.process_time()
    found = value(text)

    assert time.process_time() - begin < 5
    assert isinstance(found, dict)
    assert isinstance(found["stages"], dict)
    assert len(found["stages"]) == 5000
