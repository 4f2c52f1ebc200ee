from __future__ import annotations

import json
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datavc.core.errors import DatavcError, FormatError
from datavc.formats import stagefile

WHOLE = """
vars: [conf.yaml, 'other.yaml:a,b', {x: 1}]
stages:
  one:
    cmd: [first, second]
    wdir: sub
    deps: [a, b]
    params: [lr, {conf.toml: [a.b]}, {whole.json: }]
    outs:
    - plain
    - kept: {cache: false, persist: true, push: false, remote: r, desc: d, type: t,
             labels: [x], meta: {any: [1]}}
    metrics: [m.json]
    plots:
    - p.csv: {template: t, x: a, y: b, x_label: c, y_label: d, title: e, header: false}
    - q.csv: [{x: a}, {x: b}]
    frozen: true
    always_changed: false
    desc: words
    meta: {k: v}
    env: [HOME, _X1]
    resources: {cpu: 2, mem: 4GiB, gpu: 1, licence: 1}
    retries: 3
    timeout: 1h
  each:
    foreach: {a: 1}
    do: {cmd: x}
  all:
    matrix: {a: [1], b: '${b}'}
    cmd: x
params: [p.yaml]
metrics: [m.yaml]
plots:
- dir
- id: {x: a, y: {f: [b, c]}, title: t}
- curve: {x: {f: a}, y: [b]}
artifacts:
  model: {path: m, type: model, desc: d, labels: [l], meta: {}}
"""


def fault(text: str) -> DatavcError:
    with pytest.raises(FormatError) as caught:
        stagefile.parse(textwrap.dedent(text).encode(), "datavc.yaml")
    return caught.value


def test_a_file_with_every_key_is_read() -> None:
    found = stagefile.parse(WHOLE.encode(), "datavc.yaml")

    assert list(found.stages) == ["one", "each", "all"]
    assert found.document.line(found.stages, "each") == 25  # type: ignore[arg-type]
    assert found.metrics == ["m.yaml"]


@pytest.mark.parametrize(
    "text", ["", "stages:\n", "stages: {}\n", "stages:\n  a:\n    cmd: x\n    deps:\n"]
)
def test_nothing_where_a_list_or_map_could_be_is_nothing(text: str) -> None:
    stagefile.parse(text.encode(), "datavc.yaml")


@pytest.mark.parametrize(
    ("stage", "problem", "hint"),
    [
        ("cmd: x\ndep: [a]", ":4: stage a: dep is no key here", "did you mean deps?"),
        ("command: x", ":3: stage a: command is no key here", "did you mean cmd?"),
        ("cmd: x\ndepends: [a]", ":4: stage a: depends is no key here", "did you mean deps?"),
        (
            "cmd: x\ndependencies: [a]",
            ":4: stage a: dependencies is no key here",
            "did you mean deps?",
        ),
        ("cmd: x\noutputs: [a]", ":4: stage a: outputs is no key here", "did you mean outs?"),
        (
            "cmd: x\nparameters: [a]",
            ":4: stage a: parameters is no key here",
            "did you mean params?",
        ),
        ("cmd: x\nmetric: [a]", ":4: stage a: metric is no key here", "did you mean metrics?"),
        ("cmd: x\nzzzzz: 1", ":4: stage a: zzzzz is no key here", "one of: always_changed"),
        ("cmd: 1", ":3: stage a: cmd must be a command, or a list of them, not the number 1", ""),
        ("desc: x", ":2: stage a has no cmd", ""),
        ("cmd: x\ndeps: a", ":4: stage a: deps must be a list, not text", ""),
        ("cmd: x\ndeps: [a, 1]", ":4: stage a: item 2 of deps must be text", "quotes"),
        ("cmd: x\nfrozen: yes", ":4: stage a: frozen must be true or false, not text", ""),
        ("cmd: x\nouts:\n- 3", ":5: stage a: item 1 of outs must be a path", ""),
        (
            "cmd: x\nouts:\n- o:\n    cach: 1",
            ":6: stage a: cach is no key here",
            "did you mean cache?",
        ),
        ("cmd: x\nouts:\n- o:\n    x: a", ":6: stage a: x is no key here", ""),
        ("cmd: x\nplots:\n- o: [{header: 1}]", ":5: stage a: header must be true or false", ""),
        ("cmd: x\nparams:\n- f: [1]", ":5: stage a: item 1 of f must be text", "quotes"),
        ("cmd: x\nparams:\n- f: k", ":5: stage a: f must be a list", ""),
        ("cmd: x\nenv: [1A]", ":4: stage a: item 1 of env is no name of a variable", ""),
        ("cmd: x\nresources: {cpu: [1]}", ":4: stage a: cpu must be a number", ""),
        ("cmd: x\nretries: true", ":4: stage a: retries must be a number, not true", ""),
        ("cmd: x\nchecks: []", ":4: stage a: checks is reserved for a later version", "meta"),
        ("foreach: 1\ndo: {cmd: x}", ":3: stage a: foreach must be a list, a map", ""),
        ("foreach: [1]", ":2: stage a has no do", ""),
        ("do: {cmd: x}", ":2: stage a has no foreach", ""),
        (
            "foreach: [1]\ndo: {cmd: x, dps: [a]}",
            ":4: stage a: dps is no key",
            "did you mean deps?",
        ),
        ("foreach: [1]\nmatrix: {a: [1]}\ndo: {cmd: x}", ":4: stage a: matrix is no key here", ""),
        ("matrix: {a: 1}\ncmd: x", ":3: stage a: a must be a list", ""),
        ("matrix: [1]\ncmd: x", ":3: stage a: matrix must be a map", ""),
    ],
)
def test_a_fault_in_a_stage_names_line_stage_and_key(stage: str, problem: str, hint: str) -> None:
    found = fault("stages:\n  a:\n" + textwrap.indent(stage, "    "))

    assert found.message.startswith(f"datavc.yaml{problem}")
    assert hint in found.hint


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("- a", ":1: a stage file must be a map, not a list", ""),
        ("stage: {}", ":1: stage is no key here", "did you mean stages?"),
        ("stages: [a]", ":1: stages must be a map, not a list", ""),
        ("stages:\n  a: x", ":2: stage a must be a map, not text", ""),
        ("stages:\n  a@b: {cmd: x}", ":2: stage a@b is no name of a stage: it holds '@'", ""),
        ("stages:\n  'a:b': {cmd: x}", ":2: stage a:b is no name of a stage", ""),
        ("stages:\n  ' a': {cmd: x}", ":2: stage  a is no name of a stage", ""),
        ("vars: x", ":1: vars must be a list, not text", ""),
        ("vars: [1]", ":1: item 1 of vars must be a file, or a map of variables", ""),
        ("datasets: []", ":1: datasets is not supported", "datavc add"),
        ("plots: [{a: {z: 1}}]", ":1: z is no key here", ""),
        ("plots: {a: }", ":1: plots must be a list", ""),
        ("artifacts: {a: {type: x}}", ":1: a has no path", ""),
        ("stages:\n  a: {cmd: x}\n  a: {cmd: y}", ":3: 'a' stands here twice", ""),
        ("stages:\n<<<<<<< HEAD\n  a: {cmd: x}", ":2: has a merge conflict", "git add"),
    ],
)
def test_a_fault_outside_stages_names_line_and_key(text: str, problem: str, hint: str) -> None:
    found = fault(text)

    assert found.message.startswith(f"datavc.yaml{problem}")
    assert hint in found.hint


KEYS = st.sampled_from(
    [*stagefile.STAGE_KEYS, *stagefile.TOP_KEYS, "foreach", "do", "matrix", "a"]
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda held: st.lists(held, max_size=3) | st.dictionaries(KEYS, held, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, ANY, max_size=4), ANY)
def test_any_values_are_read_or_refused_by_an_error_of_ours(top: object, stage: object) -> None:
    for value in (top, {"stages": {"a": stage}}):
        try:
            stagefile.parse(json.dumps(value).encode(), "datavc.yaml")
        except DatavcError as error:
            assert error.message.startswith("datavc.yaml:")


@pytest.mark.parametrize("text", ["stages: {a: {cmd: x, check: 1}}", "dataset: 1", "zzzzzz: 1"])
def test_a_key_that_is_refused_is_never_offered(text: str) -> None:
    hint = fault(text).hint

    assert "checks" not in hint
    assert "datasets" not in hint
