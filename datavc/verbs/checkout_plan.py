"""What a checkout will do to one output: a pure comparison, path by path.

A path that is wanted and absent is placed. One that differs is replaced if its bytes are saved,
else refused. One that is not wanted is deleted only if this workspace was given it and its bytes
are saved; every other file is the user's own and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from datavc.core import paths
from datavc.core.digest import Digest
from datavc.core.errors import DatavcError
from datavc.core.outputs import Failure
from datavc.core.paths import RepoPath
from datavc.core.tree import EMPTY_DIRECTORY, FILE, Seams, TreeEntry
from datavc.repo.file_reader import FileReader
from datavc.repo.placed import PlacedRecord
from datavc.repo.scan import Scan
from datavc.repo.workspace import Step
from datavc.store import trees
from datavc.store.object_store import ObjectStore
from datavc.store.stat_segment import StatKey

UNSAVED = (
    "has changes that were never added, so it was left alone (`datavc add` keeps them, "
    "`datavc checkout --force` replaces them and `datavc undo` brings them back)"
)

UNREADABLE = "cannot be read, so it cannot be saved either (`--discard` gives it up)"
HAS_OWN_INSIDE = "has files inside that nobody tracks, where a file belongs; move them away"


class OnDisk(NamedTuple):
    """A file as it lies there: its entry, and the stat that this is true of."""

    entry: TreeEntry
    key: StatKey


class Wanted(NamedTuple):
    """The version that is to lie there: all entries, but for segments that the disk has already.

    `digest` None, with no entries, is an output that is tracked no longer.
    """

    output: RepoPath
    digest: Digest | None
    entries: tuple[TreeEntry, ...]
    shared: frozenset[Digest] = frozenset()


class Plan:
    """Steps to carry out, what to save before, and what is left alone with the reason."""

    def __init__(self, output: RepoPath) -> None:
        """Begin with nothing to do."""
        self.output = output
        self.steps: list[Step] = []
        self.before: dict[RepoPath, TreeEntry] = {}
        self.unsaved: list[tuple[RepoPath, OnDisk]] = []
        self.refused: list[Failure] = []


class Judge(NamedTuple):
    """The questions that a plan asks: is it meant, is it saved, may unsaved work go.

    Work that `may_replace` gives up must be readable, to be saved, unless it is to be discarded.
    """

    covers: Callable[[str], bool]
    is_saved: Callable[[TreeEntry], bool]
    may_replace: bool
    discards: bool = False


def wanted_tree(store: ObjectStore, output: RepoPath, digest: Digest, scan: Scan) -> Wanted:
    """Return what the tree `digest` wants, without reading segments that lie there already.

    Raises:
        DataError: a part of the tree is not in the store.
        FormatError: it is not a tree, or a hostile one.
    """
    here = {segment.summary.digest for segment in scan.segments}
    parts = trees.segments(store, digest)
    shared = frozenset(part.digest for part in parts if part.digest in here)
    entries: list[TreeEntry] = []
    seams = Seams(f"tree {digest}")
    for part in parts:
        if part.digest not in shared:
            found = trees.leaf(store, part)
            seams.check(found)
            entries += found
    return Wanted(output, digest, tuple(entries), shared)


def make(wanted: Wanted, scan: Scan, given: dict[RepoPath, TreeEntry], judge: Judge) -> Plan:
    """Compare what is wanted with what lies there.

    `given` are the entries that this workspace was given with the version before, as far as
    `wanted` lacks them.
    """
    plan = Plan(wanted.output)
    disk = dict(_on_disk(scan, wanted.shared))
    absent: list[TreeEntry] = []
    for entry in wanted.entries:
        found = disk.pop(entry.path, None)
        if not judge.covers(entry.path):
            continue
        if found is None:
            absent.append(entry)
        elif found.entry.identity != entry.identity:
            _replace(plan, found, entry, given, judge)
    for path in [path for path in disk if path in given and judge.covers(path)]:
        if _replace(plan, disk[path], None, given, judge):
            del disk[path]
    _fill(plan, absent, disk, given, judge)
    return plan


def _fill(
    plan: Plan,
    absent: Sequence[TreeEntry],
    disk: dict[RepoPath, OnDisk],
    given: dict[RepoPath, TreeEntry],
    judge: Judge,
) -> None:
    """Plan what is wanted where nothing is, unless what stays in `disk` is in the way.

    A file where a folder belongs goes as any other work would; what is inside a folder where a
    file belongs is tracked by nobody, and stays.
    """
    folders = {up for path in disk for up in _above(path)} if absent else set()
    refused = {failure.path for failure in plan.refused}
    for entry in absent:
        blocks = (
            next((up for up in _above(entry.path) if _is_file(disk.get(up))), None)
            if disk
            else None
        )
        if blocks is not None and _full(plan, blocks) not in refused:
            if _replace(plan, disk[blocks], None, given, judge):
                del disk[blocks]
                blocks = None
            else:
                refused.add(_full(plan, blocks))
        if entry.path in folders:
            if entry.flags != EMPTY_DIRECTORY:
                plan.refused.append(Failure(_full(plan, entry.path), "", HAS_OWN_INSIDE))
        elif blocks is None:
            plan.steps.append(Step(_full(plan, entry.path), entry, None))


def _is_file(found: OnDisk | None) -> bool:
    return found is not None and found.entry.flags != EMPTY_DIRECTORY


def _above(path: str) -> Iterator[RepoPath]:
    """Yield the folders above `path`, the output itself last."""
    while path:
        path = paths.parent(path)
        yield RepoPath(path)


def given_before(
    store: ObjectStore, record: PlacedRecord | None, wanted: Wanted, scan: Scan
) -> dict[RepoPath, TreeEntry]:
    """Return the entries of the version that was placed, but for those in shared segments.

    So too of a version that was put there by revision, or by a hook that was killed, as far as it
    still lies there unchanged.
    Where the list of a version is gone, nothing of it is known to have been given, and so
    nothing will be deleted.
    """
    given: dict[RepoPath, TreeEntry] = {}
    if record is None:
        return given
    if record.digest != wanted.digest:
        given |= _given(store, record, wanted, scan.kind)
    if record.shown not in (None, wanted.digest):
        shown = _given(store, PlacedRecord(record.shown, None), wanted, scan.kind)
        lying = {entry.path: entry.identity for entry in scan.entries()}
        # What that version lacks and does not lie here may have gone with it.
        given = {path: e for path, e in given.items() if path in shown or path in lying}
        given |= {path: e for path, e in shown.items() if lying.get(path) == e.identity}
    return given


def _given(
    store: ObjectStore, record: PlacedRecord, wanted: Wanted, kind: str
) -> dict[RepoPath, TreeEntry]:
    """Return what was given with one version; `kind` is what lies there now."""
    if kind == "file":
        return {RepoPath(""): TreeEntry(RepoPath(""), record.digest, 0, FILE)}
    try:
        return {
            entry.path: entry
            for part in trees.segments(store, record.digest)
            if part.digest not in wanted.shared
            for entry in trees.leaf(store, part)
            if record.had(entry.path)
        }
    except DatavcError:
        return {}


def _replace(
    plan: Plan,
    found: OnDisk,
    entry: TreeEntry | None,
    given: dict[RepoPath, TreeEntry],
    judge: Judge,
) -> bool:
    """Plan to put `entry`, or nothing, in place of what was found; False if it must not go."""
    path = _full(plan, found.entry.path)
    known = given.get(found.entry.path)
    is_readable = found.entry.content != FileReader.UNREADABLE
    if found.entry.digest is None and is_readable:
        as_given = known is not None and known.identity == found.entry.identity
        saved = as_given or judge.is_saved(found.entry)
    else:
        saved = is_readable and judge.is_saved(found.entry)
    if not saved and not judge.may_replace:
        plan.refused.append(Failure(path, "", UNSAVED))
        return False
    if not (saved or is_readable or judge.discards):
        plan.refused.append(Failure(path, "", UNREADABLE))
        return False
    if not saved:
        plan.unsaved.append((path, found))
    plan.before[path] = found.entry
    plan.steps.append(Step(path, entry, found.key))
    return True


def _full(plan: Plan, path: str) -> RepoPath:
    return paths.join(plan.output, path) if path else plan.output


def _on_disk(scan: Scan, shared: frozenset[Digest]) -> Iterable[tuple[RepoPath, OnDisk]]:
    for segment in scan.segments:
        if segment.summary.digest not in shared:
            for entry, key in zip(segment.entries(), segment.keys, strict=True):
                yield entry.path, OnDisk(entry, key)
