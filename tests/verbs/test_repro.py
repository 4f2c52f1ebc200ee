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
