"""Stages and Git: what commits, merges and worktrees bring is followed by what stages made."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from tests.support.kill import DATAVC
from tests.support.pipeline import Pipelines, copies
from tests.support.repo import RepoBuilder


def test_git_brings_back_the_outputs_of_an_older_commit(repo: RepoBuilder):
    work = Pipelines(repo.root, fresh=False)
    work.lay({"in": "one\n", "params.yaml": "lr: 1\n"})
    folder = {"cmd": "mkdir -p d; cp in d/a; cp in d/$(cat in)", "deps": ["in"], "outs": ["d"]}
    work.define({"first": copies("first", ["in"], "mid"), "folder": folder})
    work.repro()
    repo.write(".gitignore", repo.read(".gitignore") + b"/ran.log\n")
    repo.commit("one")
    work.write("in", "two\n")
    work.repro()
    repo.commit("two")
    repo.run("install", check=False)

    repo.git("checkout", "-q", "HEAD~1")
    old = {path: work.read(path) for path in ("mid", "d/a", "d/one")}
    gone = (repo.root / "d/two").exists()
    found = work.repro()
    repo.git("checkout", "-q", "main")

    assert set(old.values()) == {b"one\n"}
    assert not gone
    assert set(found.actions.values()) == {"skip"}
    assert work.read("mid") == work.read("d/two") == b"two\n"
    assert set(work.repro().actions.values()) == {"skip"}
    assert repo.git("status", "--porcelain").stdout == ""


@pytest.fixture
def forked(repo: RepoBuilder) -> RepoBuilder:
    """Two inputs and what is made of each and both; a branch changes one, main the other."""
    work = Pipelines(repo.root, fresh=False)
    repo.run("install", check=False)
    work.lay({"x": "1", "y": "1", "params.yaml": "lr: 1\n"})
    both = copies("both", ["x.out", "y.out"], "both.out")
    work.define({"x": copies("x", ["x"], "x.out"), "y": copies("y", ["y"], "y.out"), "z": both})
    work.repro("x", "y")
    repo.write(".gitignore", repo.read(".gitignore") + b"/ran.log\n/both.out\n")
    repo.commit("base")
    repo.git("checkout", "-q", "-b", "other")
    work.write("x", "2")
    work.repro("x")
    repo.commit("x")
    repo.git("checkout", "-q", "main")
    work.write("y", "3")
    work.repro("y")
    repo.commit("y")
    return repo


def test_locks_of_two_branches_merge_and_the_outputs_follow(forked: RepoBuilder):
    work = Pipelines(forked.root, fresh=False)

    forked.git("merge", "-q", "-m", "merge", "other")
    outs = (work.read("x.out"), work.read("y.out"))
    found = work.repro()

    assert outs == (b"2", b"3")
    assert found.actions == {"x": "skip", "y": "skip", "z": "run"}
    assert work.read("both.out") == b"23"


def test_a_stage_that_both_changed_is_settled_as_the_hint_says(forked: RepoBuilder):
    work = Pipelines(forked.root, fresh=False)
    for branch in ("other", "main"):
        forked.git("checkout", "-q", branch)
        work.repro()
        forked.commit("all")
    merged = forked.git("merge", "-q", "-m", "merge", "other", check=False)
    refused = work.do("repro", code=1).stderr

    forked.git("checkout", "--ours", "datavc.lock")
    found = work.repro()
    forked.commit("merge")

    assert merged.code == 1
    assert "datavc.lock:4: holds the markers of a conflict" in refused
    assert "`git checkout --ours datavc.lock`" in refused
    assert set(found.actions.values()) <= {"skip", "restore", "run"}
    assert work.read("both.out") == b"23"
    assert forked.git("status", "--porcelain").stdout == ""
    assert set(work.repro().actions.values()) == {"skip"}


def test_a_worktree_takes_the_results_of_the_other(forked: RepoBuilder):
    Pipelines(forked.root, fresh=False).repro()
    forked.git("worktree", "add", "-q", "../tree", "other")
    work = Pipelines(forked.root.parent / "tree", fresh=False)

    first = work.repro()
    work.write("y", "3")
    work.write("x", "1")
    second = work.repro()

    assert first.ran == ["both"]
    assert second.ran == []
    assert work.read("both.out") == b"13"


# killed in the middle


@pytest.fixture
def killed(repo: RepoBuilder) -> Pipelines:
    """A run that was killed after its first stages: they stand in the journal alone."""
    work = Pipelines(repo.root, fresh=False)
    work.write("in", "1")
    chain = {
        f"s{n}": {
            "cmd": f"cat in > o{n}; test {n} -lt 3 || {{ touch late; sleep 60; }}",
            "deps": ["in"],
            "outs": [f"o{n}"],
        }
        for n in range(4)
    }
    work.define(chain)
    with subprocess.Popen(
        [*DATAVC, "repro", "-q"], cwd=repo.root, env=repo.env, start_new_session=True
    ) as process:
        while not (repo.root / "late").exists():
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(0.5)  # longer than good results wait to be noted
        os.killpg(process.pid, signal.SIGKILL)
    chain["s3"] = {**chain["s3"], "cmd": "cp in o3"}
    work.define(chain)
    assert not (repo.root / "datavc.lock").exists()
    return work


def test_what_a_killed_run_noted_is_known_and_kept_from_collection(killed: Pipelines):
    options = ("-c", "gc.grace=0", "-c", "repro.keep_runs=0s")
    differing = killed.status()["stages"]
    killed.do(*options, "gc", "-w", "--unpushed", "--expire-undo", "--force")
    killed.remove("o1")

    found = killed.repro()

    assert set(differing) == {"s3"}
    assert found.actions == {"s0": "skip", "s1": "restore", "s2": "skip", "s3": "run"}
    assert set(killed.lock()) == {"s0", "s1", "s2", "s3"}


def test_a_lock_that_git_brings_is_not_mixed_with_what_a_killed_run_noted(killed: Pipelines):
    killed.write("datavc.lock", '{"datavc": 1, "stages": {}}')

    found = killed.repro()

    restored = dict.fromkeys(["s0", "s1", "s2"], "restore")
    assert found.actions == {**restored, "s3": "run"}
    assert all(found.stages[name]["from_cache"] for name in restored)
    assert set(killed.lock()) == {"s0", "s1", "s2", "s3"}
