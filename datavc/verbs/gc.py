"""gc: free space in the cache by removing objects that nothing needs.

Everything that can name an object is asked first (`gc_roots.py`); what no remote has stays unless
the user gives it up by name. Killed anywhere, only garbage remains.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from datavc.core.digest import Digest
from datavc.core.errors import DataError, DatavcError
from datavc.core.outputs import Failure
from datavc.core.progress import SILENT, Progress
from datavc.pipeline.runcache import RunCache
from datavc.repo.repo import Repo
from datavc.store import gc as collection
from datavc.store import leftovers
from datavc.store.gc import Marks
from datavc.store.leases import alive
from datavc.store.object_store import ObjectInfo
from datavc.verbs.elsewhere import elsewhere
from datavc.verbs.gc_options import GcOptions
from datavc.verbs.gc_roots import Roots, Sharing, known_to, sharing
from datavc.verbs.workspaces import Announced, announced, withdraw


class Removed(NamedTuple):
    """An object that goes, and the remote that still has it; None if none is known to."""

    digest: Digest
    bytes: int
    remote: str | None


@dataclass(slots=True)
class Tally:
    """How many objects, and their bytes."""

    files: int = 0
    bytes: int = 0

    def count(self, size: int) -> None:
        """Count one more."""
        self.files += 1
        self.bytes += size


@dataclass(slots=True)
class GcResult:
    """What went, or in a dry run would; `kept` by reason: needed, young, leased, unpushed."""

    removed: list[Removed] = field(default_factory=list)
    kept: dict[str, Tally] = field(default_factory=dict)
    temporary: Tally = field(default_factory=Tally)
    operations: int = 0
    runs: int = 0
    declined: bool = False
    dry_run: bool = False
    failures: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """Bytes of what went."""
        return sum(one.bytes for one in self.removed)

    def keep(self, reason: str, size: int) -> None:
        """Count an object that stays."""
        self.kept.setdefault(reason, Tally()).count(size)

    def to_json(self) -> dict[str, object]:
        """Return counts, each object that went, and what stays by reason."""
        return {
            "files": len(self.removed),
            "bytes": self.bytes,
            "removed": len(self.removed),
            "objects": self.removed,
            "kept": self.kept,
            "temporary": self.temporary,
            "operations": self.operations,
            "runs": self.runs,
            "dry_run": self.dry_run,
            "failures": [failure._asdict() for failure in self.failures],
        }


def gc(repo: Repo, options: GcOptions, *, progress: Progress = SILENT) -> GcResult:
    """Remove the objects of the cache that nothing names, that are old enough and kept elsewhere.

    Raises:
        UsageError: no scope was chosen, or nobody can be asked.
        DatavcError: what is needed cannot be known completely; nothing was removed.
        RemoteError: a remote does not say what it has; nothing was removed.
    """
    options.check()
    result = GcResult(dry_run=options.dry_run)
    share = sharing(repo)
    forgotten = _forget(share, options)
    marks = Marks(repo.objects)
    roots = Roots(marks, repo, expire_undo=options.expire_undo)
    progress.start("Looking for what is needed")
    _mark(repo, share, forgotten, options, roots)
    result.warnings += dict.fromkeys(roots.warnings)
    _check_certain(roots, options, result)
    result.operations = len(roots.expired)
    result.runs = len(roots.stale_runs)
    unwanted = _choose(repo, marks, options, result, progress)
    if options.dry_run:
        result.temporary = _tally(_leftovers(repo))
        return result
    if unwanted and not options.force and options.ask and not options.ask(_question(result)):
        return GcResult(declined=True)
    for name in roots.expired:
        repo.journal.drop(name)
    runs = RunCache(repo.objects.root)
    for key in roots.stale_runs:
        runs.remove(key)
    for identity in forgotten:
        withdraw(repo.objects.root, identity)

    def named_since() -> Set[Digest]:
        needs = _needs(announced(repo.objects.root), forgotten)
        roots.now(share.open, needs)
        return marks.needed

    progress.start("Removing", len(unwanted), sum(info.size for info in unwanted))
    swept = collection.sweep(repo.objects, unwanted, named_since, progress)
    _settle(result, swept)
    result.temporary = _tally(leftovers.sweep(_leftovers(repo)))
    return result


def _forget(share: Sharing, options: GcOptions) -> set[str]:
    """Return the ids of workspaces that are gone for good and were named by the user.

    One that is there but cannot be read counts with what it published.

    Raises:
        DatavcError: another one cannot be read, or the named one can.
    """
    roots = {said.id: said.root or said.id for said in share.said}
    named = {
        text if text in share.lost else roots.get(text) or _root(text) for text in options.forget
    }
    for root in sorted(named):
        if root not in share.lost:
            raise DatavcError(
                f"{root} is no workspace that uses this cache and cannot be read",
                "`--forget` takes the folder or the id that gc names when it stops",
            )
    for root, reason in share.lost.items():
        if root not in named:
            raise DatavcError(
                f"{root} uses this cache and cannot be read: {reason}",
                f"make it readable, or say `--forget {root}` if its data is not needed",
            )
    gone = {root for root in named if not os.path.lexists(root)}
    return {said.id for said in share.said if {said.id, said.root} & gone}


def _root(text: str) -> str:
    return os.path.realpath(os.path.expanduser(text))


def _needs(said: Collection[Announced], forgotten: set[str]) -> set[Digest]:
    return {digest for one in said if one.id not in forgotten for digest in one.needs}


def _mark(
    repo: Repo, share: Sharing, forgotten: set[str], options: GcOptions, roots: Roots
) -> None:
    roots.now(share.open, _needs(share.said, forgotten))
    histories: set[tuple[str, str]] = set()
    for other in share.open:
        history = other.git.common_dir, other.git.prefix
        if history in histories:
            continue
        histories.add(history)
        scope = options.scope
        if scope is not None and other is not repo:
            scope = known_to(other, scope)
        roots.git(other, scope, other.config.gc.grace_s)


def _check_certain(roots: Roots, options: GcOptions, result: GcResult) -> None:
    """Refuse to give up data for good that a list which is not here may name.

    Raises:
        DataError: with `--unpushed`, where the list of a current output is not here.
    """
    for path in sorted(roots.uncertain):
        sentence = f"the list of files in {path} is not here, so what it names is not known"
        if options.unpushed:
            raise DataError(
                f"{sentence}; with --unpushed that could be lost, so nothing was removed",
                f"`datavc fetch {path}` gets it, or leave --unpushed out",
            )
        result.warnings.append(f"{sentence}; only what a remote has is removed")


def _choose(
    repo: Repo, marks: Marks, options: GcOptions, result: GcResult, progress: Progress
) -> list[ObjectInfo]:
    """Return the objects that may go, counting into `result` those and all others."""
    oldest = time.time() - max(repo.config.gc.grace_s, options.newer_than_s)
    claimed: set[Digest] = set().union(*alive(repo.objects.root, sweep=False).values())
    unnamed: list[ObjectInfo] = []
    for info in repo.objects.iter():
        if info.digest in marks.needed:
            result.keep("needed", info.size)
        elif info.time_s > oldest:
            result.keep("young", info.size)
        elif info.digest in claimed:
            result.keep("leased", info.size)
        else:
            unnamed.append(info)
    wanted = {info.digest: info.size for info in unnamed}
    found, warnings = elsewhere(repo, wanted, must_answer=not options.unpushed, progress=progress)
    result.warnings += warnings
    unwanted = []
    for info in unnamed:
        remote = found.get(info.digest)
        if remote is None and not options.unpushed:
            result.keep("unpushed", info.size)
            continue
        unwanted.append(info)
        result.removed.append(Removed(info.digest, info.size, remote))
    return unwanted


def _question(result: GcResult) -> str:
    alone = sum(one.remote is None for one in result.removed)
    lost = f", {alone:,} of them on no remote" if alone else ""
    mib = result.bytes / (1 << 20)
    return f"Remove {len(result.removed):,} objects ({mib:,.1f} MiB){lost}?"


def _settle(result: GcResult, swept: collection.Swept) -> None:
    """Make the result say what happened rather than what was planned."""
    gone = {info.digest for info in swept.removed}
    result.removed = [one for one in result.removed if one.digest in gone]
    for info in swept.spared:
        result.keep("leased", info.size)
    for digest, message in swept.failures:
        result.failures.append(Failure("", digest, f"object {digest} {message}"))


def _leftovers(repo: Repo) -> list[leftovers.Leftover]:
    layout = repo.layout
    replaced = (layout.state, layout.ops)
    return leftovers.find(repo.objects.root, layout.tmp, replaced, time.time())


def _tally(found: list[leftovers.Leftover]) -> Tally:
    return Tally(len(found), sum(leftover.size for leftover in found))
