"""Which commits a scope, or Git's own memory, names. Asks Git through what it is handed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from datavc.core.errors import UsageError

Walk = Callable[[Sequence[str]], bytes]
"""Runs one Git command that lists commits and returns its output."""
Peel = Callable[[Iterable[str]], list[str]]
"""Returns the commits that names stand for; names without one are passed over."""

_IN_PROGRESS = (
    "ORIG_HEAD",
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "REBASE_HEAD",
    "MERGE_AUTOSTASH",
)
_AUTOSTASHES = ("rebase-merge/autostash", "rebase-apply/autostash")


class RevisionScope(NamedTuple):
    """Which commits count: branches, tags, everything, or revisions and how far back from each.

    `num` commits along first parents from each of `revs`, the revision itself among them; -1 is
    all of them. `date` (YYYY-MM-DD or ISO 8601, local time) adds every commit made since then.
    """

    all_branches: bool = False
    all_tags: bool = False
    all_commits: bool = False
    revs: tuple[str, ...] = ()
    num: int = 1
    date: str | None = None


class Worktree(NamedTuple):
    """One work tree of the repository and Git's own folder of it, both absolute."""

    folder: str
    git_dir: str


def in_scope(scope: RevisionScope, starts: Sequence[str], walk: Walk, peel: Peel) -> list[str]:
    """Return the commits of `scope`, each once; `starts` are its `revs`, resolved.

    Raises:
        UsageError: the date is none.
    """
    found: list[str] = []
    for start in starts:
        if scope.num == 1:
            found.append(start)
            continue
        limit = () if scope.num < 0 else (f"--max-count={scope.num}",)
        found += _lines(walk(["rev-list", "--first-parent", *limit, start, "--"]))
    if scope.all_commits:
        found += _lines(walk(["rev-list", "--all", "--"]))
    if scope.all_branches:
        found += _tips("refs/heads", walk, peel)
    if scope.all_tags:
        found += _tips("refs/tags", walk, peel)
    if scope.date is not None:
        since = _timestamp(scope.date)
        listed = _lines(walk(["rev-list", "--all", "--timestamp", "--"]))
        dated = (line.partition(" ") for line in listed)
        found += [commit for time, _, commit in dated if int(time) >= since]
    return list(dict.fromkeys(found))


def remembered(worktrees: Sequence[Worktree], since_s: float, walk: Walk, peel: Peel) -> list[str]:
    """Return the commits that Git itself still holds on to, whatever scope was asked for.

    Heads of all worktrees, what an unfinished merge or rebase goes back to, stashes with their
    index and untracked files, remote-tracking branches, and where references stood at or after
    `since_s` (seconds since the epoch).
    """
    names: list[str] = []
    for worktree in worktrees:
        prefix = _reference_prefix(worktree)
        names += [f"{prefix}{name}" for name in ("HEAD", *_IN_PROGRESS)]
        names += _autostashes(worktree)
    names += references(walk, "refs/remotes", "refs/stash")
    logs = ["--all", *(f"{_reference_prefix(tree)}HEAD" for tree in worktrees)]
    for log in logs:
        names += _moved_since(log, since_s, walk, peel)
    stashes = _lines(_log(walk, "%H %P", "refs/stash", peel))
    return peel(dict.fromkeys([*names, *(name for line in stashes for name in line.split())]))


def _reference_prefix(worktree: Worktree) -> str:
    """Return what Git puts before the HEAD of one worktree when it is named from another."""
    parent, name = os.path.split(worktree.git_dir)
    linked = os.path.basename(parent) == "worktrees" and os.path.isfile(
        os.path.join(worktree.git_dir, "commondir")
    )
    return f"worktrees/{name}/" if linked else "main-worktree/"


def _autostashes(worktree: Worktree) -> Iterator[str]:
    for name in _AUTOSTASHES:
        try:
            with open(os.path.join(worktree.git_dir, name), encoding="ascii") as stream:
                stash = stream.read(100).strip()
        except FileNotFoundError:
            continue
        yield from (stash, f"{stash}^2")


def _moved_since(log: str, since_s: float, walk: Walk, peel: Peel) -> Iterator[str]:
    for line in _lines(_log(walk, "%H %gd", log, peel)):
        commit, _, selector = line.partition(" ")
        if int(selector.rpartition("@{")[2].rstrip("}")) >= since_s:
            yield commit


def _log(walk: Walk, form: str, log: str, peel: Peel) -> bytes:
    """Return the reflog of `log`, a reference that need not exist, in Git's `form`."""
    if log != "--all" and not peel([log]):
        return b""
    return walk(["log", "--walk-reflogs", "--date=unix", f"--format={form}", log, "--"])


NAMED = "%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)"
"""What is asked of references: what each names and, of a tag of its own, what that names."""


def named(output: bytes, prefix: str) -> list[tuple[str, str]]:
    """Return commit and name, without `prefix`, of references that were asked for as `NAMED`."""
    found = []
    for line in output.decode("utf-8", "surrogateescape").splitlines():
        own, own_id, inner, inner_id, name = line.split(" ")
        if "commit" in (own, inner):
            found.append((own_id if own == "commit" else inner_id, name.removeprefix(prefix)))
    return found


def references(walk: Walk, *patterns: str) -> list[str]:
    """Return the objects that the references below `patterns` name."""
    return _lines(walk(["for-each-ref", "--format=%(objectname)", "--", *patterns]))


def _tips(pattern: str, walk: Walk, peel: Peel) -> list[str]:
    return peel(references(walk, pattern))


def _lines(output: bytes) -> list[str]:
    return output.decode("ascii", "replace").splitlines()


def _timestamp(date: str) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(date).timestamp()
    except ValueError as error:
        raise UsageError(f"not a date: {date!r}", "write it as 2026-01-31") from error
