"""Nothing is touched before everything is checked: what is refused, and in which words."""

from __future__ import annotations

import json
import os

import pytest

from tests.support.pipeline import Pipelines, copies, noting

GOOD = copies("good", ["in"], "made")


@pytest.fixture
def work(tmp_path) -> Pipelines:
    """A project with an input and a parameter file; nothing ran yet."""
    work = Pipelines(tmp_path / "work")
    work.write("in", "one\n")
    work.write("params.yaml", "lr: 1\n")
    return work


LAST = {
    "a dependency that is nowhere": ({"deps": ["nix"]}, "needs nix, which is not there"),
    "a dependency that is a pipe": ({"deps": ["pipe"]}, "pipe is neither a file nor a directory"),
    "a folder that is nowhere": ({"wdir": "nix", "deps": [], "outs": ["x"]}, "runs in nix, which"),
    "a parameter that is nowhere": ({"params": ["nix"]}, "nix"),
    "a parameter file that is nowhere": ({"params": [{"nix.yaml": ["a"]}]}, "nix.yaml"),
    "a parameter file that does not parse": ({"params": [{"bad.json": ["a"]}]}, "bad.json"),
    "an output that Git tracks": ({"outs": ["code.py"]}, "code.py"),
    "an output with a file in Git": ({"outs": ["src"]}, "src"),
    "a pool that is too small": ({"resources": {"gpu": 3}}, "3 of 'gpu'"),
    "its own output": ({"deps": ["mine"], "outs": ["mine"]}, "depends on mine"),
    "another's output": ({"outs": ["made"]}, "made is an output of two stages"),
    "an output around another's": ({"outs": ["made/x"]}, "outputs must not overlap"),
    "data": ({"outs": ["data"]}, "tracked as data too"),
    "an unknown key": ({"dep": ["in"]}, "deps"),
    "a variable that is nowhere": ({"desc": "x", "cmd": "${nix}"}, "nix"),
}


@pytest.mark.parametrize("case", LAST)
def test_the_last_stage_is_checked_before_the_first_starts(work, case):
    more, said = LAST[case]
    os.mkfifo(work.root / "pipe")
    work.write("bad.json", "{")
    work.write("code.py", "1")
    work.write("src/code.py", "1")
    work.write("data", "1")
    work.add("data")
    work.commit("code")
    last = {"cmd": noting("last", "true"), "deps": ["made"], **more}
    work.define({"good": GOOD, "last": last})

    assert said in work.refused()
    assert said in work.refused("--keep-going", "-j3")
    assert not (work.root / "datavc.lock").exists()


def test_an_earlier_stage_makes_good_for_what_is_missing(work):
    work.define(
        {
            "last": {
                "cmd": noting("last", "cat p.yaml d/x"),
                "deps": ["d/x"],
                "params": [{"p.yaml": ["a"]}],
            },
            "first": {
                "cmd": noting("first", "mkdir -p d; echo 1 > d/x; echo a: 1 > p.yaml"),
                "outs": ["d", "p.yaml"],
                "deps": ["in"],
            },
        }
    )

    assert work.repro().ran == ["first", "last"]


def test_a_single_stage_does_not_count_on_others(work):
    work.define({"good": GOOD, "last": copies("last", ["made"], "end")})

    error = work.refused("-s", "last")

    assert "last needs made, which is not there" in error
    assert "`datavc repro good` makes it" in error


def test_a_single_stage_does_not_count_on_what_others_make_in_a_folder(work):
    inner = {"cmd": noting("inner", "mkdir -p d; cp in d/x"), "deps": ["in"], "outs": ["d/x"]}
    work.define({"inner": inner, "last": {"cmd": noting("last", "ls d > end"), "deps": ["d"]}})

    assert "last needs d, which is not there" in work.refused("-s", "last")


def test_a_circle_through_three_files_is_named(work):
    for here, there in ("ab", "bc", "ca"):
        stage = {"cmd": "true", "deps": [f"../{there}/out"], "outs": ["out"]}
        work.define({f"stage-{here}": stage}, folder=here)

    error = work.refused("-P")

    for name in ("a", "b", "c"):
        assert f"stage-{name} ({name}/datavc.yaml)" in error


def test_a_lock_with_conflict_markers_is_named_with_the_way_out(work):
    work.define({"good": GOOD})
    work.repro()
    lock = work.read("datavc.lock").decode()
    ours = "<<<<<<< HEAD\n"
    work.write("datavc.lock", lock.replace('  "good"', ours + '  "good"'))

    error = work.refused()

    assert "datavc.lock:4" in error
    assert "git checkout --ours datavc.lock" in error


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "datavc.lock"),
        ("[]", "must be a map"),
        ('{"datavc": 2}', "of format 2"),
        ('{"datavc": 1, "stages": {"a": {}}}', "cmd"),
        ('{"datavc": 1, "stages": {"a": {"cmd": "x", "outs": [{"path": "../x"}]}}}', "digest"),
        ("{" * 5000, "datavc.lock"),
        ("[" * 100_000, "datavc.lock"),
    ],
)
def test_a_lock_that_is_none_is_refused_and_left_alone(work, text, said):
    work.define({"good": GOOD})
    work.write("datavc.lock", text)

    assert said in work.refused()


def test_a_lock_never_leads_out_of_the_project(work):
    work.define({"good": GOOD})
    work.repro()
    lock = json.loads(work.read("datavc.lock"))
    for path in ("../out", "/etc/passwd", ".git/config", ".datavc/x", "a/../../x"):
        lock["stages"]["good"]["outs"][0]["path"] = path
        work.write("datavc.lock", json.dumps(lock))

        assert "datavc.lock" in work.refused()


def test_a_stage_file_that_cannot_be_used_costs_no_other(work):
    work.define({"good": GOOD})
    work.write("sub/datavc.yaml", "stages: [")

    found = work.repro()

    assert found.ran == ["good"]
    assert "sub/datavc.yaml" in found.done.stderr
    assert "sub/datavc.yaml" in work.refused("-P")
    assert "sub/datavc.yaml" in work.repro(code=1, here="sub").done.stderr


def test_targets_that_name_nothing_are_refused(work):
    work.define({"good": GOOD})

    assert "did you mean good?" in work.refused("goood")
    assert "nix" in work.refused("good", "nix")
    assert "nix*" in work.refused("--glob", "nix*")
    assert work.repro("made").ran == ["good"]


def test_a_project_without_stages_says_how_to_write_one(work):
    assert "datavc stage add" in work.refused()


def test_several_stages_at_once_must_be_a_number(work):
    work.define({"good": GOOD})

    for count in ("0", "-1", "x"):
        assert "-j" in work.refused("-j", count, code=2)


def test_dry_run_touches_nothing_and_says_what_a_run_then_does(work):
    work.define({"good": GOOD, "last": copies("last", ["made"], "end")})
    before = work.tree()
    told = work.repro("--dry-run")
    after = work.tree()
    done = work.repro()
    work.write("in", "two\n")
    work.repro()
    work.write("in", "one\n")
    work.remove("end")
    from_cache = work.repro("--dry-run")
    restored = work.repro()

    assert before == after
    assert told.actions == done.actions == {"good": "run", "last": "run"}
    assert from_cache.actions == restored.actions == {"good": "restore", "last": "restore"}
    assert told.reasons["last"][0] == {"changed deps": {"made": "to be made anew"}}


def test_dry_run_says_of_parameters_that_a_stage_makes_that_they_will_be_made(work):
    maker = {"cmd": noting("maker", "cp in p.yaml"), "deps": ["in"], "outs": ["p.yaml"]}
    user = {"cmd": noting("user", "cat p.yaml"), "params": [{"p.yaml": ["a"]}]}
    work.define({"maker": maker, "user": user})
    work.write("in", "a: 1\n")
    work.repro()
    work.write("in", "a: 2\n")

    told = work.repro("--dry-run")

    assert told.actions == {"maker": "run", "user": "run"}
    assert told.reasons["user"] == [{"changed deps": {"p.yaml": "to be made anew"}}]
    assert work.repro().ran == ["maker", "user"]


FORM = """\
stages:
  good:
    cmd: x
    deps: [{dep}]
    params: [{param}]
    outs: [made]
  last:
    cmd: x
    deps: [in]
    outs: [{out}]
"""


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"dep": "folder/rwa.csv"}, ("datavc.yaml:2: good needs", "did you mean folder/raw.csv?")),
        ({"dep": "folder/dta.csv"}, ("did you mean folder/data.csv?",)),
        ({"dep": "otehr"}, ("did you mean other?",)),
        ({"dep": "folder/nothing-like-it"}, ("nothing tracks it",)),
        ({"param": "lrr"}, ("datavc.yaml:2: good: params.yaml has no", "did you mean lr?")),
        ({"out": "made"}, ("good (datavc.yaml:2) and last (datavc.yaml:7)",)),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_what_was_meant(work, names, said):
    work.write("folder/raw.csv", "1")
    work.write("folder/data.csv", "1")
    work.add("folder/data.csv")
    work.remove("folder/data.csv")
    work.write("datavc.yaml", FORM.format(**{"dep": "in", "param": "lr", "out": "other", **names}))

    error = work.refused()

    assert all(part in error for part in said), error
