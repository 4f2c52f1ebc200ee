"""Outputs and definitions that changed: what is restored, run or only settled in the lock."""

from __future__ import annotations

import pytest

from tests.support.pipeline import Pipelines, copies, noting

FIRST = copies("first", ["in"], "mid")
SECOND = copies("second", ["mid"], "end", params=["lr"])
STAGES = {"first": FIRST, "second": SECOND}


@pytest.fixture
def chain(tmp_path) -> Pipelines:
    """Two stages, one after the other, up to date."""
    work = Pipelines(tmp_path / "work")
    work.write("in", "one\n")
    work.write("params.yaml", "lr: 1\nother: x\n")
    work.define(STAGES)
    work.repro()
    return work


def test_an_output_that_is_added_runs_the_stage(chain):
    more = {**FIRST, "cmd": noting("first", "cat in > mid; touch log"), "outs": ["mid", "log"]}
    only = {**FIRST, "cmd": more["cmd"]}
    chain.define({**STAGES, "first": only})
    chain.repro()
    chain.define({**STAGES, "first": more})

    found = chain.repro()

    assert found.ran == ["first"]
    assert {"changed definition": {"log": "new"}} in found.reasons["first"]


@pytest.mark.parametrize(
    "flags",
    [{"push": False}, {"remote": "store"}, {"cache": False}, {"cache": False, "push": False}],
    ids=str,
)
def test_how_an_output_is_kept_is_settled_without_running(chain, flags):
    chain.remote(chain.root.parent / "store", "store")
    chain.define({**STAGES, "first": {**FIRST, "outs": [{"mid": flags}]}})
    there = chain.repro()
    (out,) = chain.lock()["first"].outs
    ignored = chain.read(".gitignore").split()
    again = chain.repro()
    chain.define(STAGES)
    back = chain.repro()

    assert set(there.actions.values()) == set(back.actions.values()) == {"skip"}
    assert there.ran == again.ran == back.ran == []
    assert {key: getattr(out, key) for key in flags} == flags
    assert (b"/mid" in ignored) is flags.get("cache", True)
    assert chain.lock()["first"].outs[0] == out._replace(cache=True, push=True, remote=None)
    assert b"/mid" in chain.read(".gitignore").split()
    assert "stages" not in chain.status()


def test_an_output_that_is_taken_out_is_settled_without_running(chain):
    two = copies("first", ["in"], "mid")
    two["cmd"] += "; echo > side"
    chain.define({**STAGES, "first": {**two, "outs": ["mid", "side"]}})
    chain.repro()
    chain.define({**STAGES, "first": two})

    found = chain.repro()

    assert found.ran == []
    assert [out.path for out in chain.lock()["first"].outs] == ["mid"]
    assert b"/side" not in chain.read(".gitignore").split()
    assert chain.read("side") == b"\n"


def test_a_stage_that_was_renamed_or_moved_finds_its_results_again(chain):
    chain.define({"uno": FIRST, "second": SECOND})
    renamed = chain.repro()
    chain.define({"second": SECOND})
    moved = {**FIRST, "wdir": ".."}
    chain.define({"uno": moved}, folder="sub")
    elsewhere = chain.repro("-P")

    assert renamed.actions == {"uno": "restore", "second": "skip"}
    assert elsewhere.actions == {"sub/datavc.yaml:uno": "restore", "second": "skip"}
    assert renamed.ran == elsewhere.ran == []
    assert set(chain.lock()) == {"second"}
    assert set(chain.lock("sub")) == {"uno"}
    assert b"/mid" in chain.read(".gitignore").split()
    assert "stages" not in chain.status()


def test_an_output_that_another_stage_takes_over_stays_ignored(chain):
    """In whatever order the two are recorded."""
    took = {"cmd": noting("took", "cat in > mid"), "deps": ["in"], "outs": ["mid"]}
    first = {"cmd": noting("first", "sleep 0.3; cp mid new"), "deps": ["mid"], "outs": ["new"]}
    chain.define({"took": took, "first": first})

    assert chain.repro().ran == ["took", "first"]
    assert sorted(chain.read(".gitignore").split()) == [b"/mid", b"/new"]
    assert chain.repro().ran == []


def test_what_a_removed_stage_made_is_the_users_and_can_be_tracked(chain):
    chain.define({"first": FIRST})
    found = chain.repro()
    ignored = chain.read(".gitignore").split()
    chain.do("add", "end")

    assert found.ran == []
    assert set(chain.lock()) == {"first"}
    assert ignored == [b"/mid"]
    assert chain.read("end") == b"one\n"
    assert chain.repro().actions == {"first": "skip"}
    assert b"/end" in chain.read(".gitignore").split()


def test_a_missing_output_comes_from_the_cache_or_is_made_again(chain):
    chain.remove("mid", "end")
    restored = chain.repro()
    chain.remove("mid", "end")
    chain.lose()
    made = chain.repro()

    assert restored.actions == {"first": "restore", "second": "restore"}
    assert restored.ran == []
    assert restored.reasons["first"] == [{"changed outs": {"mid": "deleted"}}]
    assert made.ran == ["first", "second"]
    assert chain.read("end") == b"one\n"


def test_an_output_edited_by_hand_is_saved_then_restored_and_undo_knows_it(chain):
    chain.write("mid", "mine\n")

    found = chain.repro()
    restored = chain.read("mid")
    chain.do("undo")

    assert found.actions == {"first": "restore", "second": "skip"}
    assert restored == b"one\n"
    assert "mid was not as first had made it" in found.done.stderr
    assert "`datavc undo`" in found.done.stderr
    assert chain.read("mid") == b"mine\n"


def test_an_output_edited_by_hand_is_saved_before_the_stage_runs(chain):
    chain.write("mid", "mine\n")
    chain.write("in", "two\n")

    found = chain.repro()
    chain.do("undo")

    assert found.ran == ["first", "second"]
    assert "`datavc undo`" in found.done.stderr
    assert chain.read("mid") == b"mine\n"


def test_a_file_that_lies_where_an_output_goes_is_saved_before_the_first_run(tmp_path):
    work = Pipelines(tmp_path / "work")
    work.lay({"in": "one\n", "mid": "mine\n", "params.yaml": "lr: 1\n"})
    work.define(STAGES)

    found = work.repro()
    work.do("undo")
    mine = work.read("mid")
    work.repro()
    again = work.repro("-f")

    assert "mid was not as first had made it" in found.done.stderr
    assert mine == b"mine\n"
    assert "undo" not in again.done.stderr


def test_a_run_that_replaced_nothing_of_the_users_is_the_last_command_all_the_same(chain):
    chain.do("add", "in")
    quiet = chain.repro("-f")

    refused = chain.do("undo", code=1)

    assert "undo" not in quiet.done.stderr
    assert "repro" in refused.stderr
    assert chain.read("in.datavc")


def test_an_edit_that_the_cache_has_already_is_told_and_taken_back(chain):
    chain.lay({"copy": "my mid\n"})
    chain.do("add", "copy")
    chain.lay({"mid": "my mid\n", "in": "other\n"})

    found = chain.repro()
    chain.do("undo")

    assert "mid was not as first had made it" in found.done.stderr
    assert chain.read("mid") == b"my mid\n"


def test_undo_takes_back_all_that_one_run_replaced(chain):
    chain.lay({"mid": "my mid\n", "end": "my end\n"})

    found = chain.repro()
    chain.do("undo")

    assert found.actions == {"first": "restore", "second": "restore"}
    assert (chain.read("mid"), chain.read("end")) == (b"my mid\n", b"my end\n")


def test_undo_after_a_mixed_run_brings_back_the_users_own(chain):
    folder = {"cmd": noting("folder", "mkdir -p d; cp in d/a"), "deps": ["in"], "outs": ["d"]}
    chain.define({**STAGES, "folder": folder})
    chain.repro()
    chain.lay({"mid": "my mid\n", "d/a": "my a\n", "d/b": "my b\n", "end": "my end\n"})
    chain.write("params.yaml", "lr: 2\n")

    found = chain.repro()
    made = (chain.tree("d"), chain.read("end"))
    chain.do("undo")

    assert found.actions == {"first": "restore", "second": "run", "folder": "restore"}
    assert made == ({"a": b"one\n"}, b"one\n")
    assert chain.tree("d") == {"a": b"my a\n", "b": b"my b\n"}
    assert (chain.read("mid"), chain.read("end")) == (b"my mid\n", b"my end\n")


def test_a_lost_lock_is_written_again_from_the_run_cache(chain):
    lock = chain.read("datavc.lock")
    chain.remove("datavc.lock")

    found = chain.repro()

    assert found.ran == []
    assert found.actions == {"first": "restore", "second": "restore"}
    assert chain.read("datavc.lock") == lock


def test_one_stage_taken_out_of_the_lock_by_hand_is_remembered(chain):
    lock = chain.read("datavc.lock")
    chain.write("datavc.lock", lock.replace(b'"first"', b'"gone"'))

    found = chain.repro()

    assert found.actions == {"first": "restore", "second": "skip"}
    assert chain.read("datavc.lock") == lock


def test_a_lock_edited_by_hand_is_compared_as_it_is(chain):
    lock = chain.read("datavc.lock")
    digest = chain.lock()["second"].deps[0].digest
    head, _, tail = lock.rpartition(b'"second"')
    edited = tail.replace(digest.encode(), b"blake3:" + b"0" * 64, 1)
    chain.write("datavc.lock", head + b'"second"' + edited)

    found = chain.repro()

    assert found.actions == {"first": "skip", "second": "restore"}
    assert found.reasons["second"] == [{"changed deps": {"mid": "modified"}}]
    assert chain.read("datavc.lock") == lock


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_a_folder_around_outputs_that_its_command_makes_is_settled_at_once(tmp_path, jobs):
    """What Git is told of the outputs there is no change of the folder while others read it."""
    work = Pipelines(tmp_path / "work")
    maker = {"cmd": noting("maker", "mkdir -p d; cp in d/x"), "deps": ["in"], "outs": ["d/x"]}
    reader = {"cmd": noting("reader", "sleep 0.4; cat d/x > y"), "deps": ["d"], "outs": ["y"]}
    work.define({"maker": maker, "reader": reader})
    work.write("in", "one\n")

    first, second = work.repro(jobs), work.repro(jobs)
    work.remove("d", "y", "datavc.lock")
    restored, last = work.repro(jobs), work.repro(jobs)

    assert first.ran == ["maker", "reader"]
    assert second.ran == last.ran == restored.ran == []
    assert set(restored.actions.values()) == {"restore"}
    assert work.read("d/.gitignore") == b"/x\n"


def test_git_is_told_of_all_outputs_of_a_new_folder_at_once(tmp_path):
    work = Pipelines(tmp_path / "work")
    one = {"cmd": "mkdir -p d; echo 1 > d/1", "outs": ["d/1"]}
    two = {"cmd": "cp d/.gitignore d/2", "deps": ["d/1"], "outs": ["d/2"]}
    work.define({"one": one, "two": two})

    work.repro()

    assert work.read("d/2") == work.read("d/.gitignore") == b"/1\n/2\n"
