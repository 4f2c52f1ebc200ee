from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datavc.core.errors import DatavcError, FormatError
from datavc.core.paths import RepoPath
from datavc.core.stage import ParamsDep, Value
from datavc.formats.data_file import load_data
from datavc.pipeline.params import read_params
from tests.support.memory_files import MemoryFiles

PYTHON = '''
"""Text."""
import os
LR = 0.1
NAMES: list[str] = ["a", "b"]
NEGATIVE = -3
PAIR = (1, 2)
CHOICE = {"b", "a"}
OPTIONS = {"deep": {"x": 1}}
COMPUTED = 1 + os.getpid()
UNSET: int
a = b = 3
NAMES[0] = 4


class Train:
    epochs = 5

    def __init__(self, other):
        self.layers = 9
        local = 7
        other.y = 8

    def run(self):
        self.later = 1
'''


def dep(file: str, *keys: str) -> ParamsDep:
    return ParamsDep(RepoPath(file), keys)


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("a.yaml", "x: {y: [1, 1.0, true, '1', null]}", {"x": {"y": [1, 1.0, True, "1", None]}}),
        ("a.json", '{"x": [1, 1.0, NaN, -Infinity]}', {"x": [1, 1.0, "nan", "-inf"]}),
        (
            "a.toml",
            "d = 2024-01-31\n[t]\nx = 1.5\ny = inf",
            {"d": "2024-01-31", "t": {"x": 1.5, "y": "inf"}},
        ),
        ("A.JSON", "[1]", [1]),
        ("a.ini", "x: 1", {"x": 1}),
        ("noending", "x: 1", {"x": 1}),
        ("a.yaml", "", None),
        ("a.json", " \n", None),
        (
            "a.py",
            PYTHON,
            {
                "LR": 0.1,
                "NAMES": ["a", "b"],
                "NEGATIVE": -3,
                "PAIR": [1, 2],
                "CHOICE": ["a", "b"],
                "OPTIONS": {"deep": {"x": 1}},
                "Train": {"epochs": 5, "layers": 9},
            },
        ),
    ],
)
def test_each_format_gives_the_same_kinds_of_values(name: str, text: str, meant: Value) -> None:
    found = load_data(name, text.encode())

    assert found == meant
    assert repr(found) == repr(meant)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.yaml", "x: [", "a.yaml:"),
        ("a.json", '{"x": 1,\n}', "a.json:2: not JSON"),
        ("a.json", "[" * 100_000, "a.json: too many levels"),
        ("a.json", "1" * 5000, "a.json: not JSON"),
        ("a.toml", "x = 1\ny =", "a.toml: not TOML"),
        ("a.toml", "x = " + "1" * 5000, "a.toml: not TOML"),
        ("a.toml", "x = " + "[" * 5000, "a.toml: too many levels"),
        ("a.py", "x = 1\ny = = 2", "a.py:2: not Python"),
        ("a.py", "x = " + "(" * 5000, "a.py"),
        ("a.py", "x = " + "-" * 50_000 + "1", "a.py"),
        ("a.py", "x = 1\0", "a.py"),
        ("a.env", "X=1\nY=2: 3: 4", "a.env:2:"),
    ],
)
def test_a_file_that_does_not_parse_is_named_with_its_line(
    name: str, text: str, problem: str
) -> None:
    with pytest.raises(FormatError) as caught:
        load_data(name, text.encode())

    assert caught.value.message.startswith(problem)


@given(st.sampled_from(["a.yaml", "a.json", "a.toml", "a.py"]), st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_by_an_error_of_ours(name: str, data: bytes) -> None:
    try:
        load_data(name, data)
    except DatavcError as error:
        assert error.message.startswith(name)


def test_keys_are_read_with_their_types_and_each_file_once() -> None:
    files = MemoryFiles({"params.yaml": "t: {a: 1, b: [x, {c: 1.0}]}", "d/p.toml": "q = true"})
    wanted = [
        dep("params.yaml", "t.a", "t.b.1.c", "t"),
        dep("d/p.toml"),
        dep("params.yaml", "t.b"),
    ]

    found = read_params(wanted, files)

    assert found["params.yaml"]["t.a"] == 1
    assert isinstance(found["params.yaml"]["t.b.1.c"], float)
    assert found["params.yaml"]["t.b"] == ["x", {"c": 1.0}]
    assert found["d/p.toml"] == {"q": True}
    assert sorted(files.asked) == ["d/p.toml", "params.yaml"]


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        (
            dep("p.yaml", "train.lrr"),
            "p.yaml has no parameter train.lrr",
            "did you mean train.lr?",
        ),
        (dep("p.yaml", "zzz"), "p.yaml has no parameter zzz", "write it into p.yaml"),
        (dep("p.yaml", "train.lr.x"), "p.yaml has no parameter train.lr.x", ""),
        (
            dep("no.yaml", "a"),
            "no.yaml is not there, from which the parameter a",
            "write the file",
        ),
        (dep("no.yaml"), "no.yaml is not there, from which all parameters", ""),
        (dep("list.json"), "list.json: has no keys", ""),
        (dep("bad.yaml", "a"), "bad.yaml:1:", ""),
    ],
)
def test_what_is_missing_is_named_with_the_nearest(
    wanted: ParamsDep, message: str, hint: str
) -> None:
    files = MemoryFiles({"p.yaml": "train: {lr: 1}", "list.json": "[1]", "bad.yaml": "a: ]"})

    with pytest.raises(DatavcError) as caught:
        read_params([wanted], files)

    assert caught.value.message.startswith(message)
    assert hint in caught.value.hint


def test_partly_read_leaves_out_what_is_missing() -> None:
    files = MemoryFiles({"p.yaml": "a: 1"})

    found = read_params([dep("p.yaml", "a", "b"), dep("no.yaml", "c")], files, partial=True)

    assert found == {"p.yaml": {"a": 1}}


def test_a_pattern_means_what_it_matches() -> None:
    files = MemoryFiles({"p.yaml": "k: {moons: 1, moons_big: 2, pad: 3, 'a[0]': 4}"})
    wanted = dep("p.yaml", "k.moons*", "k.p?d", "k.a[0]", "k.moons")

    found = read_params([wanted], files)["p.yaml"]

    assert found == {
        "k.moons*": {"k.moons": 1, "k.moons_big": 2},
        "k.p?d": 3,
        "k.a[0]": 4,
        "k.moons": 1,
    }
    with pytest.raises(DatavcError, match=r"p\.yaml has no parameter k\.x\*"):
        read_params([dep("p.yaml", "k.x*")], files)


def test_an_empty_file_has_no_keys() -> None:
    assert read_params([dep("p.yaml")], MemoryFiles({"p.yaml": "\n"})) == {"p.yaml": {}}
