"""move: data, pointer, ignore line and what is remembered take a new name together."""

from __future__ import annotations

import os

import pytest

from datavc.core.errors import DatavcError
from datavc.repo import pointers
from datavc.verbs import move as moving
from datavc.verbs.move import MoveResult, move
from datavc.verbs.undo import undo
from tests.support.repo import RepoBuilder
from tests.support.work import Work


def rename(work: Work, source: str, target: str, **options: bool) -> MoveResult:
    return move(work.repo(), source, target, **options)


@pytest.fixture
def tracking(work: Work) -> Work:
    """Return a project that tracks a directory and a file, with a comment in a pointer."""
    work.write("d/one", "1")
    work.write("x.csv", "x")
    work.add("d", "x.csv")
    work.write("x.csv.datavc", work.read("x.csv.datavc") + b"# kept\n")
    return work


def test_a_file_moves_with_its_pointer_and_ignore_line(tracking: Work) -> None:
    inode = os.stat(tracking.root / "x.csv").st_ino

    result = rename(tracking, "x.csv", "data/y.csv")

    assert result.new == "data/y.csv" and result.data
    assert os.stat(tracking.root / "data/y.csv").st_ino == inode
    text = tracking.read("data/y.csv.datavc").decode()
    assert "path: y.csv\n" in text and text.endswith("# kept\n")
    assert tracking.read("data/.gitignore") == b"/y.csv\n"
    assert tracking.read(".gitignore") == b"/d/\n"
    assert not (tracking.root / "x.csv.datavc").exists()
    assert "uncommitted" not in tracking.status() and "not_fetched" not in tracking.status()


@pytest.mark.parametrize("target", ["data", "data/", "new/"])
def test_a_folder_as_the_target_takes_it_in(tracking: Work, target: str) -> None:
    (tracking.root / "data").mkdir()

    result = rename(tracking, "d.datavc", target)

    assert result.new == f"{target.rstrip('/')}/d"
    assert tracking.read(f"{result.new}/one") == b"1"
    assert tracking.repo().placed.outputs() == [result.new, "x.csv"]
    assert "uncommitted" not in tracking.status()


def test_a_directory_moves_without_being_read_again(tracking: Work) -> None:
    past = 1_600_000_000
    os.utime(tracking.root / "d/one", (past, past))
    tracking.status()

    rename(tracking, "d", "e")

    cached = tracking.repo().stat_cache.load("e", "one")
    assert cached is not None and cached.leaf


def test_data_that_is_not_here_leaves_its_pointer_to_move_alone(tracking: Work) -> None:
    (tracking.root / "x.csv").unlink()

    result = rename(tracking, "x.csv", "y.csv")

    assert not result.data
    assert (tracking.root / "y.csv.datavc").exists()
    assert not (tracking.root / "y.csv").exists()


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("x.csv", "d/x.csv", "lies inside d"),
        ("x.csv", "d", "lies inside d|exists"),
        ("x.csv", "there", "nothing is overwritten"),
        ("x.csv", "x.csv", "exists"),
        ("d", "d/inner", "lies inside d"),
        ("d/one", "one", "part of d"),
        ("nope", "y", "no tracked output nope"),
        ("x.csv", "../y", "outside the project"),
        ("x.csv", "y.tmp", r"ignored by \.datavcignore:1"),
        ("x.csv", "hidden/y", "Git ignores hidden/y.datavc"),
        ("x.csv", "there/y", "is a file"),
        ("x.csv", "gone.py", "tracked by Git"),
    ],
)
def test_a_place_that_cannot_be_is_refused_and_nothing_changes(
    tracking: Work, source: str, target: str, why: str
) -> None:
    tracking.write(".datavcignore", "*.tmp\n")
    tracking.write("there", "mine")
    tracking.write("gone.py", "1")
    tracking.git("add", "gone.py")
    (tracking.root / "gone.py").unlink()
    tracking.write(".gitignore", tracking.read(".gitignore") + b"/hidden/\n")
    before = tracking.tree()

    with pytest.raises(DatavcError, match=why):
        rename(tracking, source, target)

    assert tracking.tree() == before


def test_a_dry_run_moves_nothing(tracking: Work) -> None:
    before = tracking.tree()

    assert rename(tracking, "d", "e", dry_run=True).new == "e"

    assert tracking.tree() == before


@pytest.mark.parametrize("killed_at", ["carry_records", "rename_data", "withdraw", "stage"])
def test_a_move_that_was_killed_is_finished_by_the_same_command(
    tracking: Work, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(moving, killed_at, die)
        with pytest.raises(KeyboardInterrupt):
            rename(tracking, "d", "e")
    if (tracking.root / "d.datavc").exists():
        rename(tracking, "d", "e")

    assert tracking.tree("e") == {"one": b"1"}
    assert not (tracking.root / "d").exists() and not (tracking.root / "d.datavc").exists()
    assert tracking.read(".gitignore") == b"/x.csv\n/e/\n"
    assert "uncommitted" not in tracking.status()
    undo(tracking.repo())
    assert tracking.tree("d") == {"one": b"1"}


def test_a_move_killed_before_the_old_pointer_went_is_finished(
    tracking: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pointers.remove

    def die(root: str, path: str) -> bool:
        if path == "d.datavc":
            raise KeyboardInterrupt
        return real(root, path)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(pointers, "remove", die)
        with pytest.raises(KeyboardInterrupt):
            rename(tracking, "d", "e")

    rename(tracking, "d", "e")

    assert tracking.tree("e") == {"one": b"1"}
    assert not (tracking.root / "d.datavc").exists()


def test_undo_brings_the_old_name_back(tracking: Work) -> None:
    before = tracking.tree()
    rename(tracking, "d", "data/e")
    tracking.write("data/e/one", "edited since")

    undo(tracking.repo())

    after = tracking.tree()
    assert sorted(after.pop(".gitignore").splitlines()) == [b"/d/", b"/x.csv"]
    before.pop(".gitignore")
    assert after == before | {"d/one": b"edited since"}
    assert tracking.status()["uncommitted"] == {"modified": ["d/"]}


def test_git_sees_a_renamed_pointer(repo: RepoBuilder) -> None:
    repo.write("x.csv", "x")
    repo.run("add", "x.csv")
    repo.commit("v1")

    said = repo.run("mv", "x.csv", "sub/").stdout

    assert "Moved x.csv to sub/x.csv" in said
    repo.git("add", "--all")
    assert "x.csv.datavc -> sub/x.csv.datavc" in repo.git("status", "--short").stdout
