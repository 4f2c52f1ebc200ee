"""Comparing: one output in two versions, each recorded somewhere or lying in the workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from datavc.core.diff import Change, diff_entries
from datavc.core.digest import Digest
from datavc.core.errors import DataError
from datavc.core.outputs import TrackedOutput
from datavc.core.paths import RepoPath
from datavc.core.tree import EXECUTABLE, FILE, TreeEntry
from datavc.repo.scan import Scan
from datavc.store import trees
from datavc.store.object_store import ObjectStore

Part = tuple[Digest, Callable[[], list[TreeEntry]]]
"""A segment of a tree: its digest, and how to get at its entries."""


class Version(NamedTuple):
    """An output at one moment. A file is a tree of one entry with an empty path."""

    path: RepoPath
    digest: Digest
    is_directory: bool
    parts: Callable[[], list[Part]]


def recorded(store: ObjectStore, output: TrackedOutput) -> Version:
    """Return the version that a pointer records; its tree is read only when it is needed."""
    if not output.is_directory:
        flags = EXECUTABLE if output.pointer.executable else FILE
        entry = TreeEntry(RepoPath(""), output.digest, output.pointer.size or 0, flags)
        return Version(
            output.path, output.digest, False, lambda: [(output.digest, lambda: [entry])]
        )

    def parts() -> list[Part]:
        return [
            (segment.digest, lambda segment=segment: trees.leaf(store, segment))  # type: ignore[misc]
            for segment in trees.segments(store, output.digest)
        ]

    return Version(output.path, output.digest, True, parts)


def lying(scan: Scan, algorithm: str) -> Version:
    """Return the version that lies in the workspace."""
    if scan.kind == "file":
        entry = next(scan.entries())
        digest = Digest(entry.content)
        return Version(scan.output, digest, False, lambda: [(digest, lambda: [entry])])
    found = [(segment.summary.digest, segment.entries) for segment in scan.segments]
    return Version(scan.output, scan.summary(algorithm).digest, True, lambda: found)


def is_same(old: Version, new: Version) -> bool:
    """Tell whether two versions hold the same, as far as digests tell without reading trees.

    A file's executable bit is looked at too.
    """
    if old.digest != new.digest or old.is_directory != new.is_directory:
        return False
    return old.is_directory or not any(changes(old, new))


def changes(old: Version | None, new: Version | None) -> Iterator[Change]:
    """Yield how the files below an output differ; segments that both share are not read.

    Raises:
        DataError: a tree that is needed is not here.
    """
    before = old.parts() if old is not None else []
    after = new.parts() if new is not None else []
    shared: set[Digest] = set()
    if old is not None and new is not None and old.is_directory and new.is_directory:
        shared = {digest for digest, _ in before} & {digest for digest, _ in after}
    return diff_entries(_entries(before, shared), _entries(after, shared))


def _entries(parts: list[Part], shared: set[Digest]) -> Iterator[TreeEntry]:
    for digest, load in parts:
        if digest not in shared:
            yield from load()


def file_paths(*versions: Version | None) -> Iterator[str]:
    """Yield the files of all versions; of one whose list is not here nothing is known."""
    for version in versions:
        with suppress(DataError):
            for _, load in version.parts() if version is not None else ():
                yield from (entry.path for entry in load())
