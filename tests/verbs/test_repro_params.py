"""Parameters of all formats and shapes: what is recorded is what is compared with next time."""

from __future__ import annotations

import pytest

from tests.support.pipeline import Pipelines, noting

FILES = {
    "lists and maps": ("p.yaml", "a: [1, [2.0, {b: null}], true]\n"),
    "keys that are numbers": ("p.yaml", "a: {1: x, 2.5: y}\n"),
    "keys that are true and null": ("p.yaml", "a: {true: x, null: y}\n"),
    "dates": ("p.yaml", "a: 2024-01-02\nb: 2024-01-02T03:04:05Z\n"),
    "anchors and merge keys": ("p.yaml", "x: &x {y: 1}\na: {<<: *x, z: 2}\n"),
    "not a number, no end": ("p.yaml", "a: [.nan, .inf, -.inf]\n"),
    "not a number in JSON": ("p.json", '{"a": NaN}'),
    "a large number": ("p.yaml", "a: 123456789012345678901234567890\n"),
    "a small number": ("p.yaml", "a: 1e-5\n"),
    "octal, hex": ("p.yaml", "a: [0o17, 0x1f, 010, 1_000]\n"),
    "yes and no": ("p.yaml", "a: [yes, no, on, off, y]\n"),
    "text of all kinds": ("p.json", '{"a": "\\u00e9\\u2028\\ud83d\\ude00\\u0000\\n\\t"}'),
    "an empty text and key": ("p.json", '{"a": {"": ""}}'),
    "dates of TOML": ("p.toml", "a = 2024-01-02\nb = 03:04:05\nc = 2024-01-02T03:04:05Z\n"),
    "tables of TOML": ("p.toml", "[[a]]\nb = 1\n[[a]]\nb = 2.0\n"),
    "literals of Python": ("p.py", "a = (1, 2.0, 'x', None, True)\nb = {'c': [1, (2,)]}\n"),
    "sets and bytes of Python": ("p.py", "a = {3, 1}\nb = b'x'\n"),
    "classes of Python": ("p.py", "class a:\n    b = 1\n    c = -2\n"),
    "a key with a dot": ("p.json", '{"a": {"b.c": 1}}'),
}


@pytest.fixture
def work(tmp_path) -> Pipelines:
    return Pipelines(tmp_path / "work")


def reads(*params: object) -> dict[str, dict[str, object]]:
    return {"a": {"cmd": noting("a", "true"), "params": list(params), "outs": []}}


@pytest.mark.parametrize("case", FILES)
@pytest.mark.parametrize("whole", [False, True], ids=["a key", "the whole file"])
def test_what_is_recorded_is_not_a_change_next_time(work, case, whole):
    name, text = FILES[case]
    work.write(name, text)
    work.define(reads({name: None} if whole else {name: ["a"]}))

    work.repro()
    again = work.repro()
    work.remove("datavc.lock")
    lost = work.repro()

    assert again.actions == {"a": "skip"}
    assert again.reasons == {"a": []}
    assert lost.actions == {"a": "restore"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.yaml", "a: [" * 200),
        ("p.json", '{"a": "\\ud800"}'),
        ("p.json", '{"a": {"\\udfff": 1}}'),
        ("p.py", "a = '\\ud800'"),
        ("p.yaml", 'a: "\\ud800"'),
        ("p.json", '{"a": ' + "[" * 100_000),
        ("p.toml", "a = "),
        ("p.py", "a = "),
        ("p.py", "a = " + "(" * 5000),
        ("p.yaml", "\0"),
        ("p.yaml", "a: !!python/object/apply:os.system ['touch x']"),
        ("p.yaml", "a: &a [*a]"),
    ],
)
def test_a_parameter_file_that_cannot_be_read_is_named(work, name, text):
    work.write(name, text)
    work.define(reads({name: ["a"]}))

    assert name in work.refused()
    assert not (work.root / "x").exists()


def test_a_parameter_file_may_be_a_dependency_of_templates_and_of_keys(work):
    work.write("params.yaml", "lr: 1\nout: made\n")
    work.write(
        "datavc.yaml",
        "stages: {a: {cmd: 'echo ${lr} > ${out}', params: [lr], outs: ['${out}']}}",
    )
    work.repro()
    work.write("params.yaml", "lr: 1\nout: other\n")

    found = work.repro()

    assert found.actions == {"a": "run"}
    assert work.read("other") == b"1\n"


def test_parameters_that_an_earlier_stage_makes_are_read_after_it_ran_or_was_restored(work):
    maker = {"cmd": noting("maker", "cp in p.yaml"), "deps": ["in"], "outs": ["p.yaml"]}
    user = {"cmd": noting("user", "cp p.yaml got"), "params": [{"p.yaml": ["a"]}], "outs": ["got"]}
    work.define({"maker": maker, "user": user})
    for text in ("a: 1\n", "a: 2\n"):
        work.write("in", text)
        work.repro()
    work.write("in", "a: 1\n")

    back = work.repro()

    assert back.actions == {"maker": "restore", "user": "restore"}
    assert work.read("got") == b"a: 1\n"
    assert work.repro().actions == {"maker": "skip", "user": "skip"}
