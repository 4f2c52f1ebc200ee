"""Recording: an output as it lies in the workspace becomes objects, a tree and a pointer.

Used by every verb that accepts what is there now. Here objects and trees are made durable;
`publishing.py` then writes the names.
"""

from __future__ import annotations

import heapq
import stat
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from datavc.core import paths
from datavc.core.digest import Digest
from datavc.core.errors import DataError, DatavcError, PathError
from datavc.core.outputs import Pointer, TrackedOutput
from datavc.core.paths import RepoPath, sort_key
from datavc.core.progress import Progress
from datavc.core.trace import trace
from datavc.core.tree import EXECUTABLE, TreeEntry, TreeSummary
from datavc.repo.file_reader import FileReader
from datavc.repo.inventory import tracked
from datavc.repo.placed import HadHere, PlacedRecord, had_here
from datavc.repo.repo import Repo
from datavc.repo.scan import Scan, Scanner, Trust
from datavc.repo.snapshot import read_record
from datavc.repo.walk import Found
from datavc.store import trees
from datavc.store.local_writer import LocalWriter
from datavc.store.stat_segment import StatValue
from datavc.verbs.add_targets import Target
from datavc.verbs.scanning import reader, scanner


class Annotations(NamedTuple):
    """What a person says about an output; None leaves what the pointer says."""

    desc: str | None = None
    type: str | None = None
    labels: tuple[str, ...] | None = None
    meta: Mapping[str, object] | None = None

    def on(self, pointer: Pointer) -> Pointer:
        """Return `pointer` with these notes."""
        return pointer._replace(
            desc=pointer.desc if self.desc is None else self.desc,
            type=pointer.type if self.type is None else self.type,
            labels=pointer.labels if self.labels is None else self.labels,
            meta=pointer.meta if self.meta is None else {**pointer.meta, **self.meta},
        )


class Draft(NamedTuple):
    """A pointer that is ready to be written; all it names is durable.

    `before` are the pointer file's bytes that it was made from, `not_fetched` counts files that
    were kept though they are not here.
    """

    target: Target
    before: bytes | None
    pointer: Pointer
    placed: PlacedRecord
    not_fetched: int


class Recorder:
    """Stores outputs of one repository through one writer."""

    def __init__(self, repo: Repo, writer: LocalWriter, progress: Progress) -> None:
        """Scan and store; nothing is published before the writer's context ends."""
        self._repo = repo
        self._writer = writer
        self._reader: FileReader = reader(repo, progress, writer)
        self._scanner: Scanner = scanner(repo, progress)

    @property
    def linked(self) -> dict[str, tuple[StatValue, int]]:
        """Files that lie in the cache by a hard link."""
        return self._reader.linked

    @property
    def new_size(self) -> int:
        """Bytes that the cache did not have."""
        return self._reader.new_size

    def draft(self, target: Target, notes: Annotations, *, prune: bool = False) -> Draft:
        """Store what lies at `target` and return the pointer that names it.

        Raises:
            DataError, PathError: a file cannot be stored as it is, or the tree that a part is to
                be set into is not here.
        """
        before = read_record(self._repo.root, target.pointer_path)
        if before is not None:  # the very text that publishing compares with
            target = target._replace(tracked=tracked(target.pointer_path, before))
        if target.inside:
            return self._part(target, before, notes)
        scan = self._scanner.scan(target.path, self._reader, Trust.IDENTITY)
        if not scan.present:
            raise PathError(f"{target.path} vanished while it was added")
        sound = self._sound_segments(target.tracked)
        self._store_absent(scan, sound)
        if scan.kind == "file":
            return self._file(target, before, notes, next(scan.entries()))
        kept = [] if prune else list(self._not_fetched(target, scan))
        summary = self._write(scan, kept, sound)
        pointer = Pointer(
            paths.name(target.path), "directory", summary.digest, summary.size, summary.files
        )
        present = frozenset(entry.path for entry in scan.entries()) if kept else None
        placed = PlacedRecord(summary.digest, present)
        return self._made(target, before, notes, (pointer, placed, len(kept)))

    def _sound_segments(self, old: TrackedOutput | None) -> set[Digest]:
        """Return the recorded segments of which it is known that the cache has every object.

        No collection beside us takes those: the pointer that stands names them. A list that was
        damaged where it lies is written anew.
        """
        store = self._repo.objects
        if old is None or not old.is_directory or not store.whole.knows(old.digest):
            return set()
        try:
            parts = trees.segments(store, old.digest)
        except DatavcError:
            return set()
        return {part.digest for part in parts if store.holds(part.digest)}

    def _write(self, scan: Scan, kept: list[TreeEntry], sound: set[Digest]) -> TreeSummary:
        """Store the tree of what was found and what is kept; sound segments are there."""
        if kept:
            return trees.write(self._writer, merged(scan.entries(), kept))
        return trees.write_parts(
            self._writer,
            (s.summary if s.summary.digest in sound else s.entries() for s in scan.segments),
        )

    def _file(
        self, target: Target, before: bytes | None, notes: Annotations, entry: TreeEntry
    ) -> Draft:
        digest = entry.digest
        if digest is None:
            raise PathError(f"{target.path} is a symbolic link", "add what it points to")
        pointer = Pointer(paths.name(target.path), "file", digest, entry.size)
        pointer = pointer._replace(executable=entry.flags == EXECUTABLE)
        return self._made(target, before, notes, (pointer, PlacedRecord(digest, None), 0))

    def _made(
        self,
        target: Target,
        before: bytes | None,
        notes: Annotations,
        made: tuple[Pointer, PlacedRecord, int],
    ) -> Draft:
        pointer, placed, kept = made
        trace(
            __name__,
            "%s: recorded as %s, %d files kept unfetched",
            target.path,
            pointer.digest,
            kept,
        )
        if target.tracked is not None:
            old = target.tracked.pointer
            pointer = old._replace(
                kind=pointer.kind,
                digest=pointer.digest,
                size=pointer.size,
                files=pointer.files,
                executable=pointer.executable,
            )
        return Draft(target, before, notes.on(pointer), placed, kept)

    def _part(self, target: Target, before: bytes | None, notes: Annotations) -> Draft:
        """Set what lies at some paths inside a tracked directory into its tree."""
        if target.tracked is None:
            raise PathError(f"{target.path} is not tracked")
        old = target.tracked
        base = list(self._base(old))
        record = self._repo.placed.get(old.path)
        had = had_here(self._repo.objects, record, old.digest)
        fresh: list[TreeEntry] = []
        for inside in target.inside:
            fresh += self._region(old, inside, base, had)
        regions = target.inside
        rest = [entry for entry in base if not _replaced(entry.path, regions)]
        region = [entry for entry in base if any(paths.is_inside(entry.path, r) for r in regions)]
        present = {entry.path for entry in fresh}
        kept = [entry for entry in region if entry.path not in present and not had(entry.path)]
        unique = {entry.path: entry for entry in [*rest, *kept, *fresh]}
        entries = sorted(unique.values(), key=lambda entry: sort_key(entry.path))
        summary = trees.write(self._writer, entries)
        pointer = Pointer(
            old.pointer.path, "directory", summary.digest, summary.size, summary.files
        )
        here = {entry.path for entry in rest if had(entry.path)} | present
        whole = len(here) == len(entries)
        placed = PlacedRecord(summary.digest, None if whole else frozenset(here))
        return self._made(target, before, notes, (pointer, placed, len(kept)))

    def _region(
        self, old: TrackedOutput, inside: RepoPath, base: list[TreeEntry], had: HadHere
    ) -> Iterator[TreeEntry]:
        scan = self._scanner.scan(paths.join(old.path, inside), self._reader, Trust.IDENTITY)
        if not scan.present:
            gone = [entry.path for entry in base if paths.is_inside(entry.path, inside)]
            if not any(map(had, gone)):
                raise PathError(
                    f"{old.path}/{inside} does not exist",
                    f"`datavc pull {old.path}/{inside}` fetches it"
                    if gone
                    else "check the spelling",
                )
        self._store_absent(scan)
        for entry in scan.entries():
            path = paths.join(inside, entry.path) if entry.path else inside
            yield entry._replace(path=path)

    def _base(self, old: TrackedOutput) -> Iterable[TreeEntry]:
        if not old.is_directory:
            return ()
        try:
            return list(trees.entries(self._repo.objects, old.digest))
        except DataError as error:
            raise DataError(
                f"the list of files in {old.path} is not in the cache",
                f"`datavc fetch {old.path}` gets it, or `datavc add --prune {old.path}` "
                "records only what lies here",
            ) from error

    def _not_fetched(self, target: Target, scan: Scan) -> Iterator[TreeEntry]:
        """Yield entries of the recorded tree that this workspace never had."""
        old = target.tracked
        if old is None or not old.is_directory:
            return
        record = self._repo.placed.get(old.path)
        if record is not None and record.paths is None and record.digest == old.digest:
            return
        had = had_here(self._repo.objects, record, old.digest)
        here = {entry.path for entry in scan.entries()}
        folders = {parent for path in here for parent in _parents(path)}
        for entry in self._base(old):
            taken = entry.path in here or entry.path in folders
            if not taken and not had(entry.path) and here.isdisjoint(_parents(entry.path)):
                yield entry

    def _store_absent(self, scan: Scan, sound: Container[Digest] = ()) -> None:
        """Store files whose stat was known but whose object the cache has lost."""
        doubtful = [s for s in scan.segments if s.summary.digest not in sound]
        known = {entry.digest for s in doubtful for entry in s.entries() if entry.digest}
        self._writer.claim(known)
        absent = self._repo.objects.missing(known)
        lost = {digest for digest in absent if not self._writer.has(digest)}
        if not lost:
            return
        for segment in doubtful:
            for key, entry in zip(segment.keys, segment.entries(), strict=True):
                if entry.digest in lost:
                    value = self._reader.read(scan.output, Found(key, _REGULAR), None)
                    if value.content != entry.content:
                        raise DataError(f"{scan.output}/{entry.path} changes while it is added")


_REGULAR = stat.S_IFREG


def merged(one: Iterable[TreeEntry], other: Sequence[TreeEntry]) -> Iterable[TreeEntry]:
    """Return two sorted runs of different paths as one."""
    return heapq.merge(one, other, key=lambda entry: sort_key(entry.path)) if other else one


def _replaced(path: str, regions: Sequence[str]) -> bool:
    """Tell whether an entry gives way to one of `regions`: inside it, or a folder above it."""
    return any(paths.is_inside(path, r) or paths.is_inside(r, path) for r in regions)


def _parents(path: str) -> Iterator[str]:
    folder = paths.parent(path)
    while folder:
        yield folder
        folder = paths.parent(folder)
