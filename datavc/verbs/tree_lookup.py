"""Looking a path up in a tree, reading no more of its segments than may have it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from datavc.core.digest import Digest
from datavc.core.paths import is_inside, sort_key
from datavc.core.tree import Segment, TreeEntry
from datavc.store import trees
from datavc.store.object_store import ObjectStore


def entry_at(store: ObjectStore, tree: Digest, path: str) -> TreeEntry | None:
    """Return the entry of exactly this path, None if there is none.

    Raises:
        DataError: a part of the tree is missing or damaged.
    """
    for part in _covering(trees.segments(store, tree), sort_key(path), sort_key(path)):
        for entry in trees.leaf(store, part):
            if entry.path == path:
                return entry
    return None


def entries_below(store: ObjectStore, tree: Digest, folder: str) -> Iterator[TreeEntry]:
    """Yield the entries in `folder` of the tree, sorted; all of them for the empty folder.

    Raises:
        DataError: a part of the tree is missing or damaged.
    """
    parts = trees.segments(store, tree)
    if folder:
        key = sort_key(folder)
        parts = _covering(parts, key + b"/", key + b"0")  # "0" comes right after "/"
    for part in parts:
        for entry in trees.leaf(store, part):
            if entry.path != folder and is_inside(entry.path, folder):
                yield entry


def _covering(parts: tuple[Segment, ...], first: bytes, last: bytes) -> tuple[Segment, ...]:
    """Return the segments that may hold paths from `first` to `last`."""
    begins = [sort_key(part.first) for part in parts]
    start = max(bisect_right(begins, first) - 1, 0)
    return parts[start : max(bisect_left(begins, last), start + 1)]
