"""Differences between two sorted runs of tree entries.

Segments that two trees share can be left out of both runs: the same entries add nothing.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from datavc.core.paths import RepoPath, sort_key
from datavc.core.tree import TreeEntry

ChangeKind = Literal["added", "modified", "deleted", "renamed"]


class Change(NamedTuple):
    """One path that differs; `path` is the new one, `old` and `new` are None where it is not."""

    path: RepoPath
    kind: ChangeKind
    old: TreeEntry | None
    new: TreeEntry | None


def diff_entries(old: Iterable[TreeEntry], new: Iterable[TreeEntry]) -> Iterator[Change]:
    """Yield what differs between two runs sorted by `sort_key`, in the same order."""
    olds, news = iter(old), iter(new)
    before, after = next(olds, None), next(news, None)
    while before is not None and after is not None:
        if before[0] == after[0]:
            if before[1] != after[1] or before[3] != after[3]:
                yield Change(after.path, "modified", before, after)
            before, after = next(olds, None), next(news, None)
        elif sort_key(before[0]) < sort_key(after[0]):
            yield Change(before.path, "deleted", before, None)
            before = next(olds, None)
        else:
            yield Change(after.path, "added", None, after)
            after = next(news, None)
    while before is not None:
        yield Change(before.path, "deleted", before, None)
        before = next(olds, None)
    while after is not None:
        yield Change(after.path, "added", None, after)
        after = next(news, None)


def with_renames(changes: Iterable[Change]) -> list[Change]:
    """Return `changes` with each added file that equals a deleted one as a renamed one.

    Where several are equal, they are paired in the order of their paths.
    """
    found = list(changes)
    deleted: defaultdict[tuple[str, int], deque[TreeEntry]] = defaultdict(deque)
    for change in found:
        if change.kind == "deleted" and change.old is not None and change.old.digest:
            deleted[change.old.identity].append(change.old)
    sources: dict[RepoPath, TreeEntry] = {}
    for change in found:
        if change.kind == "added" and change.new is not None and deleted.get(change.new.identity):
            sources[change.path] = deleted[change.new.identity].popleft()
    gone = {entry.path for entry in sources.values()}
    return [
        change._replace(kind="renamed", old=sources[change.path])
        if change.path in sources
        else change
        for change in found
        if not (change.kind == "deleted" and change.path in gone)
    ]
