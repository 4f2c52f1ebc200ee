from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datavc.core.errors import DatavcError, FormatError
from datavc.pipeline.expand import expand
from tests.support.expanding import P, expanded, stage
from tests.support.memory_files import MemoryFiles


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("cmd: x\ndeps: [s3://b/k]", ":4: stage a: deps: s3://b/k is not a path in the project"),
        ("cmd: x\ndeps:\n- a\n- /etc/x", ":6: stage a: deps: /etc/x lies outside the project"),
        ("cmd: x\nouts: [../x]", ":4: stage a: outs: ../x leads out of the project"),
        ("cmd: x\nwdir: /tmp", ":4: stage a: wdir: /tmp lies outside"),
        ("cmd: x\ndeps: [.]", ":4: stage a: deps: . is the project itself"),
        ("cmd: x\ndeps: [.git/x]", ":4: stage a: deps: unsafe path"),
        (
            "cmd: x\nouts: [o]\nmetrics: [./o]",
            ":5: stage a: metrics: o is an output of this stage",
        ),
        ("cmd: x\nparams: [{/p.yaml: [a]}]", ":4: stage a: params: /p.yaml lies outside"),
        ("cmd: ''", ":3: stage a: cmd: is empty"),
        ("cmd: []", ":3: stage a: cmd: is empty"),
        ("cmd: run ${nope}", ":3: stage a: ${nope} names no variable in `run ${nope}`"),
        ("cmd:\n- x\n- run ${n}", ":5: stage a: ${n} is null"),
        ("cmd: run ${list}", ":3: stage a: ${list} is a list"),
        ("cmd: x\nouts: ['${m}']", ":4: stage a: ${m} is a map"),
        ("cmd: x\nvars: ['${m}.yaml']", ":4: stage a: vars: no ${…} can stand here"),
        ("cmd: x\nvars: [no.yaml]", ":4: stage a: vars: no.yaml is not there"),
        ("cmd: x\nvars: ['v.yaml:zz']", ":4: stage a: vars: v.yaml has no zz"),
        ("cmd: x\nvars: ['params.yaml:m']", ":4: stage a: vars: params.yaml is loaded already"),
        (
            "cmd: x\nvars: [{n: 1}]",
            ":4: stage a: vars: n is given twice, by params.yaml and by vars",
        ),
        (
            "cmd: x\nvars: [v.yaml, {v: 1}]",
            ":4: stage a: vars: v is given twice, by v.yaml and by",
        ),
        ("cmd: x\nvars: [list.json]", "list.json: has no keys"),
        ("cmd: x\nresources: {mem: much}", ":4: stage a: resources: mem: much is not an amount"),
        ("cmd: x\nresources: {cpu: 0}", ":4: stage a: resources: cpu: 0 is not"),
        ("cmd: x\nresources: {cpu: -1}", ":4: stage a: resources: cpu: -1 is not"),
        ("cmd: x\nretries: 1.5", ":4: stage a: retries: 1.5 is no number from 0 to 1000"),
        ("cmd: x\nretries: some", ":4: stage a: retries: some is not a number"),
        ("cmd: x\ntimeout: soon", ":4: stage a: timeout: soon is not a duration"),
        ("cmd: x\ntimeout: 0", ":4: stage a: timeout: 0 is not more than zero"),
        ("foreach: word\ndo: {cmd: x}", ":3: stage a: foreach takes a list or a map, not word"),
        ("foreach: ${t}\ndo: {cmd: x}", ":3: stage a: foreach takes a list or a map, not 5"),
        ("foreach: ${n}\ndo: {cmd: x}", ":3: stage a: foreach takes a list or a map, not null"),
        ("foreach: ${zz}\ndo: {cmd: x}", ":3: stage a: foreach: ${zz} names no variable"),
        ("foreach: [1]\ndo: {cmd: '${item.x}'}", ":4: stage a@1: ${item.x} names no variable"),
        ("matrix: {}\ncmd: x", ":3: stage a: matrix takes a map"),
        ("matrix: {b: '${t}'}\ncmd: x", ":3: stage a: matrix: b takes a list, not 5"),
    ],
)
def test_what_cannot_be_resolved_is_told_with_line_stage_and_key(body: str, problem: str) -> None:
    with pytest.raises(DatavcError) as caught:
        stage(
            body,
            params_yaml="n:\nlist: [1]\nm: {x: 1}\nt: 5\n",
            v_yaml="v: 1\n",
            list_json="[1]",
        )

    prefix = "datavc.yaml" if problem.startswith(":") else ""
    assert caught.value.message.startswith(prefix + problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("metrics: [m, /x]", "datavc.yaml:1: metrics: /x lies outside"),
        ("plots: ['${no}']", "datavc.yaml:1: plots: ${no} names no variable"),
        ("artifacts: {-a: {path: x}}", "datavc.yaml:1: artifacts: -a is no name"),
        ("vars: [{x: '${y}'}]", "datavc.yaml:1: vars: no ${…} can stand here"),
        ("stages: {a: {matrix: {b: '${l}', c: '${l}', d: '${l}'}, cmd: x}}", "more than 100,000"),
    ],
)
def test_what_cannot_be_resolved_at_the_top_is_told(text: str, problem: str) -> None:
    with pytest.raises(DatavcError) as caught:
        expanded(text, params_yaml=f"l: {list(range(50))}")

    assert problem in caught.value.message


LIVELY = """
vars: [{o: {a: [1, 2], b: false}}, v.yaml]
stages:
  s: &s {cmd: 'run ${o} ${v}', wdir: d, deps: [a, '${v}'], outs: [o: {cache: false}]}
  e: {foreach: '${o}', do: *s}
  m: {matrix: {x: '${o.a}', y: [{z: 1}]}, cmd: 'fit ${item.x} ${item.y.z}', params: [f: [k]]}
plots: [{p: {x: a, y: {f: [b]}}}]
artifacts: {a: {path: m}}
"""
PIECES = "${ } [ ] { } , : \n - ~ true 1 ${item} ${key} ${o} <<: *s &s .. / @ ' \" | vars meta do"


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from(PIECES.split(" "))), max_size=3))
def test_whatever_stands_in_a_file_is_resolved_or_refused(put: list[tuple[int, str]]) -> None:
    text = LIVELY
    for at, piece in put:
        text = text[:at] + piece + text[at:]

    try:
        expand(P("datavc.yaml"), text.encode(), MemoryFiles({"v.yaml": "v: 1"}))
    except DatavcError as error:
        assert error.message


def test_a_parameter_file_that_does_not_parse_is_named() -> None:
    with pytest.raises(FormatError, match=r"params\.yaml:2: "):
        expanded("stages: {a: {cmd: x}}", params_yaml="a: 1\n b: 2\n")


def test_five_thousand_stages_are_resolved_in_seconds() -> None:
    block = "  s{n}: {cmd: 'run ${x} {n}', deps: [a/{n}], outs: [o/{n}: {cache: false}]}\n"
    text = "stages:\n" + "".join(block.replace("{n}", str(n)) for n in range(5000))

    begin = time.process_time()
    found = expanded(text, params_yaml="x: 1")

    assert len(found.stages) == 5000
    assert time.process_time() - begin < 8


def test_a_note_that_is_no_map_is_kept() -> None:
    assert stage("cmd: x\nmeta: [a]").meta == {"note": ["a"]}
