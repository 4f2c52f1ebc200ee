"""Advancing: a directory goes from the version that was placed to another by what differs.

As Git does with its index, only names at which the two versions differ are looked at. If anything
there is not as it was placed, or cannot be told, nothing is planned: then the whole directory is
looked at (`settling`). Costs grow with the change, but for reading both lists of names.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from typing import NamedTuple

from datavc.core import digest as digests
from datavc.core import paths
from datavc.core.digest import Digest
from datavc.core.errors import DatavcError
from datavc.core.outputs import TrackedOutput
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT
from datavc.core.tree import EMPTY_DIRECTORY, Segment, TreeEntry
from datavc.formats.tree import decode_lines
from datavc.repo import ignore
from datavc.repo.layout import IGNORE_FILE
from datavc.repo.repo import Repo
from datavc.repo.walk import Found, stat_key
from datavc.repo.workspace import Applied, Step
from datavc.store import trees
from datavc.store.stat_segment import (
    WRITTEN_BACK_NS,
    NewRow,
    StatKey,
    StatSegment,
)
from datavc.verbs import laid
from datavc.verbs.scanning import reader


class _Part(NamedTuple):
    """One segment in both versions, and what is known of the one that lies there.

    `rows` has for each new entry its number in the old segment, None where there is none.
    """

    new: Segment
    memo: StatSegment
    rows: list[int | None]
    gone: list[tuple[TreeEntry, StatKey]]
    come: list[TreeEntry]


class Advance(NamedTuple):
    """What is to be done, and the digests of what will be replaced or deleted."""

    output: RepoPath
    steps: list[Step]
    replaced: set[Digest]
    parts: list[_Part]


def plan(repo: Repo, output: TrackedOutput, saved: Callable[[TreeEntry], bool]) -> Advance | None:
    """Return how to get from the placed version to the recorded one; None if that is not safe.

    `saved` tells whether the cache has a sound object for what would go.
    """
    record = repo.placed.get(output.path)
    if record is None or record.paths is not None or record.shown is not None:
        return None
    algorithm = digests.algorithm(output.digest)
    folder = repo.layout.absolute(output.path)
    if digests.algorithm(record.digest) != algorithm or os.path.realpath(folder) != folder:
        return None
    try:
        parts = [
            _part(repo, output.path, old, new)
            for old, new in _pairs(repo, record.digest, output.digest)
        ]
        steps = [step for part in parts for step in _steps(repo, output.path, part)]
        gone = [entry for part in parts for entry, _ in part.gone]
        wanted = {entry.digest for part in parts for entry in part.come if entry.digest}
        if not all(entry.digest is None or saved(entry) for entry in gone):
            return None
        if repo.objects.missing(wanted) or not _are_seen(repo, steps):
            return None
    except (_NotAsPlaced, DatavcError, OSError):
        return None
    return Advance(output.path, steps, {e.digest for e in gone if e.digest}, parts)


def note(repo: Repo, done: Advance, applied: Applied) -> None:
    """Tell the stat cache what lies there after all steps were done."""
    placed = dict(applied.placed)
    try:
        device = os.lstat(repo.layout.absolute(done.output)).st_dev
    except FileNotFoundError:  # its user had deleted all that was not deleted now
        return
    probe = repo.stat_cache.now(device)
    for part in done.parts:
        come = iter(part.come)
        rows: list[int | NewRow] = []
        for row in part.rows:
            if row is None:
                entry = next(come)
                rows.append(laid.row(entry, placed[paths.join(done.output, entry.path)], probe))
            else:
                rows.append(row)
        size = part.memo.totals.size
        size += sum(e.size for e in part.come) - sum(e.size for e, _ in part.gone)
        leaf, settled = part.new.digest, probe - WRITTEN_BACK_NS
        try:
            saved = part.memo.with_rows(leaf, size, rows, settled)
        except UnicodeEncodeError:  # the segment is read anew, as names of that kind always are
            continue
        repo.stat_cache.save(done.output, part.new.first, saved)


class _NotAsPlaced(Exception):
    """Something is not as it was placed, or cannot be told: the whole must be looked at."""


def _pairs(repo: Repo, old: Digest, new: Digest) -> Iterator[tuple[Segment, Segment]]:
    """Yield the segments that differ, which both versions must cut at the same names."""
    before, after = trees.segments(repo.objects, old), trees.segments(repo.objects, new)
    if [part.first for part in before] != [part.first for part in after]:
        raise _NotAsPlaced
    return ((old, new) for old, new in zip(before, after, strict=True) if old != new)


def _part(repo: Repo, output: RepoPath, old: Segment, new: Segment) -> _Part:
    memo = repo.stat_cache.load(output, old.first)
    if memo is None or memo.leaf != old.digest:
        raise _NotAsPlaced
    before, after = trees.lines(repo.objects, old), trees.lines(repo.objects, new)
    number = {line: row for row, line in enumerate(before)}
    rows = [number.pop(line, None) for line in after]
    come = [line for line, row in zip(after, rows, strict=True) if row is None]
    gone = decode_lines(list(number), old.digest)
    keys = memo.sure_keys(list(number.values()))
    if len(keys) != len(gone):
        raise _NotAsPlaced
    return _Part(
        new, memo, rows, list(zip(gone, keys, strict=True)), decode_lines(come, new.digest)
    )


def _steps(repo: Repo, output: RepoPath, part: _Part) -> Iterator[Step]:
    """Yield the steps of one segment.

    Raises:
        _NotAsPlaced: something lies where nothing did, or is not what was placed.
    """
    lying: dict[RepoPath, StatKey] = {}
    for entry, key in part.gone:
        lying[entry.path] = _as_placed(repo, output, entry, key)
    wanted = {entry.path for entry in part.come}
    for entry in part.come:
        path = paths.join(output, entry.path)
        old = lying.get(entry.path)
        if entry.flags == EMPTY_DIRECTORY or (old is None and _is_taken(repo, path)):
            raise _NotAsPlaced
        yield Step(path, entry, old)
    for name, key in lying.items():
        if name not in wanted:
            yield Step(paths.join(output, name), None, key)


def _are_seen(repo: Repo, steps: list[Step]) -> bool:
    """Tell whether a walk sees all these names, before the steps and after them."""
    files = [step.path for step in steps]
    if any(paths.name(file) == IGNORE_FILE for file in files):
        return False
    return not ignore.load(repo.root).passes_over(files)


def _as_placed(repo: Repo, output: RepoPath, entry: TreeEntry, key: StatKey) -> StatKey:
    """Return the stat of a file that is as it was placed; one of another stat is read.

    Raises:
        _NotAsPlaced: it is not.
    """
    path = paths.join(output, entry.path)
    status = os.lstat(repo.layout.absolute(path))
    now = stat_key(entry.path, status)
    if entry.flags == EMPTY_DIRECTORY or stat.S_ISDIR(status.st_mode):
        raise _NotAsPlaced
    if now != key:
        value = reader(repo, SILENT).read(output, Found(now, status.st_mode), None)
        if (value.content, value.flags) != entry.identity:
            raise _NotAsPlaced
    return now


def _is_taken(repo: Repo, path: RepoPath) -> bool:
    try:
        os.lstat(repo.layout.absolute(path))
    except FileNotFoundError:
        return False
    return True
