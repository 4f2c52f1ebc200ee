"""undo: the last operation is taken back if all is as it left it; else nothing happens."""

from __future__ import annotations

import json
import os

import pytest

from datavc.core.errors import DataError, DatavcError, UnsavedChanges
from datavc.repo.journal import Journal
from datavc.verbs import undo as verb
from datavc.verbs.commit import CommitOptions, commit
from datavc.verbs.remove import RemoveOptions, remove
from datavc.verbs.undo import UndoResult, operations, undo
from tests.support.repo import RepoBuilder
from tests.support.work import Work


def back(work: Work, *, dry_run: bool = False) -> UndoResult:
    return undo(work.repo(), dry_run=dry_run)


@pytest.fixture
def tracking(work: Work) -> Work:
    """Return a project with a tracked directory and file, committed as v1."""
    work.version({"d/one": "1", "d/sub/two": "2", "x.csv": "x"}, "v1")
    return work


def test_an_add_is_taken_back_and_the_data_stays(work: Work) -> None:
    before = work.tree()
    work.write("x.csv", "x")
    work.add("x.csv")

    result = back(work)

    assert result.pointers == ["x.csv.datavc"]
    assert work.tree() == before | {"x.csv": b"x"}
    assert not work.repo().placed.outputs() and not work.repo().journal.ids()


def test_a_second_undo_goes_one_further_back(tracking: Work) -> None:
    first = tracking.read("x.csv.datavc")
    tracking.write("x.csv", "y")
    tracking.add("x.csv")
    second = tracking.read("x.csv.datavc")
    tracking.write("x.csv", "z")
    commit(tracking.repo(), (), CommitOptions(force=True))

    back(tracking)
    assert tracking.read("x.csv.datavc") == second
    back(tracking)
    assert tracking.read("x.csv.datavc") == first
    assert tracking.status()["uncommitted"] == {"modified": ["x.csv"]}


def test_files_that_a_checkout_replaced_placed_and_deleted_come_back(tracking: Work) -> None:
    tracking.version({"d/one": "new", "d/three": "3"}, "v2")
    tracking.remove("d/sub")
    tracking.add("d")
    tracking.write("d/one", "never added")
    before = tracking.tree("d")
    tracking.checkout("d", rev="v1", force=True)
    assert tracking.tree("d") == {"one": b"1", "sub/two": b"2"}

    result = back(tracking)

    assert tracking.tree("d") == before
    assert result.restored == ["d/one", "d/three"] and result.deleted == ["d/sub/two"]
    assert not (tracking.root / "d/sub").exists()


def test_a_checkout_of_several_outputs_is_one_operation(tracking: Work) -> None:
    tracking.version({"d/one": "new", "x.csv": "y"}, "v2")
    before = tracking.tree()
    known = len(operations(tracking.repo()).operations)
    tracking.checkout(rev="v1")
    assert tracking.read("d/one") == b"1" and tracking.read("x.csv") == b"x"
    assert len(operations(tracking.repo()).operations) == known + 1

    result = back(tracking)

    assert result.restored == ["d/one", "x.csv"] and result.operation.files == 2
    assert tracking.tree() == before
    assert len(operations(tracking.repo()).operations) == known


def test_removed_data_comes_back_with_pointer_and_ignore_line(tracking: Work) -> None:
    tracking.write("d/new", "unsaved")
    (tracking.root / "d/link").symlink_to("one")
    (tracking.root / "d/hollow").mkdir()
    (tracking.root / "d/one").chmod(0o755)
    before = tracking.tree()
    remove(tracking.repo(), ["d", "x.csv"], RemoveOptions(outs=True, force=True))
    assert not (tracking.root / "d").exists()

    back(tracking)

    assert tracking.tree() == before
    assert os.readlink(tracking.root / "d/link") == "one"
    assert (tracking.root / "d/hollow").is_dir()
    assert os.access(tracking.root / "d/one", os.X_OK)
    assert tracking.git("check-ignore", "d/one", "x.csv").stdout == "d/one\nx.csv\n"


def test_what_changed_since_is_named_and_nothing_is_touched(tracking: Work) -> None:
    tracking.checkout("d", rev="v1")
    tracking.version({"d/one": "2"}, "v2")
    tracking.checkout("d", rev="v1")
    tracking.write("d/one", "edited")
    before = tracking.tree()

    with pytest.raises(UnsavedChanges, match="d/one") as caught:
        back(tracking)

    assert caught.value.exit_code == 1
    assert tracking.tree() == before


def test_a_pointer_that_git_moved_is_not_written_over(tracking: Work) -> None:
    tracking.version({"x.csv": "y"}, "v2")
    tracking.git("checkout", "-q", "v1")

    assert not back(tracking).pointers  # it is as before that add already
    tracking.write("x.csv.datavc", tracking.read("x.csv.datavc") + b"# edited\n")
    with pytest.raises(UnsavedChanges, match=r"x\.csv\.datavc"):
        back(tracking)


def test_bytes_that_are_gone_stop_it_before_anything_changes(tracking: Work) -> None:
    remove(tracking.repo(), ["d"], RemoveOptions(outs=True))
    tracking.lose(tracking.digest(b"2"))

    with pytest.raises(DataError, match="d/sub/two cannot be brought back"):
        back(tracking)

    assert not (tracking.root / "d").exists() and not (tracking.root / "d.datavc").exists()


def test_bytes_that_undo_deletes_are_saved_first(tracking: Work) -> None:
    tracking.version({"x.csv": "y"}, "v2")
    tracking.checkout("x.csv", rev="v1")
    tracking.lose(tracking.digest(b"x"))

    back(tracking)

    assert tracking.read("x.csv") == b"y"
    assert tracking.object(b"x").read_bytes() == b"x"


@pytest.mark.parametrize("killed_at", ["publishing", "note_placed", "stage"])
def test_an_undo_that_was_killed_is_finished_by_the_next(
    tracking: Work, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    before = tracking.tree()
    remove(tracking.repo(), ["d", "x.csv"], RemoveOptions(outs=True))

    with monkeypatch.context() as patch:
        patch.setattr(verb, killed_at, None)
        with pytest.raises((TypeError, AttributeError)):
            back(tracking)
    back(tracking)

    assert tracking.tree() == before
    assert "uncommitted" not in tracking.status()


def test_a_dry_run_says_what_and_changes_nothing(tracking: Work) -> None:
    remove(tracking.repo(), ["d"], RemoveOptions(outs=True))
    before = tracking.tree()

    result = back(tracking, dry_run=True)

    assert result.pointers == ["d.datavc"] and result.restored == ["d/one", "d/sub/two"]
    assert tracking.tree() == before and len(tracking.repo().journal.ids()) == 2


def test_the_list_is_newest_first_with_files_and_bytes(tracking: Work) -> None:
    remove(tracking.repo(), ["d"], RemoveOptions(outs=True))

    newest, oldest = operations(tracking.repo()).operations

    assert (newest.command, newest.files, newest.bytes) == ("remove", 2, 2)
    assert (oldest.command, oldest.files, oldest.bytes) == ("add", 3, 3)
    assert newest.time >= oldest.time and newest.id > oldest.id


def test_nothing_to_take_back_and_a_damaged_record_are_said(work: Work) -> None:
    with pytest.raises(DatavcError, match="no operation"):
        back(work)
    folder = work.root / ".datavc/ops"
    folder.mkdir()
    (folder / "001-a.jsonl").write_text("{")
    with pytest.raises(DatavcError, match="cannot be read"):
        back(work)
    assert Journal(str(folder)).operations() == []


def test_an_operation_expires(tracking: Work) -> None:
    tracking.settings["core.undo_days"] = "0"

    assert operations(tracking.repo()).operations == ()
    with pytest.raises(DatavcError, match="no operation"):
        back(tracking)


def test_a_file_deleted_before_an_add_that_was_undone_is_kept_by_the_next(tracking: Work) -> None:
    tracking.remove("d/one")
    tracking.add("d")

    back(tracking)

    status = tracking.status(granular=True)
    assert status["not_fetched"] == ["d/one"] and "uncommitted" not in status
    tracking.checkout()
    assert tracking.read("d/one") == b"1"


def test_the_command_lists_and_takes_back(repo: RepoBuilder) -> None:
    repo.write("x.csv", "x")
    repo.run("add", "x.csv")

    (found,) = json.loads(repo.run("undo", "--list", "--json").stdout)
    said = repo.run("undo").stdout
    empty = repo.run("undo", check=False)

    assert set(found) == {"id", "time", "command", "files", "bytes"}
    assert "Took back `datavc add`" in said
    assert empty.code == 1 and "no operation" in empty.stderr


def test_taking_back_an_add_that_git_has_warns_of_what_git_will_see(work: Work) -> None:
    work.version({"d/a": b"a"}, "v1")

    result = undo(work.repo())

    assert any("d.datavc is in Git already" in warning for warning in result.warnings)
