"""What a checkout will do to one output: a pure comparison, path by path.

A path that is wanted and absent is placed. One that differs is replaced if its bytes are saved,
else refused. One that is not wanted is deleted only if this workspace was given it and its bytes
are saved; every other file is the user's own and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from datavc.core import paths
from datavc.core.digest import Digest
from datavc.core.errors import DatavcError
from datavc.core.outputs import Failure
from datavc.core.paths import RepoPath
from datavc.core.tree import FILE, TreeEntry
from datavc.repo.placed import PlacedRecord
from datavc.repo.scan import Scan
from datavc.repo.workspace import Step
from datavc.store import trees
from datavc.store.object_store import ObjectStore
from datavc.store.stat_cache import StatKey

UNSAVED = (
    "has changes that were never added (`datavc add` keeps them, `--force` replaces them and "
    "`datavc undo` brings them back)"
)


class OnDisk(NamedTuple):
    """A file as it lies there: its entry, and the stat that this is true of."""

    entry: TreeEntry
    key: StatKey


@dataclass(frozen=True, slots=True)
class Wanted:
    """The version that is to lie there: all entries, but for segments that the disk has already.

    `digest` None, with no entries, is an output that is tracked no longer.
    """

    output: RepoPath
    digest: Digest | None
    entries: tuple[TreeEntry, ...]
    shared: frozenset[Digest] = frozenset()


@dataclass(slots=True)
class Plan:
    """Steps to carry out, what to save before, and what is left alone with the reason."""

    output: RepoPath
    steps: list[Step] = field(default_factory=list)
    before: dict[RepoPath, TreeEntry] = field(default_factory=dict)
    unsaved: list[tuple[RepoPath, OnDisk]] = field(default_factory=list)
    refused: list[Failure] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Judge:
    """The questions that a plan asks: is it meant, is it saved, may unsaved work go."""

    covers: Callable[[str], bool]
    is_saved: Callable[[TreeEntry], bool]
    may_replace: bool


def wanted_tree(store: ObjectStore, output: RepoPath, digest: Digest, scan: Scan) -> Wanted:
    """Return what the tree `digest` wants, without reading segments that lie there already.

    Raises:
        DataError: a part of the tree is not in the store.
    """
    here = {segment.summary.digest for segment in scan.segments}
    parts = trees.segments(store, digest)
    shared = frozenset(part.digest for part in parts if part.digest in here)
    entries = [e for part in parts if part.digest not in shared for e in trees.leaf(store, part)]
    return Wanted(output, digest, tuple(entries), shared)


def make(wanted: Wanted, scan: Scan, given: dict[RepoPath, TreeEntry], judge: Judge) -> Plan:
    """Compare what is wanted with what lies there.

    `given` are the entries that this workspace was given with the version before, as far as
    `wanted` lacks them.
    """
    plan = Plan(wanted.output)
    disk = dict(_on_disk(scan, wanted.shared))
    for entry in wanted.entries:
        found = disk.pop(entry.path, None)
        if not judge.covers(entry.path):
            continue
        if found is None:
            plan.steps.append(Step(_full(plan, entry.path), entry, None))
        elif found.entry.identity != entry.identity:
            _replace(plan, found, entry, given, judge)
    for path, found in disk.items():
        if path in given and judge.covers(path):
            _replace(plan, found, None, given, judge)
    return plan


def given_before(
    store: ObjectStore, record: PlacedRecord | None, wanted: Wanted, kind: str
) -> dict[RepoPath, TreeEntry]:
    """Return the entries of the version that was placed, but for those in shared segments.

    `kind` is what lies there now. Where the list of that version is gone, nothing of it is known
    to have been given, and so nothing will be deleted.
    """
    if record is None or record.digest == wanted.digest:
        return {}
    if kind == "file":
        return {RepoPath(""): TreeEntry(RepoPath(""), record.digest, 0, FILE)}
    try:
        return _given_tree(store, record, wanted)
    except DatavcError:
        return {}


def _given_tree(
    store: ObjectStore, record: PlacedRecord, wanted: Wanted
) -> dict[RepoPath, TreeEntry]:
    parts = trees.segments(store, record.digest)
    return {
        entry.path: entry
        for part in parts
        if part.digest not in wanted.shared
        for entry in trees.leaf(store, part)
        if record.had(entry.path)
    }


def _replace(
    plan: Plan,
    found: OnDisk,
    entry: TreeEntry | None,
    given: dict[RepoPath, TreeEntry],
    judge: Judge,
) -> None:
    path = _full(plan, found.entry.path)
    known = given.get(found.entry.path)
    has_bytes = found.entry.digest is not None or found.entry.content == "?"
    saved = (
        judge.is_saved(found.entry)
        if has_bytes
        else (known is not None and known.identity == found.entry.identity)
    )
    if not saved and not judge.may_replace:
        plan.refused.append(Failure(path, "", UNSAVED))
        return
    if not saved:
        plan.unsaved.append((path, found))
    plan.before[path] = found.entry
    plan.steps.append(Step(path, entry, found.key))


def _full(plan: Plan, path: str) -> RepoPath:
    return paths.join(plan.output, path) if path else plan.output


def _on_disk(scan: Scan, shared: frozenset[Digest]) -> Iterable[tuple[RepoPath, OnDisk]]:
    for segment in scan.segments:
        if segment.summary.digest not in shared:
            for entry, key in zip(segment.entries(), segment.keys, strict=True):
                yield entry.path, OnDisk(entry, key)
