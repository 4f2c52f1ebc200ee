"""Tree: the manifest of a directory, cut into segments that two versions share.

A segment ends before an entry whose path hashes to a multiple of the mean segment size, so
boundaries depend on names alone: a changed file rewrites one segment and the root.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from datavc.core.digest import Digest
from datavc.core.paths import RepoPath, sort_key

FILE = 0
EXECUTABLE = 1
LINK = 2
EMPTY_DIRECTORY = 4
"""What an entry is: EXECUTABLE is a file with that bit; exactly one value, never combined."""

SEGMENT_MASK = (1 << 12) - 1
"""A path whose XXH3-64 (seed 0) has these bits clear begins a segment (mean: 4,096 entries)."""
SEGMENT_LIMIT = 1 << 15
"""No segment is longer, whatever the names."""


class TreeEntry(NamedTuple):
    """One name in a directory's manifest.

    `content` is the digest of a file, the target of a link, and empty for an empty directory;
    `size` is in bytes, 0 for all but files.
    """

    path: RepoPath
    content: str
    size: int
    flags: int

    @property
    def digest(self) -> Digest | None:
        """The digest of a file's bytes; None for what has no object of its own."""
        return cast(Digest, self.content) if self.flags <= EXECUTABLE else None

    @property
    def identity(self) -> tuple[str, int]:
        """What must be equal for two entries of one path to be the same."""
        return self.content, self.flags


class Segment(NamedTuple):
    """A run of entries as the root lists it: first path, digest of its object, count, bytes."""

    first: RepoPath
    digest: Digest
    files: int
    size: int


class TreeSummary(NamedTuple):
    """What a pointer records of a tree: digest of its root object, files, bytes, and its parts."""

    digest: Digest
    files: int
    size: int
    segments: tuple[Segment, ...]


def begins_segment(path: str) -> bool:
    """Tell whether a segment is cut before `path`."""
    import xxhash

    return not xxhash.xxh3_64_intdigest(sort_key(path)) & SEGMENT_MASK


def cut(entries: Iterable[TreeEntry]) -> Iterator[list[TreeEntry]]:
    """Yield the segments of `entries`, which are sorted; nothing for an empty directory."""
    import xxhash

    hash64 = xxhash.xxh3_64_intdigest
    segment: list[TreeEntry] = []
    for entry in entries:
        path = entry[0]
        key = path.encode() if path.isascii() else sort_key(path)
        if segment and (not hash64(key) & SEGMENT_MASK or len(segment) >= SEGMENT_LIMIT):
            yield segment
            segment = []
        segment.append(entry)
    if segment:
        yield segment
