"""Files that stages were seen to use become entries of stage files, as far as that makes sense."""

import pytest

from datavc.verbs import pipelines
from datavc.verbs.stage_fix import Declared, Undeclared, fix

TEXT = """\
# the pipeline
stages:
  prepare:  # first
    cmd: python prepare.py
    outs: [data/p.csv]

  train:
    wdir: work
    cmd: python train.py
    deps:
      - ../data/p.csv  # prepared
    outs:
      - model.pkl
"""

GROUP = """\
stages:
  each:
    foreach: [a, b]
    do:
      wdir: ${item}
      cmd: python ../each.py
      outs: [o]
"""


def seen(work, **touched):
    """Return what stages touched, by name: pairs of reads and writes."""
    stages = {stage.name: stage for stage in pipelines.declared(work.repo()).stages}
    return [
        Undeclared(stages[name.replace("_at_", "@")], reads, writes)
        for name, (reads, writes) in touched.items()
    ]


def text(work, path="datavc.yaml"):
    return work.read(path).decode()


@pytest.fixture
def project(work):
    work.lay({"datavc.yaml": TEXT, "prepare.py": "", "raw.csv": "", "work/train.py": ""})
    (work.root / "data").mkdir()
    return work


def test_entries_are_seen_from_where_the_stage_runs_and_all_else_stays(project):
    found = seen(
        project,
        prepare=(("prepare.py", "raw.csv"), ("data/log.txt",)),
        train=(("work/train.py", "raw.csv", "conf"), ("log.txt",)),
    )

    fixed = fix(project.repo(), found)

    assert text(project) == TEXT.replace(
        "    outs: [data/p.csv]\n",
        "    deps:\n      - prepare.py\n      - raw.csv\n    outs: [data/p.csv, data/log.txt]\n",
    ).replace(
        "  # prepared\n", "  # prepared\n      - train.py\n      - ../raw.csv\n      - ../conf\n"
    ).replace("      - model.pkl\n", "      - model.pkl\n      - ../log.txt\n")
    assert fixed.stages == (
        Declared("prepare", "datavc.yaml", ("prepare.py", "raw.csv"), ("data/log.txt",)),
        Declared("train", "datavc.yaml", ("train.py", "../raw.csv", "../conf"), ("../log.txt",)),
    )
    assert fixed.left_out == ()
    assert text(project, "data/.gitignore") == "/log.txt\n"
    assert text(project, ".gitignore") == "/log.txt\n"


def test_what_another_stage_makes_becomes_a_dependency(project):
    fix(project.repo(), seen(project, prepare=((), ("data/more",))))

    fix(project.repo(), seen(project, train=(("data/more/x", "raw.csv"), ())))

    train = next(s for s in pipelines.declared(project.repo()).stages if s.name == "train")
    assert train.deps == ("data/p.csv", "data/more/x", "raw.csv")


def test_what_makes_no_sense_is_left_out_and_told_and_the_rest_is_written(project):
    project.lay({"tracked": "", "kept.bin": "1"})
    project.git("add", "tracked")
    project.add("kept.bin")
    reads = ("work/model.pkl", "raw.csv", "work")
    writes = ("work/model.pkl", "tracked", "kept.bin", "fine.txt")
    found = seen(project, prepare=(reads, writes))

    fixed = fix(project.repo(), found)

    assert fixed.stages == (Declared("prepare", "datavc.yaml", ("raw.csv",), ("fine.txt",)),)
    said = dict(sentence.split(" is not added to ", 1) for sentence in fixed.left_out[:3])
    assert said["tracked"] == (
        "`outs` of stage prepare: Git tracks tracked; `git rm --cached` leaves it to the stage"
    )
    assert "is tracked as data too" in said["kept.bin"]
    assert "is an output of two stages" in said["work/model.pkl"]
    assert len(fixed.left_out) == 5
    assert all("`deps` of stage prepare: stages need each" in s for s in fixed.left_out[3:])
    assert "raw.csv" in text(project)


def test_outputs_of_a_stage_are_no_inputs_of_it(project):
    fixed = fix(project.repo(), seen(project, prepare=(("new/x",), ("new",))))

    assert fixed.stages[0].outs == ("new",)
    assert "depends on new/x, which it makes itself" in fixed.left_out[0]


def test_a_group_gets_what_all_of_its_traced_stages_lack(work):
    work.lay({"datavc.yaml": GROUP, "a/x": "", "b/x": "", "each.py": ""})
    found = seen(
        work,
        each_at_a=(("a/own.csv", "each.py", "a/x"), ("a/log",)),
        each_at_b=(("each.py", "b/x"), ("b/log",)),
    )

    fixed = fix(work.repo(), found)

    assert text(work) == GROUP.replace(
        "      outs: [o]\n",
        "      deps:\n        - ../each.py\n        - x\n      outs: [o, log]\n",
    )
    assert fixed.left_out == (
        "a/own.csv is not added to `deps` of stage each: "
        "only 1 of its 2 traced stages would need it",
    )
    assert text(work, "a/.gitignore") == text(work, "b/.gitignore") == "/log\n"


def test_an_output_that_all_of_a_group_write_is_nobodys(work):
    work.lay({"datavc.yaml": GROUP})
    found = seen(work, each_at_a=((), ("log",)), each_at_b=((), ("log",)))

    fixed = fix(work.repo(), found)

    assert fixed.stages == ()
    assert "log is an output of two stages" in fixed.left_out[0]
    assert text(work) == GROUP


def test_stages_of_several_files_are_told_apart(project):
    project.write("sub/datavc.yaml", "stages:\n  only: {cmd: x}\n")

    fixed = fix(
        project.repo(), seen(project, only=(("sub/x", "raw.csv"), ()), prepare=(("raw.csv",), ()))
    )

    assert [(one.file, one.deps) for one in fixed.stages] == [
        ("datavc.yaml", ("raw.csv",)),
        ("sub/datavc.yaml", ("x", "../raw.csv")),
    ]
    assert text(project, "sub/datavc.yaml") == (
        "stages:\n  only: {cmd: x, deps: [x, ../raw.csv]}\n"
    )


@pytest.mark.parametrize("name", ["a ${b} #c", "[x], y", "- d", "é: ü", "yes", "1e5"])
def test_strange_names_mean_themselves(project, name):
    fix(project.repo(), seen(project, prepare=((name,), (f"out {name}",)), train=((name,), ())))

    for stage in pipelines.declared(project.repo()).stages:
        assert name in stage.deps
    assert f"out {name}" in {out.path for out in pipelines.declared(project.repo()).stages[0].outs}


def test_names_that_a_file_cannot_hold_are_told(project):
    found = seen(project, prepare=(("a\udcff", "raw.csv", "b\nc"), ("d\ne",)))

    fixed = fix(project.repo(), found)

    assert fixed.stages == (Declared("prepare", "datavc.yaml", ("raw.csv", "b\nc"), ()),)
    assert "has a line break in its name" in fixed.left_out[0]
    assert fixed.left_out[1].endswith("its name is not UTF-8, as a stage file is")


def test_a_file_that_changed_since_the_run_is_not_misread(project):
    found = seen(project, train=(("raw.csv",), ()), prepare=(("raw.csv",), ()))
    project.write("datavc.yaml", TEXT.replace("wdir: work", "wdir: .").replace("prepare:", "p:"))
    before = text(project)

    fixed = fix(project.repo(), found)

    assert fixed.stages == ()
    assert len(fixed.left_out) == 2
    assert text(project) == before


def test_nothing_undeclared_changes_nothing(project):
    before = project.tree()

    fixed = fix(project.repo(), seen(project, prepare=((), ()), train=((), ())))

    assert (fixed.stages, fixed.left_out) == ((), ())
    assert project.tree() == before
