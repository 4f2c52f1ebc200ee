"""Three-way merge of trees, path by path."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from datavc.core import paths
from datavc.core.paths import RepoPath, sort_key
from datavc.core.tree import EMPTY_DIRECTORY, TreeEntry


class Conflict(NamedTuple):
    """A path that both sides changed, each to something else; None where it is not there."""

    path: RepoPath
    base: TreeEntry | None
    ours: TreeEntry | None
    theirs: TreeEntry | None


class Merged(NamedTuple):
    """The tree of both sides, sorted; worth nothing while there is a conflict."""

    entries: tuple[TreeEntry, ...]
    conflicts: tuple[Conflict, ...]


def merge_trees(
    base: Iterable[TreeEntry], ours: Iterable[TreeEntry], theirs: Iterable[TreeEntry]
) -> Merged:
    """Return what both sides made of `base`.

    What one side alone changed, added or removed is taken from it; what both did alike is taken
    once. An empty directory gives way to what the other side put into it.
    """
    before, one, other = _by_path(base), _by_path(ours), _by_path(theirs)
    merged: dict[RepoPath, TreeEntry] = {}
    conflicts: dict[RepoPath, Conflict] = {}
    for path in one.keys() | other.keys():
        versions = before.get(path), one.get(path), other.get(path)
        was, mine, yours = versions
        if _same(mine, yours) or _same(yours, was):
            chosen = mine
        elif _same(mine, was):
            chosen = yours
        else:
            chosen = mine or yours
            conflicts[path] = Conflict(path, *versions)
        if chosen is not None:
            merged[path] = chosen
    for path in _in_the_way(merged):
        if merged.pop(path).flags != EMPTY_DIRECTORY:
            conflicts[path] = Conflict(path, before.get(path), one.get(path), other.get(path))
    return Merged(
        tuple(sorted(merged.values(), key=lambda entry: sort_key(entry.path))),
        tuple(conflicts[path] for path in sorted(conflicts, key=sort_key)),
    )


def _by_path(entries: Iterable[TreeEntry]) -> dict[RepoPath, TreeEntry]:
    return {entry.path: entry for entry in entries}


def _same(one: TreeEntry | None, other: TreeEntry | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.identity == other.identity


def _in_the_way(merged: dict[RepoPath, TreeEntry]) -> list[RepoPath]:
    """Return the paths that are an entry though others lie below them."""
    folders: set[str] = set()
    for path in merged:
        folder = paths.parent(path)
        while folder and folder not in folders:
            folders.add(folder)
            folder = paths.parent(folder)
    return [path for path in merged if path in folders]
