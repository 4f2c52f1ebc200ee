"""remove: tracking ends; data goes only when it is asked for and saved."""

from __future__ import annotations

import pytest

from datavc.core.errors import FormatError, PathError, UnsavedChanges
from datavc.verbs.remove import RemoveOptions, RemoveResult, remove
from tests.support.repo import RepoBuilder
from tests.support.work import Work


def drop(work: Work, *targets: str, **options: bool) -> RemoveResult:
    return remove(work.repo(), targets, RemoveOptions(**options))


@pytest.fixture
def tracking(work: Work) -> Work:
    """Return a project that tracks a directory and a file."""
    work.write("d/sub/one", "1")
    work.write("d/two", "2")
    work.write("data/x.csv", "x")
    work.write("data/.gitignore", "# mine\n")
    work.add("d", "data/x.csv")
    return work


@pytest.mark.parametrize("name", ["data/x.csv", "data/x.csv.datavc"])
def test_pointer_and_ignore_line_go_and_the_data_stays(tracking: Work, name: str) -> None:
    result = drop(tracking, name)

    assert result.outputs == ["data/x.csv"] and result.visible == ["data/x.csv"]
    assert tracking.read("data/x.csv") == b"x"
    assert tracking.read("data/.gitignore") == b"# mine\n"
    assert not (tracking.root / "data/x.csv.datavc").exists()
    assert tracking.repo().placed.outputs() == ["d"]


def test_data_that_is_tracked_no_more_is_not_taken_away_by_a_checkout(tracking: Work) -> None:
    drop(tracking, "d")

    tracking.checkout()

    assert tracking.read("d/two") == b"2"


def test_outs_deletes_saved_data_with_its_folders_but_not_what_is_ignored(tracking: Work) -> None:
    tracking.write(".datavcignore", "*.tmp\n")
    tracking.write("d/note.tmp", "private")

    result = drop(tracking, "d", "data/x.csv", outs=True)

    assert len(result.deleted) == 3 and result.bytes == 3
    assert tracking.tree("d") == {"note.tmp": b"private"}
    assert not (tracking.root / "d/sub").exists()
    assert not (tracking.root / "data/x.csv").exists()


def test_outs_refuses_unsaved_changes_and_changes_nothing(tracking: Work) -> None:
    tracking.write("d/new", "n")
    before = tracking.tree()

    with pytest.raises(UnsavedChanges, match="d/new would be lost"):
        drop(tracking, "data/x.csv", "d", outs=True)

    assert tracking.tree() == before


def test_force_saves_what_it_deletes(tracking: Work) -> None:
    tracking.write("d/new", "n")

    drop(tracking, "d", outs=True, force=True)

    assert not (tracking.root / "d").exists()
    (operation,) = [o for o in tracking.repo().journal.operations() if o.command == "remove"]
    assert not tracking.repo().objects.missing(set(operation.digests()))
    assert "d/new" in {change.path for change in operation.changes}


def test_an_empty_directory_goes_with_outs(work: Work) -> None:
    (work.root / "hollow").mkdir()
    work.add("hollow")

    drop(work, "hollow", outs=True)

    assert not (work.root / "hollow").exists()


def test_one_bad_target_changes_nothing(tracking: Work) -> None:
    before = tracking.tree()

    with pytest.raises(PathError, match="no tracked output train"):
        drop(tracking, "d", "train")
    with pytest.raises(PathError, match="d/two is a part of d"):
        drop(tracking, "data/x.csv", "d/two")

    assert tracking.tree() == before


def test_a_pointer_that_cannot_be_read_is_no_reason_to_delete(tracking: Work) -> None:
    tracking.write("d.datavc", "")

    with pytest.raises(FormatError, match=r"d\.datavc"):
        drop(tracking, "d", outs=True)

    assert tracking.read("d/two") == b"2"


def test_a_bad_pointer_elsewhere_is_named_in_a_warning(tracking: Work) -> None:
    tracking.write("bad.datavc", "")

    result = drop(tracking, "d")

    assert result.outputs == ["d"] and "bad.datavc" in result.warnings[0]


def test_a_dry_run_lists_and_deletes_nothing(tracking: Work) -> None:
    before = tracking.tree()

    result = drop(tracking, "d", outs=True, dry_run=True)

    assert result.deleted == ["d/sub/one", "d/two"]
    assert tracking.tree() == before


def test_removals_are_staged_where_autostage_is_on(tracking: Work) -> None:
    tracking.git("add", "--all")
    tracking.git("commit", "-qm", "v1")
    tracking.settings["core.autostage"] = "true"

    drop(tracking, "d")

    assert "D  d.datavc" in tracking.git("status", "--short").stdout.splitlines()


def test_the_command_says_that_git_sees_the_data_now(repo: RepoBuilder) -> None:
    repo.write("x.csv", "x")
    repo.run("add", "x.csv")

    said = repo.run("rm", "x.csv").stdout

    assert "Stopped tracking x.csv" in said and "ordinary path for Git" in said
    assert "?? x.csv" in repo.git("status", "--short").stdout
