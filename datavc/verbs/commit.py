"""commit: record tracked outputs as they lie in the workspace now, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from datavc.core import digest as digests
from datavc.core import paths
from datavc.core.diff import Change
from datavc.core.errors import BusyError, DataError, DatavcError, PathError
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.repo.placed import had_here
from datavc.repo.repo import Repo
from datavc.repo.scan import Scan, Trust
from datavc.repo.targets import Selection, repo_path, require_matches, select
from datavc.store import trees
from datavc.verbs import linking
from datavc.verbs.add_targets import Target
from datavc.verbs.comparing import changes, is_same, lying, recorded
from datavc.verbs.publishing import publish
from datavc.verbs.recording import Annotations, Recorder
from datavc.verbs.scanning import Looker, data_only, inventory, unreadable

if TYPE_CHECKING:
    from datavc.verbs.pipelines import Pipelines
    from datavc.verbs.stage_status import Meant

TRIES = 5
"""How often a commit starts over because another process rewrote the same pointer meanwhile."""

SHOWN = 20
"""Entries that are listed of an output about which nobody can be asked."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One output that is not as recorded.

    `entries` are kind and path of each file; none where the recorded list is not here.
    """

    selection: Selection
    kind: str
    files: int
    bytes: int
    entries: tuple[tuple[str, RepoPath], ...]

    @property
    def path(self) -> RepoPath:
        """The output's path."""
        return self.selection.output.path

    def count(self, kind: str) -> int:
        """Return how many files were added, modified or deleted."""
        return sum(found == kind for found, _ in self.entries)

    def to_json(self) -> dict[str, object]:
        """Return path and counts."""
        kinds = ("added", "modified", "deleted")
        totals = {"path": self.path, "kind": self.kind, "files": self.files, "bytes": self.bytes}
        return {**totals, **{kind: self.count(kind) for kind in kinds}}


@dataclass(frozen=True, slots=True)
class CommitOptions:
    """`ask` and `ask_stage` are put the question for each change; None: nobody can be asked."""

    force: bool = False
    prune: bool = False
    dry_run: bool = False
    ask: Callable[[Changed], bool] | None = None
    ask_stage: Callable[[str], bool] | None = None


@dataclass(frozen=True, slots=True)
class CommitResult:
    """What was recorded; `skipped` changed outputs were left, `new` bytes were not in the cache.

    `not_fetched` counts files that were kept as recorded though they are not here. `stages` are
    those that were taken as they lie there.
    """

    outputs: tuple[Changed, ...] = ()
    new: int = 0
    skipped: int = 0
    not_fetched: int = 0
    dry_run: bool = False
    warnings: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return totals and one object an output."""
        return {
            "files": sum(out.files for out in self.outputs),
            "bytes": sum(out.bytes for out in self.outputs),
            "new": self.new,
            "removed": sum(out.count("deleted") for out in self.outputs),
            "skipped": self.skipped,
            "dry_run": self.dry_run,
            "outputs": self.outputs,
            "stages": self.stages,
            "failures": [],
        }


def commit(
    repo: Repo,
    targets: Sequence[str] = (),
    options: CommitOptions = CommitOptions(),
    *,
    progress: Progress = SILENT,
) -> CommitResult:
    """Record the targets' changes, or those of all outputs.

    Raises:
        PathError: a target names nothing tracked, or its data is gone; nothing was changed.
        DatavcError: something changed, and without `force` nobody can be asked.
        BusyError: other processes kept rewriting the same pointers.
    """
    if not repo.git.listing().stage_files:
        return _commit_data(repo, targets, options, progress)
    from datavc.verbs import stage_status

    stages = stage_status.stages_of(repo)
    meant = stages.meant(targets)
    result = CommitResult()
    if not targets or meant.rest:
        if meant.rest:
            meant.select(data_only(inventory(repo)), _paths(repo, meant.rest))
        result = _commit_data(repo, meant.rest, options, progress)
    return _with_stages(repo, stages.pipelines, meant, options, (result, progress))


def _with_stages(
    repo: Repo,
    pipelines: Pipelines,
    meant: Meant,
    options: CommitOptions,
    told: tuple[CommitResult, Progress],
) -> CommitResult:
    """Record stages that changed, where that is agreed to."""
    from datavc.verbs.stage_commit import commit_stages, differing

    result, progress = told
    changed = differing(repo, pipelines, meant.stages)
    if options.dry_run or not changed:
        return replace(result, stages=tuple(stage.address for stage, _ in changed))
    if not options.force and options.ask_stage is None:
        stage, reason = changed[0]
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise DatavcError(
            f"the stage {stage.address}{more} changed ({reason}), and nobody can be "
            "asked whether to record it",
            "`datavc commit --force` records it without asking, `datavc repro` runs it",
        )
    agrees = None if options.force else options.ask_stage
    names = commit_stages(repo, pipelines, changed, agrees, progress)
    skipped = result.skipped + len(changed) - len(names)
    return replace(result, stages=tuple(names), skipped=skipped)


def _paths(repo: Repo, targets: Sequence[str]) -> list[RepoPath]:
    return [repo_path(repo.root, repo.here, text) for text in targets]


def _commit_data(
    repo: Repo, targets: Sequence[str], options: CommitOptions, progress: Progress
) -> CommitResult:
    """Record changes of what pointers track."""
    agreed: set[RepoPath] = set()
    for _ in range(TRIES):
        known = data_only(inventory(repo))
        chosen = select(known, _paths(repo, targets))
        progress.start("Comparing")
        look = _Look(repo, progress, prune=options.prune, strict=bool(targets))
        changed = [found for s in chosen if (found := look.at(s)) is not None]
        warnings = (*unreadable(known), *look.warnings)
        if options.dry_run or not changed:
            return CommitResult(tuple(changed), dry_run=options.dry_run, warnings=warnings)
        wanted = _agreed(changed, options, agreed, progress)
        result = _record(repo, wanted, options, progress)
        if result is not None:
            new, kept = result
            left = len(changed) - len(wanted)
            return CommitResult(tuple(wanted), new, left, kept, warnings=warnings)
    raise BusyError("other processes keep rewriting the same pointers", "try again")


def _agreed(
    changed: Sequence[Changed], options: CommitOptions, agreed: set[RepoPath], progress: Progress
) -> list[Changed]:
    """Return what is to be recorded; each output is asked about once."""
    if options.force:
        return list(changed)
    ask = options.ask
    if ask is None:
        for found in changed:
            for kind, path in found.entries[:SHOWN]:
                progress.say(f"{kind}: {path}")
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise DatavcError(
            f"{changed[0].path}{more} changed, and nobody can be asked whether to record it",
            "`datavc commit --force` records it without asking",
        )
    wanted = [found for found in changed if found.path in agreed or ask(found)]
    agreed.update(found.path for found in wanted)
    return wanted


def _record(
    repo: Repo, wanted: Sequence[Changed], options: CommitOptions, progress: Progress
) -> tuple[int, int] | None:
    """Return new bytes and files kept unfetched; None if a pointer changed meanwhile."""
    if not wanted:
        return 0, 0
    progress.start("Recording", sum(found.files for found in wanted))
    with repo.objects.writer() as writer:
        recorder = Recorder(repo, writer, progress)
        drafts = [
            recorder.draft(_target(found), Annotations(), prune=options.prune) for found in wanted
        ]
        writer.flush()
        if not publish(repo, drafts, "commit", progress):
            return None
    outputs = [draft.target.path for draft in drafts]
    linking.relink(repo, outputs, progress, recorder.linked)
    return recorder.new_size, sum(draft.not_fetched for draft in drafts)


def _target(found: Changed) -> Target:
    """Return what to record; of a pattern, the changed paths that it matches."""
    output, patterns = found.selection.output, found.selection.inside
    if not patterns:
        return Target(output.path, output)
    below = [paths.relative(path, output.path) for _, path in found.entries]
    literal = [p for p in patterns if any(paths.is_inside(path, p) for path in below)]
    rest = [path for path in below if not any(paths.is_inside(path, p) for p in literal)]
    return Target(output.path, output, (*map(RepoPath, literal), *rest))


class _Look:
    """Looks for what differs from the pointers, output by output.

    `strict`: an output whose data is gone is an error, not a warning.
    """

    def __init__(self, repo: Repo, progress: Progress, *, prune: bool, strict: bool) -> None:
        self._repo = repo
        self._prune = prune
        self._strict = strict
        self._looker = Looker(repo, progress)
        self.warnings: list[str] = []

    def at(self, selection: Selection) -> Changed | None:
        """Return what changed of one selection, None if nothing did."""
        output = selection.output
        scan = self._looker.scan(output, Trust.CHANGED)
        if not scan.present:
            self._gone(selection)
            return None
        if not selection.whole:
            require_matches(selection, self._all_paths(selection, scan))
        version = recorded(self._repo.objects, output)
        now = lying(scan, digests.algorithm(output.digest))
        if is_same(version, now):
            return None
        try:
            found = [c for c in changes(version, now) if selection.covers(c.path)]
        except DataError:
            return self._changed(selection, scan, ())
        real = self._real(selection, found)
        return self._changed(selection, scan, real) if real else None

    def _gone(self, selection: Selection) -> None:
        output = selection.output
        if self._repo.placed.get(output.path) is None and not self._strict:
            return
        message = f"{output.path} is not in the workspace, so there is nothing to record"
        hint = (
            f"`datavc pull {output.path}` brings it, "
            f"`datavc remove {output.path}` stops tracking it"
        )
        if self._strict:
            raise PathError(message, hint)
        self.warnings.append(f"{message}; {hint}")

    def _all_paths(self, selection: Selection, scan: Scan) -> Iterator[str]:
        for entry in scan.entries():
            yield entry.path
        if selection.output.is_directory:
            for entry in trees.entries(self._repo.objects, selection.output.digest):
                yield entry.path

    def _real(self, selection: Selection, found: Sequence[Change]) -> list[Change]:
        """Leave out what was never fetched: that is absent, not deleted."""
        output = selection.output
        had = had_here(self._repo.objects, self._repo.placed.get(output.path), output.digest)
        drops = self._prune and selection.whole
        return [c for c in found if c.kind != "deleted" or drops or had(c.path)]

    def _changed(self, selection: Selection, scan: Scan, found: Sequence[Change]) -> Changed:
        path = selection.output.path
        entries = [(c.kind, paths.join(path, c.path) if c.path else path) for c in found]
        files = sum(segment.summary.files for segment in scan.segments)
        size = sum(segment.summary.size for segment in scan.segments)
        return Changed(selection, scan.kind, files, size, tuple(entries))
