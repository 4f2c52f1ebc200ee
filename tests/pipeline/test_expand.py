from __future__ import annotations

import textwrap
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datavc.core.errors import DatavcError, FormatError
from datavc.core.paths import RepoPath
from datavc.core.stage import (
    Artifact,
    Out,
    ParamsDep,
    PlotDefinition,
    PlotProperties,
    Stage,
    StageFile,
)
from datavc.pipeline.expand import expand
from datavc.pipeline.params import Parsed
from datavc.pipeline.template import Rendering
from tests.support.memory_files import MemoryFiles

P = RepoPath


def expanded(text: str, file: str = "datavc.yaml", **others: str) -> StageFile:
    files = {name.replace("__", "/").replace("_", "."): held for name, held in others.items()}
    return expand(P(file), textwrap.dedent(text).encode(), MemoryFiles(files))


def stage(body: str, **others: str) -> Stage:
    """Return the one stage `a` with these keys."""
    text = "stages:\n  a:\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
    return expanded(text, **others).stages[0]


def commands(text: str, **others: str) -> dict[str, str]:
    return {found.name: " ; ".join(found.cmd) for found in expanded(text, **others).stages}


def test_a_stage_with_every_key_is_resolved() -> None:
    found = stage(
        """
        cmd: [make, "say ${lr}"]
        wdir: sub
        deps: [d/, ./f, a//b, ../up, d]
        params: [lr, t.n, {../conf.toml: [q, p]}, {whole.json: }, lr]
        outs:
        - plain
        - kept/: {cache: false, persist: true, push: false, remote: r, desc: d, type: t,
                  labels: [x, y], meta: {k: [1]}}
        metrics: [m.json: {cache: false}]
        plots:
        - p.csv: {x: u, y: v, header: false}
        - q.csv: [{x: u}, {x: w}]
        - r.csv
        env: [B, A, B]
        resources: {mem: 4GiB, cpu: 2, gpu: 1, licence: 0.5}
        retries: 3
        timeout: 10m
        frozen: true
        always_changed: true
        desc: about ${lr}
        meta: {any: 1}
        """,
        params_yaml="lr: 1e-5",
    )

    assert found == Stage(
        name="a",
        file=P("datavc.yaml"),
        cmd=("make", "say 1e-05"),
        wdir="sub",
        deps=(P("sub/d"), P("sub/f"), P("sub/a/b"), P("up")),
        params=(
            ParamsDep(P("sub/params.yaml"), ("lr", "t.n")),
            ParamsDep(P("conf.toml"), ("p", "q")),
            ParamsDep(P("sub/whole.json"), ()),
        ),
        outs=(
            Out(P("sub/plain")),
            Out(
                P("sub/kept"),
                cache=False,
                persist=True,
                push=False,
                remote="r",
                desc="d",
                type="t",
                labels=("x", "y"),
                meta={"k": [1]},
            ),
            Out(P("sub/m.json"), "metric", cache=False),
            Out(P("sub/p.csv"), "plot", plots=(PlotProperties(x="u", y="v", header=False),)),
            Out(P("sub/q.csv"), "plot", plots=(PlotProperties(x="u"), PlotProperties(x="w"))),
            Out(P("sub/r.csv"), "plot"),
        ),
        env=("B", "A"),
        resources=(("cpu", 2), ("gpu", 1), ("licence", 0.5), ("mem", 4 << 30)),
        retries=3,
        timeout_s=600,
        frozen=True,
        always_changed=True,
        desc="about 1e-05",
        meta={"any": 1},
        line=2,
        used=(ParamsDep(P("params.yaml"), ("lr",)),),
    )


def test_sections_of_the_top_are_seen_from_the_files_folder() -> None:
    found = expanded(
        """
        vars: [{n: 5}]
        params: ['p${n}.yaml']
        metrics: [m.json, ../all.json]
        plots:
        - dir/
        - log.csv: {x: step, y: [loss, acc], title: t}
        - roc: {x: fpr, y: {a.json: tpr, b.json: [u, v]}, template: linear}
        - both: {x: {t.csv: s}, y: {l.csv: l}}
        artifacts:
          net-${n}: {path: model.pt, type: model, desc: d, labels: [l], meta: {k: 1}}
        """,
        file="sub/datavc.yaml",
    )

    assert found.params == ("sub/p5.yaml",)
    assert found.metrics == ("sub/m.json", "all.json")
    assert found.plots == (
        PlotDefinition("dir/", path=P("sub/dir")),
        PlotDefinition(
            "log.csv",
            x=((P("sub/log.csv"), "step"),),
            y=((P("sub/log.csv"), "loss"), (P("sub/log.csv"), "acc")),
            path=P("sub/log.csv"),
            properties=PlotProperties(title="t"),
        ),
        PlotDefinition(
            "roc",
            x=((P("sub/a.json"), "fpr"), (P("sub/b.json"), "fpr")),
            y=((P("sub/a.json"), "tpr"), (P("sub/b.json"), "u"), (P("sub/b.json"), "v")),
            properties=PlotProperties(template="linear"),
        ),
        PlotDefinition("both", x=((P("sub/t.csv"), "s"),), y=((P("sub/l.csv"), "l"),)),
    )
    assert found.artifacts == (
        Artifact("net-5", P("sub/model.pt"), "model", "d", ("l",), {"k": 1}),
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("cmd: one", ("one",)),
        ("cmd: [one]", ("one",)),
        ("cmd: |\n  one\n\n  two\n", ("one", "two")),
        ("cmd: >-\n  one\n  --more\n", ("one --more",)),
        ("cmd:\n- one\n- |\n  if x\n  then y\n", ("one", "if x\nthen y")),
    ],
)
def test_lines_of_a_text_and_items_of_a_list_are_commands(
    written: str, meant: tuple[str, ...]
) -> None:
    assert stage(written).cmd == meant


def test_variables_come_from_files_and_from_the_stage_file() -> None:
    files = MemoryFiles(
        {
            "sub/params.yaml": "t: {lr: 1}\n",
            "sub/conf.json": '{"t": {"n": 2}, "other": 3}',
            "some.toml": "a = 4\nb = 5\n",
            "sub/in/local.yaml": "l: 6\n",
        }
    )
    text = """
    vars: [conf.json, '../some.toml:a', params.yaml, {t: {v: 7}}]
    stages:
      a:
        cmd: echo ${t.lr} ${t.n} ${other} ${a} ${t.v} ${l} ${own}
        wdir: in
        vars: [local.yaml, '../../some.toml:b', {own: 8}]
    """

    found = expand(P("sub/datavc.yaml"), textwrap.dedent(text).encode(), files)

    assert found.stages[0].cmd == ("echo 1 2 3 4 7 6 8",)
    assert found.stages[0].used == (
        ParamsDep(P("some.toml"), ("a",)),
        ParamsDep(P("sub/conf.json"), ("other", "t.n")),
        ParamsDep(P("sub/in/local.yaml"), ("l",)),
        ParamsDep(P("sub/params.yaml"), ("t.lr",)),
    )
    assert found.reads == ("sub/params.yaml", "sub/conf.json", "some.toml", "sub/in/local.yaml")


def test_a_parameter_file_that_is_absent_is_still_something_the_result_depends_on() -> None:
    assert expanded("stages: {a: {cmd: x}}").reads == ("params.yaml",)


def test_stage_files_of_one_moment_share_what_was_parsed() -> None:
    files, parsed = MemoryFiles({"params.yaml": "x: 1"}), Parsed()
    data = b"stages: {a: {cmd: 'echo ${x}'}}"

    expand(P("datavc.yaml"), data, files, parsed=parsed)
    expand(P("datavc.yaml"), data, files, parsed=parsed)

    assert files.asked == ["params.yaml"]


def test_variables_of_one_stage_are_not_those_of_the_next() -> None:
    text = "stages:\n  a: {cmd: 'echo ${x}', vars: [{x: 1}]}\n  b: {cmd: 'echo ${x}'}\n"

    with pytest.raises(FormatError, match="stage b: .* names no variable"):
        expanded(text)


@pytest.mark.parametrize(
    ("each", "meant"),
    [
        (
            "[1, 1.0, true, 'x y', a/b]",
            {"a@1": "1", "a@1.0": "1.0", "a@true": "true", "a@x y": "x y", "a@a/b": "a/b"},
        ),
        ("[same, same]", {"a@same": "same"}),
        ("[]", {}),
        ("${list}", {"a@u": "u", "a@v": "v"}),
        ("['${x}']", {"a@9": "9"}),
        ("['${yes}', true]", {"a@True": "true", "a@true": "true"}),
        ("['${list[1]}', 'p${x}']", {"a@v": "v", "a@p9": "p9"}),
    ],
)
def test_foreach_of_a_list_names_stages_by_their_items(each: str, meant: dict[str, str]) -> None:
    text = f"stages:\n  a:\n    foreach: {each}\n    do: {{cmd: 'echo ${{item}}'}}\n"

    found = commands(text, params_yaml="list: [u, v]\nx: 9\nyes: true\n")

    assert found == {name: f"echo {shown}" for name, shown in meant.items()}


def test_foreach_of_composite_items_names_stages_by_their_index() -> None:
    text = "stages:\n  a:\n    foreach: [{x: 1}, 2]\n    do: {cmd: 'echo z'}\n"

    assert list(commands(text)) == ["a@0", "a@1"]


def test_foreach_of_a_map_names_stages_by_their_keys() -> None:
    text = """
    stages:
      a:
        foreach: ${models}
        do:
          cmd: fit ${key} ${item.lr}
          outs: ["${key}.bin"]
    """

    found = expanded(text, params_yaml="models: {us: {lr: 1}, gb: {lr: 2}}").stages

    assert [(one.name, one.group, one.cmd) for one in found] == [
        ("a@us", "a", ("fit us 1",)),
        ("a@gb", "a", ("fit gb 2",)),
    ]
    assert found[1].used == (ParamsDep(P("params.yaml"), ("models.gb.lr",)),)


def test_a_matrix_makes_every_combination() -> None:
    text = """
    stages:
      a:
        matrix:
          n: [1, 2.50]
          m: ${models}
          deep: [{x: 1}, [2]]
        cmd: fit ${item.n} ${item.m} ${key}
    """

    found = commands(text, params_yaml="models: [cnn, rnn]")

    assert found == {
        f"a@{key}": f"fit {key.split('-')[0]} {key.split('-')[1]} {key}"
        for key in (
            f"{n}-{m}-deep{d}" for n in ("1", "2.5") for m in ("cnn", "rnn") for d in (0, 1)
        )
    }


def test_settings_say_how_maps_become_options() -> None:
    data = b"vars: [{o: {a: [1, 2], b: false}}]\nstages: {s: {cmd: 'run ${o}'}}"

    found = expand(P("datavc.yaml"), data, MemoryFiles(), Rendering("boolean_optional", "append"))

    assert found.stages[0].cmd == ("run --a 1 --a 2 --no-b",)


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
