"""Writes of the workspace stay inside it, and touch nothing that the plan did not know of."""

import os
from pathlib import Path
from typing import Any

import pytest

from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT
from datavc.core.tree import EMPTY_DIRECTORY, EXECUTABLE, FILE, LINK, TreeEntry
from datavc.repo.walk import stat_key
from datavc.repo.workspace import Applied, Step, WorkspaceWriter
from datavc.store.links import Placer
from tests.support.work import Work

TYPES = ["copy", "reflink", "hardlink", "symlink"]


@pytest.fixture
def work(tmp_path: Path) -> Work:
    made = Work(tmp_path / "work")
    made.version({"d/a": b"new", "f": b"new"}, "v1")
    made.remove("d", "f")
    return made


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that nothing may write to."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "a").write_bytes(b"theirs")
    return folder


def untouched(outside: Path) -> bool:
    return {p.name: p.read_bytes() for p in outside.iterdir()} == {"a": b"theirs"}


def entry(work: Work, flags: int = FILE, content: str = "") -> TreeEntry:
    return TreeEntry(RepoPath("a"), content or work.digest(b"new"), 3, flags)


def apply(work: Work, *steps: Step, kind: str = "copy", output: str = "d") -> Applied:
    repo = work.repo()
    placer = Placer(repo.objects, repo.layout.tmp, (kind,))
    with WorkspaceWriter(repo.root, placer, SILENT) as writer:
        return writer.apply(steps, RepoPath(output))


def now(work: Work, path: str) -> tuple:
    return stat_key("", os.lstat(work.root / path))


@pytest.mark.parametrize("kind", TYPES)
def test_a_link_above_an_output_leads_no_write_outside(work: Work, outside: Path, kind) -> None:
    (work.root / "up").symlink_to(outside)

    done = apply(work, Step(RepoPath("up/a"), entry(work), None), kind=kind, output="up/a")

    assert untouched(outside)
    assert [(f.path, f.digest) for f in done.failures] == [("up/a", "")]
    assert "link" in done.failures[0].message


@pytest.mark.parametrize("kind", TYPES)
def test_a_link_in_place_of_an_output_leads_no_write_outside(
    work: Work, outside: Path, kind: str
) -> None:
    (work.root / "d").symlink_to(outside)
    (work.root / "f").symlink_to(outside / "a")
    work.settings = {"cache.type": kind}

    for options in ({}, {"force": True}):
        work.checkout(**options)
        assert untouched(outside)
    assert work.read("f") == b"new" and not (work.root / "d").is_symlink()
    assert work.tree("d") == {"a": b"new"}


def test_a_link_inside_a_directory_leads_no_write_outside(work: Work, outside: Path) -> None:
    work.version({"d/sub/a": b"new"}, "v2")
    work.remove("d/sub")
    (work.root / "d/sub").symlink_to(outside)

    done = work.checkout()

    assert untouched(outside)
    assert done.exit_code == 3
    work.checkout(force=True)
    assert untouched(outside)
    assert work.read("d/sub/a") == b"new"


def test_a_link_above_leads_no_deletion_outside(work: Work, outside: Path) -> None:
    (work.root / "up").symlink_to(outside)
    old = stat_key("", os.lstat(outside / "a"))

    done = apply(work, Step(RepoPath("up/a"), None, old), output="up")

    assert untouched(outside)
    assert len(done.failures) == 1


def test_a_link_of_a_cloned_repository_above_a_pointer_is_not_followed(
    work: Work, outside: Path
) -> None:
    work.lay({"sub/x": b"x"})
    work.add("sub/x")
    work.remove("sub/x")
    (work.root / "sub").rename(work.root / "real")
    (work.root / "sub").symlink_to(outside)
    work.git("add", "-A")

    for options in ({}, {"force": True}, {"discard": True}):
        work.checkout(**options)
        assert untouched(outside)


def test_a_hard_link_to_a_file_outside_is_replaced_not_written_through(
    work: Work, outside: Path
) -> None:
    os.link(outside / "a", work.root / "f")

    assert work.checkout("f", force=True).exit_code == 0

    assert untouched(outside)
    assert work.read("f") == b"new"


def test_an_edit_between_plan_and_step_is_left_alone(work: Work) -> None:
    work.lay({"d/a": b"old", "d/b": b"old"})
    steps = [
        Step(RepoPath("d/a"), entry(work), now(work, "d/a")),
        Step(RepoPath("d/b"), None, now(work, "d/b")),
    ]
    for path in ("d/a", "d/b"):
        (work.root / path).write_bytes(b"edited meanwhile")

    done = apply(work, *steps)

    assert work.tree("d") == {"a": b"edited meanwhile", "b": b"edited meanwhile"}
    assert [failure.path for failure in done.failures] == ["d/a", "d/b"]
    assert "changed while the command ran" in done.failures[0].message


def test_a_file_that_appeared_between_plan_and_step_is_left_alone(work: Work) -> None:
    step = Step(RepoPath("d/a"), entry(work), None)
    work.write("d/a", b"appeared")

    done = apply(work, step)

    assert work.read("d/a") == b"appeared"
    assert len(done.failures) == 1


def test_a_file_that_went_away_between_plan_and_step_is_no_trouble(work: Work) -> None:
    work.lay({"d/a": b"old", "d/b": b"old"})
    steps = [
        Step(RepoPath("d/a"), entry(work), now(work, "d/a")),
        Step(RepoPath("d/b"), None, now(work, "d/b")),
    ]
    work.remove("d")

    done = apply(work, *steps)

    assert done.failures == []
    assert work.tree("d") == {"a": b"new"}


@pytest.mark.parametrize("kind", TYPES)
def test_no_temporary_file_is_left(work: Work, kind: str) -> None:
    work.write("d/mine", b"mine")

    apply(
        work,
        Step(RepoPath("d/a"), entry(work), None),
        Step(RepoPath("d/mine/x"), entry(work), None),
        Step(RepoPath("d/b"), entry(work, content="blake3:" + "0" * 64), None),
        kind=kind,
    )

    assert os.listdir(work.root / "d") in (["a", "mine"], ["mine", "a"])
    assert os.listdir(work.repo().layout.tmp) == []


def test_kinds_replace_each_other(work: Work) -> None:
    link = entry(work, LINK, "elsewhere")
    empty = TreeEntry(RepoPath("a"), "", 0, EMPTY_DIRECTORY)
    plain, run = entry(work), entry(work, EXECUTABLE)
    for new in (plain, link, run, empty, plain, empty, link, empty, run, link):
        exists = os.path.lexists(work.root / "d/a")
        old = now(work, "d/a") if exists else None
        if exists and (work.root / "d/a").is_dir() and not (work.root / "d/a").is_symlink():
            old = ("", 0, 0, 0, 0)
        assert apply(work, Step(RepoPath("d/a"), new, old)).failures == []
        file = work.root / "d/a"
        if new is empty:
            assert file.is_dir() and not file.is_symlink()
        elif new is link:
            assert os.readlink(file) == "elsewhere"
        else:
            assert file.read_bytes() == b"new" and os.access(file, os.X_OK) is (new is run)


def test_folders_that_become_empty_go_up_to_the_output(work: Work) -> None:
    work.lay({"sub/d/x/y/a": b"new", "sub/d/keep": b"k"})

    apply(work, Step(RepoPath("sub/d/x/y/a"), None, now(work, "sub/d/x/y/a")), output="sub/d")
    assert not (work.root / "sub/d/x").exists()
    apply(work, Step(RepoPath("sub/d/keep"), None, now(work, "sub/d/keep")), output="sub/d")
    assert (work.root / "sub").is_dir() and not (work.root / "sub/d").exists()


class SlowPlacer(Placer):
    """Copies an object for so long that somebody else writes meanwhile."""

    def __init__(self, work: Work, meanwhile: Path, kind: str) -> None:
        repo = work.repo()
        super().__init__(repo.objects, repo.layout.tmp, (kind,))
        self._meanwhile = meanwhile

    def place(self, *arguments: Any) -> os.stat_result:
        """Change the file after the first look at it, before anything takes its place."""
        self._meanwhile.write_bytes(b"an edit")
        return super().place(*arguments)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("before", [b"old", None])
def test_an_edit_made_while_the_new_file_is_copied_is_left_alone(
    work: Work, kind: str, before: bytes | None
) -> None:
    work.lay({"d/other": b"other"} if before is None else {"d/a": before})
    old = None if before is None else now(work, "d/a")
    repo, file = work.repo(), work.root / "d/a"

    with WorkspaceWriter(repo.root, SlowPlacer(work, file, kind), SILENT) as writer:
        done = writer.apply([Step(RepoPath("d/a"), entry(work), old)], RepoPath("d"))

    assert file.read_bytes() == b"an edit"
    assert [failure.path for failure in done.failures] == ["d/a"]
    assert os.listdir(repo.layout.tmp) == []
