"""Tree: the manifest of a directory, cut into segments that two versions share.

A segment ends before an entry whose path hashes to a multiple of the mean segment size, so
boundaries depend on names alone: a changed file rewrites one segment and the root.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, cast

from datavc.core import paths
from datavc.core.digest import Digest, is_digest
from datavc.core.errors import FormatError, PathError
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
SIZE_LIMIT = 1 << 63
"""Every size is smaller: what a signed 64-bit number holds."""


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


def check_entry(entry: TreeEntry) -> None:
    """Refuse an entry that no tree may hold.

    Raises:
        PathError: the path, or the target of a link, is hostile.
        FormatError: unknown flags, no digest, or a size that cannot be.
    """
    path, content, size, flags = entry
    paths.parse(path)
    if flags not in (FILE, EXECUTABLE, LINK, EMPTY_DIRECTORY):
        raise FormatError(f"{path!r} has unknown flags {flags}")
    if flags > EXECUTABLE and size:
        raise FormatError(f"{path!r} is no file and cannot have a size")
    if not 0 <= size < SIZE_LIMIT:
        raise FormatError(f"{path!r} has an impossible size: {str(size)[:40]}")
    if flags == LINK:
        check_link(path, content)
    elif flags == EMPTY_DIRECTORY:
        if content:
            raise FormatError(f"{path!r} is an empty directory and cannot have content")
    elif not is_digest(content):
        raise FormatError(f"{path!r} has no digest but {content[:80]!r}")


def check_link(path: RepoPath, target: str) -> None:
    """Refuse a link that could lead out of the tree in which `path` lies.

    `..` is allowed at the beginning alone, where it leaves folders that are known to be real:
    after the name of another link it would start from wherever that one leads.

    Raises:
        PathError: absolute, empty, outside, or through a reserved or hostile name.
    """
    if not target or target.startswith("/"):
        raise PathError(f"link {path!r} must lead to a relative path, not to {target!r}")
    climbed, names = 0, False
    for part in target.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            climbed += 1
            if names or climbed > path.count("/"):
                raise PathError(f"link {path!r} leads out of its directory: {target!r}")
        else:
            paths.check_part(part)
            names = True
    if len(sort_key(target)) > paths.MAX_PATH:
        raise PathError(f"link {path!r} leads to a path longer than {paths.MAX_PATH} bytes")


class Seams:
    """Refuses what is wrong only between two segments: order, a file that is a folder too."""

    def __init__(self, where: str) -> None:
        """Begin before the first segment of the tree at `where`."""
        self._where = where
        self._last = b""
        self._open: list[RepoPath] = []

    def check(self, entries: Sequence[TreeEntry]) -> None:
        """Look at the next segment, which was decoded, so is right in itself.

        Raises:
            FormatError: it overlaps one that came before.
        """
        if not entries:
            return
        if sort_key(entries[0].path) <= self._last:
            raise FormatError(f"{self._where}: {entries[0].path!r} is out of order")
        for path in self._open:
            at = bisect_left(entries, sort_key(path + "/"), key=_entry_key)
            if at < len(entries) and entries[at].path.startswith(path + "/"):
                raise FormatError(f"{self._where}: {path!r} is both a file and a folder")
        last = entries[-1].path
        self._last = sort_key(last)
        # Only names that the last path begins with can still be followed by something inside.
        ours = (entry.path for entry in entries if last.startswith(entry.path))
        self._open = [path for path in self._open if last.startswith(path)] + list(ours)


def _entry_key(entry: TreeEntry) -> bytes:
    return sort_key(entry[0])
