"""fsck: re-hash every object, set damaged ones aside, repair what can be repaired."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from datavc.core.digest import Digest
from datavc.core.outputs import Failure
from datavc.core.progress import SILENT, Progress
from datavc.repo.repo import Repo
from datavc.store import fsck as verification
from datavc.store.fsck import Damage, Quarantined
from datavc.verbs import repairing
from datavc.verbs.remote_check import check_remotes
from datavc.verbs.repairing import Names
from datavc.verbs.scanning import inventory, jobs, unreadable
from datavc.verbs.sync_options import SyncOptions

PASSES = 3
"""A root that was repaired shows which leaves are lost, and these which files."""


@dataclass(frozen=True, slots=True)
class FsckOptions:
    """`sync.remote` is the remote to repair from; `cloud` verifies what the remotes have, too."""

    repair: bool = True
    cloud: bool = False
    dry_run: bool = False
    sync: SyncOptions = SyncOptions()


@dataclass(slots=True)
class Finding:
    """An object that is damaged or lost, the files that it serves, and whether it is sound again.

    `remote` is where it was found so, None for the cache.
    """

    digest: Digest
    files: list[str]
    reason: str
    repaired: bool = False
    remote: str | None = None


@dataclass(slots=True)
class FsckResult:
    """What was verified, and what is wrong; `bytes` are those read."""

    checked: int = 0
    bytes: int = 0
    damaged: list[Finding] = field(default_factory=list)
    missing: list[Finding] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    quarantine: list[Quarantined] = field(default_factory=list)
    unread: list[Damage] = field(default_factory=list)
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[Failure]:
        """What is still wrong."""
        found = [one for one in (*self.damaged, *self.missing) if not one.repaired]
        wrong = [Failure(_first(one.files), one.digest, _sentence(one)) for one in found]
        return wrong + [
            Failure("", one.digest, f"object {one.digest} {one.reason}") for one in self.unread
        ]

    @property
    def exit_code(self) -> int:
        """4 if anything is still damaged, lost or not verified, else 0."""
        return 4 if self.failures else 0

    def to_json(self) -> dict[str, object]:
        """Return counts and findings."""
        return {
            "files": self.checked,
            "checked": self.checked,
            "bytes": self.bytes,
            "damaged": self.damaged,
            "missing": self.missing,
            "strays": self.strays,
            "quarantine": self.quarantine,
            "dry_run": self.dry_run,
            "failures": [failure._asdict() for failure in self.failures],
        }


def fsck(
    repo: Repo,
    options: FsckOptions = FsckOptions(),
    *,
    progress: Progress = SILENT,
) -> FsckResult:
    """Verify every object of the cache, and what this workspace has had of its data.

    Damaged objects are set aside, never deleted; then sound bytes are looked for in the
    workspace and on the remotes. Interrupted, what was repaired stays so.

    Raises:
        ConfigError, RemoteError: a remote that was asked for cannot be used.
    """
    result = FsckResult(dry_run=options.dry_run, warnings=list(unreadable(inventory(repo))))
    threads = options.sync.jobs or jobs(repo)
    _take(result, verification.verify(repo.objects, threads, progress))
    names = _set_aside(repo, result, options)
    if options.repair and not options.dry_run:
        _repair(repo, result, names, options, progress)
    else:
        _note_lost(result, repairing.lost(repo))
    if options.cloud:
        _check_remotes(repo, result, options, progress)
    result.quarantine = verification.quarantined(repo.objects)
    return result


def _take(result: FsckResult, verified: verification.Verified) -> None:
    result.checked, result.bytes = verified.checked, verified.bytes
    result.strays, result.unread = verified.strays, verified.unread
    result.damaged = [Finding(digest, [], reason) for digest, reason in verified.damaged]


def _set_aside(repo: Repo, result: FsckResult, options: FsckOptions) -> Names:
    """Name the files of damaged objects and set these aside; return what can be repaired."""
    if not result.damaged:
        return {}
    names = repairing.served(repo, {one.digest for one in result.damaged})
    movable: Names = {}
    for one in result.damaged:
        files = names.get(one.digest, set())
        one.files = sorted(files)
        if options.dry_run:
            continue
        if repo.objects.set_aside(one.digest, one.reason, files):
            movable[one.digest] = files
        else:
            result.warnings.append(f"object {one.digest} could not be set aside")
    return movable


def _repair(
    repo: Repo, result: FsckResult, names: Names, options: FsckOptions, progress: Progress
) -> None:
    lost: Names = {}
    for _ in range(PASSES):
        for digest, files in repairing.lost(repo).items():
            if digest not in names:
                lost.setdefault(digest, set()).update(files)
        wanted = {**names, **lost}
        left = repo.objects.missing(wanted)
        if not left:
            break
        sought = {digest: wanted[digest] for digest in left}
        progress.start("Repairing from the workspace", len(sought))
        repairing.from_workspace(repo, sought, progress)
        result.warnings += repairing.from_remotes(repo, sought, options.sync, progress)
        if repo.objects.missing(left) == left:
            break
    _note_lost(result, lost)
    _mark_repaired(repo, result.missing, lost)
    _mark_repaired(repo, result.damaged, names)


def _note_lost(result: FsckResult, lost: Names) -> None:
    known = {one.digest for one in result.damaged}
    result.missing += [
        Finding(digest, sorted(files), "it is not in the cache")
        for digest, files in sorted(lost.items())
        if digest not in known
    ]


def _mark_repaired(repo: Repo, found: list[Finding], sought: Collection[Digest]) -> None:
    left = repo.objects.missing(sought)
    for one in found:
        one.repaired = one.digest in sought and one.digest not in left


def _check_remotes(
    repo: Repo, result: FsckResult, options: FsckOptions, progress: Progress
) -> None:
    resend = options.repair and not options.dry_run
    seen = check_remotes(repo, options.sync, resend=resend, progress=progress)
    result.checked += seen.checked
    result.bytes += seen.bytes
    result.warnings += seen.warnings
    result.damaged += [
        Finding(one.digest, [one.path], one.reason, one.resent, one.remote) for one in seen.damaged
    ]


def _first(files: list[str]) -> str:
    return files[0] if files else ""


def _sentence(one: Finding) -> str:
    where = f" on {one.remote}" if one.remote else ""
    more = f" (and {len(one.files) - 1} more files)" if len(one.files) > 1 else ""
    serves = f"{_first(one.files)}{more}: " if one.files else ""
    return f"{serves}object {one.digest}{where}: {one.reason}"
