from __future__ import annotations

import textwrap

import pytest

from datavc.core.errors import FormatError
from datavc.core.stage import (
    Artifact,
    Out,
    ParamsDep,
    PlotDefinition,
    PlotProperties,
    Stage,
)
from datavc.pipeline.expand import expand
from datavc.pipeline.params import Parsed
from datavc.pipeline.template import Rendering
from tests.support.expanding import P, commands, expanded, stage
from tests.support.memory_files import MemoryFiles


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
