"""Scan: what an output's files are right now, read as little as the stat cache allows.

Walks in the order of the tree, one stat a file, segment by segment, so that memory does not grow
with the directory. A segment whose stats are what they were costs one comparison; of a changed
one, only changed files are read.
"""

from __future__ import annotations

import marshal
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from functools import partial
from itertools import chain
from typing import NamedTuple, cast

from datavc.core import paths
from datavc.core.digest import Digest
from datavc.core.hashing import hash_bytes
from datavc.core.paths import RepoPath
from datavc.core.progress import Progress
from datavc.core.tree import EXECUTABLE, FILE, LINK, Segment, TreeEntry, TreeSummary
from datavc.formats.tree import encode_leaf, encode_root
from datavc.repo import walk
from datavc.repo.file_reader import FileReader, Unread, is_small
from datavc.repo.walk import Found, Rules, Run
from datavc.store.stat_cache import StatCache
from datavc.store.stat_segment import (
    WRITTEN_BACK_NS,
    StatKey,
    StatSegment,
    StatValue,
    packed,
    unpacked,
    untrusted,
)

AHEAD = 1
"""Segments that are begun while one is being ended."""


class Trust(Enum):
    """How sure the digests must be.

    CHANGED: equal XXH3-128 is enough; IDENTITY: the digest itself was computed for these stats.
    """

    CHANGED = "changed"
    IDENTITY = "identity"


class ScannedSegment:
    """A segment as it lies on the disk; `summary.digest` is what its tree leaf would be.

    A scan has many: what it holds of each file is packed, and unpacked for whoever asks.
    """

    __slots__ = ("_keys", "_load", "summary")

    def __init__(
        self,
        summary: Segment,
        keys: list[StatKey] | bytes,
        load: Callable[[], list[TreeEntry]],
    ) -> None:
        """Keep the keys, and what makes the entries."""
        self.summary = summary
        self._keys = keys
        self._load = load

    @property
    def keys(self) -> list[StatKey]:
        """The stats of its files."""
        return unpacked(self._keys) if isinstance(self._keys, bytes) else self._keys

    def entries(self) -> list[TreeEntry]:
        """Return the entries, sorted."""
        return self._load()


class Scan(NamedTuple):
    """One output: `present` tells whether there is anything, `kind` what it is on the disk."""

    output: RepoPath
    kind: str
    segments: list[ScannedSegment]

    @property
    def present(self) -> bool:
        """Whether the path exists."""
        return bool(self.kind)

    def entries(self) -> Iterator[TreeEntry]:
        """Yield all entries, sorted."""
        for segment in self.segments:
            yield from segment.entries()

    def summary(self, algorithm: str) -> TreeSummary:
        """Return what a pointer would record of a directory, without storing anything."""
        return summarise([segment.summary for segment in self.segments], algorithm)


def summarise(segments: list[Segment], algorithm: str) -> TreeSummary:
    """Return the digest of the tree that has these leaves, and its totals."""
    files = sum(segment.files for segment in segments)
    size = sum(segment.size for segment in segments)
    if len(segments) == 1:
        root = segments[0].digest
    elif segments:
        root = hash_bytes(encode_root(segments), algorithm).digest
    else:
        root = hash_bytes(encode_leaf([]), algorithm).digest
    return TreeSummary(root, files, size, tuple(segments))


def segment_of(entries: list[TreeEntry], digest: Digest) -> Segment:
    """Return how a root lists these entries, whose leaf has `digest`."""
    return Segment(entries[0].path, digest, len(entries), sum(entry.size for entry in entries))


class Scanner:
    """Scans outputs of one workspace with one set of rules."""

    def __init__(
        self, root: str, cache: StatCache, algorithm: str, rules: Rules, progress: Progress
    ) -> None:
        """Scan below the project's `root`; digests are of `algorithm`."""
        self._root = root
        self._cache = cache
        self._algorithm = algorithm
        self._prefix = f"{algorithm}:"
        self._rules = rules
        self._progress = progress

    def scan(self, output: RepoPath, reader: FileReader, trust: Trust = Trust.CHANGED) -> Scan:
        """Scan one output, a file or a directory.

        What cannot be read becomes an entry that equals nothing, and stands in
        `reader.failures`; a reader that stores raises instead.
        """
        folder = os.path.join(self._root, paths.parent(output)).rstrip("/")
        try:
            status = os.lstat(os.path.join(self._root, output))
        except (FileNotFoundError, NotADirectoryError):
            return Scan(output, "", [])
        if os.path.realpath(folder) != folder:  # beyond a link, as Git sees it, is nothing of ours
            return Scan(output, "", [])
        scan = Scan(output, "directory" if stat.S_ISDIR(status.st_mode) else "file", [])
        probe = self._cache.now(status.st_dev)
        firsts = set()
        begun: deque[Callable[[], ScannedSegment]] = deque()
        for run in self._runs(output, status):
            firsts.add(run.keys[0][0])
            begun.append(self._begin(output, run, reader, (trust, probe)))
            if len(begun) > AHEAD:
                scan.segments.append(begun.popleft()())
        scan.segments.extend(finish() for finish in begun)
        self._cache.keep_only(output, firsts)
        return scan

    def _runs(self, output: RepoPath, status: os.stat_result) -> Iterable[Run]:
        if stat.S_ISDIR(status.st_mode):
            return walk.segments(self._root, output, self._rules)
        return [Run([walk.stat_key("", status)], [status.st_mode])]

    def _begin(
        self, output: RepoPath, run: Run, reader: FileReader, how: tuple[Trust, int]
    ) -> Callable[[], ScannedSegment]:
        """Begin to look at a segment; the call that is returned ends it."""
        trust, probe = how
        first, keys = RepoPath(run.keys[0][0]), packed(run.keys)
        cached = self._cache.load(output, first)
        if (
            cached is not None
            and cached.leaf.startswith(self._prefix)
            and not (trust is Trust.IDENTITY and cached.totals.weak)
            and cached.has_keys(keys)
        ):
            if (again := cached.noted_again(keys, probe)) is not None:
                self._cache.save(output, first, again)
            return partial(_unchanged, cached, keys, first, len(run.keys))
        known = cached.known() if cached is not None else {}
        values, unread = self._known(run, known, trust)
        finish = begin_reading(reader, output, unread)

        def ended() -> ScannedSegment:
            for index, value in finish():
                values[index] = value
            return self._note(output, run, cast(list[StatValue], values), probe)

        return ended

    def _note(
        self, output: RepoPath, run: Run, values: list[StatValue], probe: int
    ) -> ScannedSegment:
        """Return a segment that was read, and let the stat cache know it."""
        entries = [_entry(key, value) for key, value in zip(run.keys, values, strict=True)]
        leaf = hash_bytes(encode_leaf(entries), self._algorithm).digest
        unread = any(value.content == FileReader.UNREADABLE for value in values)
        saved = [
            key if may_keep(key, mode, value, probe) else untrusted(key)
            for key, mode, value in zip(*run, values, strict=True)
        ]
        noted = StatSegment("" if unread else leaf, saved, values, probe - WRITTEN_BACK_NS)
        self._cache.save(output, RepoPath(run.keys[0][0]), noted)
        rows = marshal.dumps([(*entry,) for entry in entries], 2)
        return ScannedSegment(segment_of(entries, leaf), packed(run.keys), partial(_entries, rows))

    def _known(
        self, run: Run, known: dict[str, tuple[StatKey, StatValue]], trust: Trust
    ) -> tuple[list[StatValue | None], list[Unread]]:
        """Return what is known of the files, one value each, and those that must be read."""
        values: list[StatValue | None] = []
        unread: list[Unread] = []
        for index, now in enumerate(run.keys):
            key, value = known.get(now[0], (None, None))
            if value is not None and not self._speaks(value):
                value = None
            if value is not None and key == now and not (value.weak and trust is Trust.IDENTITY):
                values.append(value)
                continue
            values.append(None)
            found = Found(now, run.modes[index])
            unread.append((index, found, value if trust is Trust.CHANGED else None))
        return values, unread

    def _speaks(self, value: StatValue) -> bool:
        """Tell whether a digest is of this scan's algorithm; one of another cannot be compared."""
        is_file = value.flags in (FILE, EXECUTABLE)
        return not is_file or value.content.startswith(self._prefix)


def begin_reading(
    reader: FileReader, output: RepoPath, unread: Sequence[Unread]
) -> Callable[[], Iterator[tuple[int, StatValue]]]:
    """Begin to read files; the call that is returned yields index and value of each.

    Many small files are stored by several processes. What these cannot store is read here, where
    it can be told what is wrong with it.
    """
    small = [item for item in unread if is_small(item[1])]
    crew = reader.crew(len(small))
    if crew is None:
        return lambda: reader.read_all(output, unread)
    answers = crew.begin([f"{output}/{found.key[0]}" for _, found, _ in small])

    def values() -> Iterator[tuple[int, StatValue]]:
        stored = chain.from_iterable(map(reader.accept, answers))
        for (index, found, known), value in zip(small, stored, strict=True):
            yield index, value or reader.read(output, found, known)
        yield from reader.read_all(output, [item for item in unread if not is_small(item[1])])

    return values


def _entries(rows: bytes) -> list[TreeEntry]:
    return [TreeEntry(*row) for row in marshal.loads(rows)]


def _unchanged(cached: StatSegment, keys: bytes, first: RepoPath, files: int) -> ScannedSegment:
    """Return a segment whose files have the stats that they had when it was noted."""
    known = cached.without_keys()

    def entries() -> list[TreeEntry]:
        values = known.without_keys().values  # not kept: there may be very many segments
        return [_entry(key, value) for key, value in zip(unpacked(keys), values, strict=True)]

    summary = Segment(first, cast(Digest, cached.leaf), files, cached.totals.size)
    return ScannedSegment(summary, keys, entries)


def _entry(key: StatKey, value: StatValue) -> TreeEntry:
    return TreeEntry(RepoPath(key[0]), value.content, value.size, value.flags)


def may_keep(key: StatKey, mode: int, value: StatValue, probe: int) -> bool:
    """Tell whether the same stat will mean the same bytes.

    By the racy rule not if the file is as young as the reading; nor if it could not be read, or
    is a link of ours, whose stat says nothing of the object that it points to.
    """
    if value.content == FileReader.UNREADABLE or (stat.S_ISLNK(mode) and value.flags != LINK):
        return False
    return key[3] < probe and key[4] < probe
