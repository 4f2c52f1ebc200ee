"""add: record what lies in the workspace, bytes first, names last."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from datavc.core import paths
from datavc.core.diff import diff_entries
from datavc.core.errors import BusyError, DatavcError
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.core.tree import TreeEntry
from datavc.repo.inventory import Inventory
from datavc.repo.repo import Repo
from datavc.repo.scan import Trust
from datavc.repo.snapshot import read_record
from datavc.store import trees
from datavc.verbs import add_targets, linking
from datavc.verbs.add_targets import Target
from datavc.verbs.publishing import publish
from datavc.verbs.recording import Annotations, Draft, Recorder
from datavc.verbs.scanning import inventory, reader, scanner, unreadable

TRIES = 5
"""How often an add starts over because another process rewrote the same pointer meanwhile."""


class AddOptions(NamedTuple):
    """`prune` records files that were never fetched as deleted."""

    glob: bool = False
    prune: bool = False
    dry_run: bool = False
    notes: Annotations = Annotations()


class Added(NamedTuple):
    """One output as it was recorded; the counts are its files against what was recorded before."""

    path: RepoPath
    kind: str
    digest: str
    files: int
    bytes: int
    added: int = 0
    modified: int = 0
    deleted: int = 0
    not_fetched: int = 0


class AddResult(NamedTuple):
    """`new` are bytes that the cache did not have; `notes` are lines of advice.

    `for_git` are the files that the next commit should have, as the user's folder sees them.
    """

    outputs: tuple[Added, ...]
    new: int = 0
    for_git: tuple[str, ...] = ()
    dry_run: bool = False
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return totals and one object an output."""
        return {
            "files": sum(out.files for out in self.outputs),
            "bytes": sum(out.bytes for out in self.outputs),
            "new": self.new,
            "removed": sum(out.deleted for out in self.outputs),
            "dry_run": self.dry_run,
            "outputs": self.outputs,
            "failures": [],
        }


def add(
    repo: Repo,
    targets: Sequence[str],
    options: AddOptions = AddOptions(),
    *,
    progress: Progress = SILENT,
) -> AddResult:
    """Track files and directories, or record their changes.

    All targets are checked before anything is written. Stopping anywhere leaves garbage at worst,
    never a pointer to nothing, and running again finishes the work.

    Raises:
        PathError: a target cannot be tracked; nothing was changed.
        DataError: a file cannot be read, or does not hold still.
        BusyError: other processes kept rewriting the same pointers.
    """
    for _ in range(TRIES):
        known = inventory(repo)
        chosen = add_targets.resolve(repo, known, targets, glob=options.glob)
        progress.start("Adding")
        if options.dry_run:
            return AddResult(_preview(repo, chosen, progress), dry_run=True)
        with repo.objects.writer() as writer:
            recorder = Recorder(repo, writer, progress)
            drafts = [recorder.draft(t, options.notes, prune=options.prune) for t in chosen]
            writer.flush()
            reports = tuple(_report(repo, draft) for draft in drafts)
            if publish(repo, drafts, "add", progress):
                outputs = [draft.target.path for draft in drafts]
                linking.relink(repo, outputs, progress, recorder.linked)
                return AddResult(
                    outputs=reports,
                    new=recorder.new_size,
                    for_git=_for_git(repo, drafts),
                    warnings=(*unreadable(known), *_collisions(repo, known, drafts, reports)),
                    notes=linking.advice(repo, recorder.new_size),
                )
    raise BusyError("other processes keep rewriting the same pointers", "try again")


def _for_git(repo: Repo, drafts: Sequence[Draft]) -> tuple[str, ...]:
    """Return the pointer files that changed, and the ignore files of those that are new."""
    found: list[str] = []
    for draft in drafts:
        pointer = draft.target.pointer_path
        if read_record(repo.root, pointer) == draft.before:
            continue
        found.append(pointer)
        ignore = paths.join(paths.parent(pointer), ".gitignore")
        if draft.before is None and os.path.exists(repo.layout.absolute(ignore)):
            found.append(ignore)
    full = [os.path.join(repo.root, path) for path in dict.fromkeys(found)]
    return tuple(os.path.relpath(path, repo.here) for path in full)


def _report(repo: Repo, draft: Draft) -> Added:
    pointer, old = draft.pointer, draft.target.tracked
    counts = {"added": pointer.files or 1, "modified": 0, "deleted": 0}
    if old is not None and pointer.kind == "file":
        counts = {"added": 0, "modified": int(old.digest != pointer.digest), "deleted": 0}
    elif old is not None and old.is_directory:
        try:
            before, after = trees.differing(repo.objects, old.digest, pointer.digest)
        except DatavcError:  # the old list is not here: then all that is known is the new one
            before, after = [], []
        counts = _count(before, after)
    return Added(
        path=draft.target.path,
        kind=pointer.kind,
        digest=pointer.digest,
        files=pointer.files if pointer.files is not None else 1,
        bytes=pointer.size or 0,
        not_fetched=draft.not_fetched,
        **counts,
    )


def _count(before: Sequence[TreeEntry], after: Sequence[TreeEntry]) -> dict[str, int]:
    counts = {"added": 0, "modified": 0, "deleted": 0}
    for change in diff_entries(before, after):
        counts[change.kind] += 1
    return counts


def _preview(repo: Repo, chosen: Sequence[Target], progress: Progress) -> tuple[Added, ...]:
    """Return what would be recorded, without writing anything."""
    found = []
    look, eyes = scanner(repo, progress), reader(repo, progress)
    for target in chosen:
        scan = look.scan(target.path, eyes, Trust.CHANGED)
        entries = list(scan.entries())
        old: list[TreeEntry] = []
        if target.tracked is not None and target.tracked.is_directory:
            old = list(trees.entries(repo.objects, target.tracked.digest))
        elif target.tracked is not None:
            old = [TreeEntry(RepoPath(""), target.tracked.digest, 0, 0)]
        digest: str = ""
        if entries:
            whole = scan.kind == "directory"
            digest = scan.summary(repo.objects.algorithm).digest if whole else entries[0].content
        size = sum(entry.size for entry in entries)
        counts = _count(old, entries)
        found.append(Added(target.path, scan.kind, digest, len(entries), size, **counts))
    return tuple(found)


def _collisions(
    repo: Repo, known: Inventory, drafts: Sequence[Draft], reports: Sequence[Added]
) -> list[str]:
    """Warn of names that are one name on other systems (macOS, Windows), where names came."""
    warnings = []
    if any(draft.target.tracked is None for draft in drafts):
        outputs = {*known.outputs, *(draft.target.path for draft in drafts)}
        warnings += add_targets.collisions(RepoPath(""), sorted(outputs))
    for draft, report in zip(drafts, reports, strict=True):
        if report.added and draft.pointer.kind == "directory":
            entries = trees.entries(repo.objects, draft.pointer.digest)
            warnings += add_targets.collisions(draft.target.path, (e.path for e in entries))
    return warnings
