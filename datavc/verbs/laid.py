"""Laid: what lies at an output after files were placed, known without looking again."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from datavc.core import paths
from datavc.core.hashing import digest_of
from datavc.core.paths import RepoPath
from datavc.core.tree import TreeEntry, cut
from datavc.formats.tree import encode_leaf
from datavc.repo.repo import Repo
from datavc.repo.scan import Scan, ScannedSegment, may_keep, segment_of
from datavc.repo.walk import Status, stat_key
from datavc.repo.workspace import Applied
from datavc.store.stat_segment import WRITTEN_BACK_NS, NewRow, StatSegment, StatValue, untrusted


def scan_of(repo: Repo, output: RepoPath, entries: Iterable[TreeEntry], applied: Applied) -> Scan:
    """Return the scan of a directory where nothing was, and now is what was `applied`.

    The stat cache knows it from now on. All of `entries`, which are files of the project's own
    algorithm, sorted, were placed.
    """
    placed = dict(applied.placed)
    probe = repo.stat_cache.now(os.lstat(repo.layout.absolute(output)).st_dev)
    scan = Scan(output, "directory", [])
    for group in cut(entries):
        rows = [row(entry, placed[paths.join(output, entry.path)], probe) for entry in group]
        leaf = digest_of(encode_leaf(group), repo.objects.algorithm)
        summary = segment_of(group, leaf)
        keys, values = [key for key, _ in rows], [value for _, value in rows]
        noted = StatSegment(leaf, keys, values, probe - WRITTEN_BACK_NS)
        repo.stat_cache.save(output, group[0].path, noted)
        scan.segments.append(ScannedSegment(summary, keys, lambda group=group: group))  # type: ignore[misc]
    repo.stat_cache.keep_only(output, {segment.summary.first for segment in scan.segments})
    return scan


def row(entry: TreeEntry, status: Status, probe: int) -> NewRow:
    """Return what the stat cache notes of one file, placed before the moment `probe` (ns)."""
    key, value = stat_key(entry.path, status), value_of(entry, status)
    return (key if may_keep(key, status.st_mode, value, probe) else untrusted(key)), value


def value_of(entry: TreeEntry, status: Status) -> StatValue:
    """Return what a file is that was placed from a verified object."""
    size = status.st_size if stat.S_ISREG(status.st_mode) else entry.size
    return StatValue(entry.content, size, entry.flags, "")
