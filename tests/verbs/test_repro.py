"""What counts as a change, row by row: which stages run, which are restored, which rest."""

from __future__ import annotations

import os

import pytest

from tests.support.pipeline import Pipelines, copies, noting


@pytest.fixture
def chain(tmp_path) -> Pipelines:
    """Two stages, one after the other, up to date; the second has parameters and a variable."""
    work = Pipelines(tmp_path / "work")
    work.write("in", "one\n")
    work.write("params.yaml", "lr: 1\nother: x\n")
    work.define(STAGES)
    work.repro()
    return work


FIRST = copies("first", ["in"], "mid")
SECOND = copies("second", ["mid"], "end", params=["lr"])
STAGES = {"first": FIRST, "second": SECOND}
FIRST_REASONS = [
    {"changed deps": {"in": "new"}},
    {"changed outs": {"mid": "deleted"}},
    "never run",
]
SECOND_REASONS = [
    {"changed deps": {"params.yaml": {"lr": "new"}, "mid": "new"}},
    {"changed outs": {"end": "deleted"}},
    "never run",
]


def test_the_first_run_makes_everything_and_the_next_nothing(tmp_path):
    work = Pipelines(tmp_path / "work")
    work.write("in", "one\n")
    work.write("params.yaml", "lr: 1\n")
    work.define(STAGES)

    first, second = work.repro(), work.repro()

    assert first.ran == ["first", "second"]
    assert first.reasons == {"first": FIRST_REASONS, "second": SECOND_REASONS}
    assert work.read("end") == b"one\n"
    assert second.actions == {"first": "skip", "second": "skip"}
    assert second.reasons == {"first": [], "second": []}
    assert sorted(work.read(".gitignore").split()) == [b"/end", b"/mid"]
    assert "stages" not in work.status()


# nothing


def test_new_times_with_the_same_bytes_are_nothing(chain):
    for path in ("in", "mid", "end", "params.yaml", "datavc.yaml"):
        os.utime(chain.root / path, ns=(5, 5))
        chain.write(path, chain.read(path))

    assert set(chain.repro().actions.values()) == {"skip"}


def test_notes_and_a_spelled_out_folder_are_nothing(chain):
    lock = chain.read("datavc.lock")
    noted = {**FIRST, "desc": "d", "meta": {"a": 1}, "wdir": "."}
    noted["outs"] = [{"mid": {"desc": "o", "labels": ["x"], "meta": {"b": 2}, "type": "t"}}]
    chain.define({**STAGES, "first": noted})

    found = chain.repro()

    assert set(found.actions.values()) == {"skip"}
    assert chain.read("datavc.lock") == lock


def test_a_text_and_a_list_of_one_command_are_equal(chain):
    chain.define({**STAGES, "first": {**FIRST, "cmd": [FIRST["cmd"]]}})

    assert set(chain.repro().actions.values()) == {"skip"}


def test_paths_have_one_form_whatever_their_spelling(chain):
    spelled = {**FIRST, "deps": ["./in"], "outs": [".//mid"]}
    chain.define({**STAGES, "first": spelled})

    assert set(chain.repro().actions.values()) == {"skip"}


def test_other_keys_of_a_parameter_file_are_nothing(chain):
    chain.write("params.yaml", "other: y\nmore: 1\nlr: 1\n")

    assert set(chain.repro().actions.values()) == {"skip"}


# inputs


def test_a_changed_command_runs_and_one_that_was_there_is_remembered(chain):
    changed = {**FIRST, "cmd": noting("first", "sed s/one/two/ in > mid")}
    chain.define({**STAGES, "first": changed})
    there = chain.repro()
    chain.define(STAGES)
    back = chain.repro()

    assert there.ran == ["first", "second"]
    assert there.reasons["first"] == ["changed command"]
    assert back.ran == []
    assert back.actions == {"first": "restore", "second": "restore"}
    assert all(one["from_cache"] for one in back.stages.values())
    assert chain.read("end") == b"one\n"


def test_a_changed_dependency_runs_and_bytes_that_were_there_are_remembered(chain):
    chain.write("in", "two\n")
    there = chain.repro()
    chain.write("in", "one\n")
    back = chain.repro()

    assert there.ran == ["first", "second"]
    assert there.reasons["first"] == [{"changed deps": {"in": "modified"}}]
    assert (back.ran, back.actions) == ([], {"first": "restore", "second": "restore"})
    assert (chain.read("mid"), chain.read("end")) == (b"one\n", b"one\n")


def test_what_is_made_again_alike_stops_the_chain(chain):
    changed = {**FIRST, "cmd": noting("first", "cat in in | head -n 1 > mid")}
    chain.define({**STAGES, "first": changed})

    found = chain.repro()

    assert found.ran == ["first"]
    assert found.actions == {"first": "run", "second": "skip"}


@pytest.mark.parametrize("value", ["1.0", "true", "'1'", "2", "[1]", "{a: 1}", "null"])
def test_a_parameter_counts_with_its_type(chain, value):
    chain.write("params.yaml", f"lr: {value}\n")

    found = chain.repro()

    assert found.ran == ["second"]
    assert found.reasons["second"] == [{"changed deps": {"params.yaml": {"lr": "modified"}}}]
    assert chain.repro().ran == []


def test_not_a_number_is_itself(chain):
    chain.write("params.yaml", "lr: .nan\n")

    assert chain.repro().ran == ["second"]
    assert chain.repro().ran == []


def test_a_value_in_a_template_counts_through_the_text_it_makes(chain):
    text = 'stages: {a: {cmd: "%s", outs: [made]}}'
    command = noting("a", "echo ${lr} ${other} > made").replace('"', '\\"')
    chain.write("datavc.yaml", text % command)
    chain.repro()
    chain.write("params.yaml", "lr: 1\nother: 'x'\nmore: 2\n")
    same = chain.repro()
    chain.write("params.yaml", "lr: 1\nother: z\n")
    changed = chain.repro()

    assert same.ran == []
    assert changed.ran == ["a"]
    assert changed.reasons == {"a": ["changed command"]}
    assert chain.read("made") == b"1 z\n"


def test_a_dependency_added_or_taken_out_is_a_change_and_said_so(chain):
    chain.write("extra", "extra\n")
    chain.define({**STAGES, "second": {**SECOND, "deps": ["mid", "extra"]}})
    added = chain.repro()
    chain.define(STAGES)
    chain.do("repro", "--no-run-cache", "--dry-run")
    taken = chain.repro("--no-run-cache")

    assert added.reasons["second"] == [{"changed deps": {"extra": "new"}}]
    assert taken.reasons["second"] == [{"changed deps": {"extra": "no longer declared"}}]
    assert added.ran == taken.ran == ["second"]


def test_a_parameter_added_or_taken_out_is_a_change_and_said_so(chain):
    chain.define({**STAGES, "second": {**SECOND, "params": ["lr", "other"]}})
    added = chain.repro()
    chain.define(STAGES)
    taken = chain.repro()

    assert added.ran == ["second"]
    assert added.reasons["second"] == [{"changed deps": {"params.yaml": {"other": "new"}}}]
    gone = [{"changed deps": {"params.yaml": {"other": "no longer declared"}}}]
    assert taken.reasons["second"] == gone
    assert taken.actions["second"] == "restore"


def test_a_declared_variable_counts_by_its_digest(chain, monkeypatch):
    monkeypatch.setenv("FLAVOUR", "secret-one")
    chain.define({**STAGES, "second": {**SECOND, "env": ["FLAVOUR"]}})
    declared = chain.repro()
    same = chain.repro()
    monkeypatch.setenv("FLAVOUR", "secret-two")
    changed = chain.repro()
    monkeypatch.setenv("FLAVOUR", "secret-one")
    back = chain.repro()
    monkeypatch.delenv("FLAVOUR")
    unset = chain.repro()

    assert declared.reasons["second"] == [{"changed deps": {"$FLAVOUR": "new"}}]
    assert same.ran == []
    assert changed.reasons["second"] == [{"changed deps": {"$FLAVOUR": "modified"}}]
    assert changed.ran == ["second"]
    assert back.actions["second"] == "restore"
    assert unset.ran == ["second"]
    assert b"secret" not in chain.read("datavc.lock")


def test_the_folder_of_a_stage_counts(chain):
    chain.write("sub/in", "sub\n")
    moved = {"cmd": noting("second", "cat in > ../end"), "wdir": "sub", "outs": ["../end"]}
    chain.define({"first": FIRST, "second": moved})
    found = chain.repro()

    assert found.ran == ["second"]
    assert {"changed definition": {"wdir": "modified"}} in found.reasons["second"]
    assert chain.read("end") == b"sub\n"
    assert chain.lock()["second"].wdir == "sub"


# outputs and the definition


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
    quiet = work.repro("-f")
    work.do("undo")

    assert "mid was not as first had made it" in found.done.stderr
    assert "undo" not in quiet.done.stderr
    assert work.read("mid") == b"mine\n"


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
