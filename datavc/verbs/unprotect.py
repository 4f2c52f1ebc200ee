"""unprotect: linked files get bytes of their own, so that they can be edited."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from datavc.core import paths
from datavc.core.errors import PathError
from datavc.core.outputs import Failure
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.core.tree import TreeEntry
from datavc.repo.repo import Repo
from datavc.repo.scan import Scan, ScannedSegment, Trust
from datavc.repo.targets import Selection, repo_path, require_matches, select
from datavc.store.stat_segment import StatKey
from datavc.verbs import linking
from datavc.verbs.scanning import inventory, reader, scanner, unreadable


@dataclass(slots=True)
class UnprotectResult:
    """How many links became copies, or would, and of how many bytes."""

    files: int = 0
    bytes: int = 0
    failures: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    dry_run: bool = False

    def to_json(self) -> dict[str, object]:
        """Return counts and failures."""
        return {
            "files": self.files,
            "bytes": self.bytes,
            "dry_run": self.dry_run,
            "failures": [failure._asdict() for failure in self.failures],
        }


def unprotect(
    repo: Repo, targets: Sequence[str], *, dry_run: bool = False, progress: Progress = SILENT
) -> UnprotectResult:
    """Replace links to the cache by private copies; files that are none already stay.

    Raises:
        PathError: a target names nothing tracked, or nothing that is here.
    """
    known = inventory(repo)
    chosen = select(known, [repo_path(repo.root, repo.here, text) for text in targets])
    result = UnprotectResult(warnings=list(unreadable(known)), dry_run=dry_run)
    progress.start("Looking for links")
    look, eyes = scanner(repo, progress), reader(repo, progress)
    found = [(look.scan(s.output.path, eyes, Trust.CHANGED), s) for s in chosen]
    for scan, selection in found:
        _check_here(scan, selection)
    for scan, selection in found:
        links = linked(repo, scan, selection.covers)
        files = sum(len(segment.keys) for segment in links.segments)
        result.bytes += sum(entry.size for entry in links.entries())
        if files and not dry_run:
            files, failures = linking.unlink(repo, links, progress)
            result.failures += failures
        result.files += files
    return result


def _check_here(scan: Scan, selection: Selection) -> None:
    path = selection.output.path
    if not scan.present:
        raise PathError(f"{path} is not in the workspace", f"`datavc pull {path}` brings it")
    if not selection.whole:
        require_matches(selection, (entry.path for entry in scan.entries()))


def linked(repo: Repo, scan: Scan, covers: Callable[[str], bool]) -> Scan:
    """Return `scan` with those files alone that are covered and share bytes with the cache."""
    segments = []
    for segment in scan.segments:
        pairs = [
            (key, entry)
            for key, entry in zip(segment.keys, segment.entries(), strict=True)
            if covers(entry.path) and _is_linked(repo, scan.output, entry, key)
        ]
        if pairs:
            segments.append(_segment(segment, pairs))
    return Scan(scan.output, scan.kind, segments)


def _segment(whole: ScannedSegment, pairs: Sequence[tuple[StatKey, TreeEntry]]) -> ScannedSegment:
    entries = [entry for _, entry in pairs]
    return ScannedSegment(whole.summary, [key for key, _ in pairs], lambda: entries)


def _is_linked(repo: Repo, output: RepoPath, entry: TreeEntry, key: StatKey) -> bool:
    digest = entry.digest
    if digest is None:
        return False
    full = repo.layout.absolute(paths.join(output, entry.path) if entry.path else output)
    if os.path.islink(full):
        return True
    try:
        return os.lstat(repo.objects.path(digest)).st_ino == key[1]
    except OSError:
        return False
