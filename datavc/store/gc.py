"""Collection: mark what is needed, then delete other objects in small, guarded steps.

Who decides what is needed, old enough, or to be had elsewhere, is `verbs/gc.py`. What must never
happen here: an object deleted that a writer claimed, or that was named since the marking.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence, Set
from typing import NamedTuple

from datavc.core.digest import Digest
from datavc.core.errors import DatavcError
from datavc.core.progress import Progress
from datavc.core.tree import Segment
from datavc.formats import tree as codec
from datavc.store import trees
from datavc.store.leases import alive, gate
from datavc.store.local import LocalStore
from datavc.store.object_store import ObjectInfo

STEP = 1000
"""Objects deleted while writers wait: some tens of milliseconds."""
_HEADERS = (codec.LEAF_HEADER, codec.ROOT_HEADER)


class Unsure(NamedTuple):
    """A list of files that is needed and cannot be read, so what it names is not known."""

    digest: Digest
    message: str


class Swept(NamedTuple):
    """What a sweep did: objects deleted, spared after all, and not deleted with the reason."""

    removed: tuple[ObjectInfo, ...]
    spared: tuple[ObjectInfo, ...]
    failures: tuple[tuple[Digest, str], ...]


class Marks:
    """The objects that are needed, found from digests that somebody names.

    A segment that two versions share is read once.
    """

    def __init__(self, store: LocalStore) -> None:
        """Begin with nothing marked."""
        self._store = store
        self._roots: set[Digest] = set()
        self._leaves: set[Digest] = set()
        self._unsure: dict[Digest, str] = {}
        self.needed: set[Digest] = set()

    def file(self, digest: Digest) -> None:
        """Mark one object."""
        self.needed.add(digest)

    def directory(self, digest: Digest) -> Unsure | None:
        """Mark a tree and all that it names; say so if that cannot be told completely."""
        if digest not in self._roots:
            self._roots.add(digest)
            self.needed.add(digest)
            try:
                for segment in trees.segments(self._store, digest):
                    self._segment(digest, segment)
            except DatavcError as error:
                self._unsure[digest] = error.message
        return Unsure(digest, self._unsure[digest]) if digest in self._unsure else None

    def unknown(self, digest: Digest) -> None:
        """Mark an object of which nobody says whether it is a tree; if it looks like one, all."""
        self.needed.add(digest)
        try:
            with self._store.open(digest) as stream:
                head = stream.read(max(map(len, _HEADERS)))
        except DatavcError:
            return
        if head.startswith(_HEADERS):
            self.directory(digest)

    def _segment(self, root: Digest, segment: Segment) -> None:
        if segment.digest in self._leaves:
            return
        try:
            found = trees.leaf(self._store, segment)
        except DatavcError as error:  # its neighbours can still be told
            self._unsure[root] = error.message
            return
        self.needed.update(digest for entry in found if (digest := entry.digest) is not None)
        self.needed.add(segment.digest)
        self._leaves.add(segment.digest)


def sweep(
    store: LocalStore,
    unwanted: Sequence[ObjectInfo],
    named_since: Callable[[], Set[Digest]],
    progress: Progress,
) -> Swept:
    """Delete `unwanted` step by step, each beside no writer's claim.

    In each step leases are read first and `named_since` is asked after them: a writer that gave
    up its lease has published by then, so what it relies on is seen in one of the two. An object
    that was written anew since it was listed is spared too.
    """
    removed: list[ObjectInfo] = []
    spared: list[ObjectInfo] = []
    failures: list[tuple[Digest, str]] = []
    for step in _steps(unwanted):
        with gate(os.path.join(store.root, "leases"), shared=False):
            claimed: set[Digest] = set().union(*alive(store.root).values())
            claimed |= named_since()
            for info in step:
                if info.digest in claimed or _is_newer(store, info):
                    spared.append(info)
                    continue
                try:
                    store.delete([info.digest])
                except OSError as error:
                    failures.append((info.digest, f"cannot be removed: {error.strerror}"))
                    continue
                store.verified.forget(info.digest)
                removed.append(info)
        progress.advance(len(step), sum(info.size for info in step))
    store.verified.save()
    return Swept(tuple(removed), tuple(spared), tuple(failures))


def _steps(unwanted: Sequence[ObjectInfo]) -> Iterator[Sequence[ObjectInfo]]:
    for start in range(0, len(unwanted), STEP):
        yield unwanted[start : start + STEP]


def _is_newer(store: LocalStore, info: ObjectInfo) -> bool:
    try:
        status = os.lstat(store.path(info.digest))
    except FileNotFoundError:
        return False
    return max(status.st_mtime, status.st_ctime) > info.time_s
