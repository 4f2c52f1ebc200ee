"""Killed with -9 anywhere: no byte lost, no name of half a file, the same command finishes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tests.crash.conftest import MakeKiller
from tests.support import soundness
from tests.support.kill import DATAVC, NAMING, needs_strace
from tests.support.repo import RepoBuilder
from tests.support.soundness import Files
from tests.support.versions import NO_HOOKS, files, lay, two_versions

OLD, NEW = files(1), files(2)
BOTH = [*OLD.values(), *NEW.values()]


def cache(repo: RepoBuilder) -> Path:
    return repo.root / ".datavc/cache"


def remote(repo: RepoBuilder) -> Path:
    return repo.root.parent / "remote"


def sound(repo: RepoBuilder, versions: Iterable[bytes]) -> None:
    """Check what holds after every kill, whatever was killed."""
    assert soundness.torn(cache(repo)) == []
    assert soundness.dangling(repo.root, cache(repo)) == []
    assert soundness.leftovers(repo.root) == []
    assert soundness.lost(versions, repo.tree("data"), cache(repo)) == 0


def exact(repo: RepoBuilder, version: Files) -> None:
    """Check that pointer, cache and workspace hold one version, and that status agrees."""
    assert repo.tree("data") == version
    names = {path: soundness.name_of(content) for path, content in version.items()}
    assert soundness.recorded(repo.root / "data.datavc", cache(repo)) == names
    assert "uncommitted" not in json.loads(repo.run("status", "--json").stdout)


def switched(repo: RepoBuilder, tag: str) -> None:
    """Move the pointers to another version, and the data not yet."""
    repo.git(*NO_HOOKS, "checkout", "--quiet", tag)


# add


ADD = (*DATAVC, "add", "data")


def changed_since(repo: RepoBuilder) -> None:
    lay(repo, OLD)
    repo.run("add", "--quiet", "data")
    repo.commit("version 1")
    lay(repo, NEW)


def finishes_adding(repo: RepoBuilder) -> None:
    assert repo.tree("data") == NEW
    sound(repo, BOTH)
    repo.start(*ADD)
    sound(repo, BOTH)
    exact(repo, NEW)


def test_r01_add_killed_at_random_moments(killer: MakeKiller) -> None:
    for repo in killer(changed_since).at_random(ADD):
        finishes_adding(repo)


@needs_strace
def test_r02_add_killed_on_entry_to_system_calls(killer: MakeKiller) -> None:
    for repo in killer(changed_since).on_calls(ADD):
        finishes_adding(repo)


def one_file(repo: RepoBuilder) -> None:
    lay(repo, {"one": b"new"})


@needs_strace
def test_r02_add_of_one_file_killed_before_each_step_that_shows(killer: MakeKiller) -> None:
    for repo in killer(one_file).on_each(ADD, NAMING):
        sound(repo, [b"new"])
        assert repo.git("ls-files", "--others", "--exclude-standard", "--", "*.tmp").stdout == ""
        repo.start(*ADD)
        exact(repo, {"one": b"new"})


# checkout


CHECKOUT = (*DATAVC, "checkout")


def before_checkout(repo: RepoBuilder) -> None:
    two_versions(repo)
    switched(repo, "v1")


def finishes_checkout(repo: RepoBuilder) -> None:
    for path, content in repo.tree("data").items():
        assert content in (OLD.get(path), NEW.get(path)), f"{path} is half a file"
    sound(repo, BOTH)
    repo.start(*CHECKOUT)
    exact(repo, OLD)


def test_r03_checkout_killed_at_random_moments(killer: MakeKiller) -> None:
    for repo in killer(before_checkout).at_random(CHECKOUT):
        finishes_checkout(repo)


@needs_strace
def test_r03_checkout_killed_on_entry_to_system_calls(killer: MakeKiller) -> None:
    for repo in killer(before_checkout).on_calls(CHECKOUT):
        finishes_checkout(repo)


# push and pull


PUSH = (*DATAVC, "push")
PULL = (*DATAVC, "pull")


def with_remote(repo: RepoBuilder) -> None:
    two_versions(repo)
    repo.run("remote", "add", "--quiet", "--local", "-d", "folder", str(remote(repo)))


def cloned(repo: RepoBuilder, name: str = "clone") -> RepoBuilder:
    """Return a fresh clone that knows the remote and has no data yet."""
    clone = repo.clone(repo.root.parent / name)
    clone.run("remote", "add", "--quiet", "--local", "-d", "folder", str(remote(repo)))
    return clone


def finishes_push(repo: RepoBuilder) -> None:
    assert soundness.torn(remote(repo)) == []
    repo.start(*PUSH)
    assert soundness.torn(remote(repo)) == []
    clone = cloned(repo)
    clone.start(*PULL)
    exact(clone, NEW)


def test_r04_push_to_a_folder_killed_at_random_moments(killer: MakeKiller) -> None:
    for repo in killer(with_remote).at_random(PUSH):
        finishes_push(repo)


@needs_strace
def test_r04_push_to_a_folder_killed_on_entry_to_system_calls(killer: MakeKiller) -> None:
    for repo in killer(with_remote).on_calls(PUSH):
        finishes_push(repo)


def to_be_pulled(repo: RepoBuilder) -> None:
    """Make `repo` itself the clone: its data is on the remote alone."""
    with_remote(repo)
    repo.start(*PUSH)
    for folder in (cache(repo) / "objects", repo.root / "data"):
        repo.start("rm", "-rf", str(folder))
    repo.start("rm", "-rf", ".datavc/state", ".datavc/ops")


def finishes_pull(repo: RepoBuilder) -> None:
    assert soundness.torn(cache(repo)) == []
    assert soundness.leftovers(repo.root) == []
    for path, content in repo.tree("data").items():
        assert content == NEW[path], f"{path} is half a file"
    repo.start(*PULL)
    sound(repo, NEW.values())
    exact(repo, NEW)


def test_r05_pull_from_a_folder_killed_at_random_moments(killer: MakeKiller) -> None:
    for repo in killer(to_be_pulled).at_random(PULL):
        finishes_pull(repo)


@needs_strace
def test_r05_pull_from_a_folder_killed_on_entry_to_system_calls(killer: MakeKiller) -> None:
    for repo in killer(to_be_pulled).on_calls(PULL):
        finishes_pull(repo)


# gc


GC = (*DATAVC, "-c", "gc.grace=0", "gc", "--workspace", "--unpushed", "--expire-undo", "--force")


def with_garbage(repo: RepoBuilder) -> None:
    """Track version 2; of version 1 nothing but objects and Git's history is left."""
    two_versions(repo)
    repo.start("rm", "-rf", ".datavc/ops")


def finishes_gc(repo: RepoBuilder) -> None:
    sound(repo, NEW.values())
    repo.start(*GC)
    sound(repo, NEW.values())
    exact(repo, NEW)
    kept = soundness.objects(cache(repo)).values()
    assert set(OLD.values()).intersection(kept) <= set(NEW.values())


def test_r06_gc_killed_at_random_moments(killer: MakeKiller) -> None:
    for repo in killer(with_garbage).at_random(GC):
        finishes_gc(repo)


@needs_strace
def test_r06_gc_killed_on_entry_to_system_calls(killer: MakeKiller) -> None:
    for repo in killer(with_garbage).on_calls(GC):
        finishes_gc(repo)


# undo


UNDO = (*DATAVC, "undo")
MINE = {path: content + b"mine" for path, content in list(OLD.items())[:20]}


def with_work_replaced(repo: RepoBuilder) -> None:
    """Replace work that was never added, which the cache then keeps for `undo`."""
    two_versions(repo)
    for path, content in MINE.items():
        repo.write(f"data/{path}", content)
    repo.run("checkout", "--quiet", "--force")


def finishes_undo(repo: RepoBuilder) -> None:
    sound(repo, [*BOTH, *MINE.values()])
    if json.loads(repo.run("undo", "--list", "--json").stdout)[0]["command"] == "checkout":
        repo.start(*UNDO)
    sound(repo, [*BOTH, *MINE.values()])
    assert repo.tree("data") == {**NEW, **MINE}


def test_undo_killed_at_random_moments(killer: MakeKiller) -> None:
    for repo in killer(with_work_replaced).at_random(UNDO):
        finishes_undo(repo)


# Git with the hooks


SWITCH = ("git", "checkout", "--force", "--quiet", "v1")


def test_r60_git_checkout_killed_with_its_hook(killer: MakeKiller) -> None:
    for repo in killer(two_versions).at_random(SWITCH):
        sound(repo, BOTH)
        repo.start("rm", "-f", ".git/index.lock", ".git/HEAD.lock")  # Git's own, which it asks for
        repo.start(*SWITCH)
        repo.start(*CHECKOUT)
        exact(repo, OLD)
        sound(repo, BOTH)
