"""remove: stop tracking; with `outs`, delete the data too, as far as it is saved."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from datavc.core import paths
from datavc.core.errors import BusyError, UnsavedChanges
from datavc.core.outputs import Failure, TrackedOutput
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.core.tree import TreeEntry
from datavc.repo.journal import ABSENT, PathChange, State
from datavc.repo.repo import Repo
from datavc.repo.scan import Trust
from datavc.repo.workspace import Folders
from datavc.verbs import checkout_plan, linking, workspaces
from datavc.verbs.applying import apply
from datavc.verbs.checkout_plan import Judge, Plan, Wanted
from datavc.verbs.saving import save
from datavc.verbs.scanning import inventory, reader, scanner, unreadable
from datavc.verbs.withdrawing import pointer_text, stage, whole_output, withdraw


@dataclass(frozen=True, slots=True)
class RemoveOptions:
    """`outs` deletes the data as well; `force` saves what is unsaved and deletes that too."""

    outs: bool = False
    force: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class RemoveResult:
    """Outputs that are tracked no more, files deleted, and data that Git sees now."""

    outputs: list[RepoPath] = field(default_factory=list)
    deleted: list[RepoPath] = field(default_factory=list)
    bytes: int = 0
    visible: list[RepoPath] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    dry_run: bool = False

    def to_json(self) -> dict[str, object]:
        """Return paths and counts."""
        return {
            "outputs": self.outputs,
            "files": len(self.deleted),
            "bytes": self.bytes,
            "deleted": self.deleted,
            "visible": self.visible,
            "dry_run": self.dry_run,
            "failures": [failure._asdict() for failure in self.failures],
        }


def remove(
    repo: Repo,
    targets: Sequence[str],
    options: RemoveOptions = RemoveOptions(),
    *,
    progress: Progress = SILENT,
) -> RemoveResult:
    """Stop tracking the outputs that `targets` name; their objects stay in the cache.

    All is checked before anything is written. Data goes before the pointer that names it, so
    that after a kill the same command finishes the work.

    Raises:
        PathError: a target is no tracked output.
        UnsavedChanges: data that is to go is saved nowhere.
    """
    known = inventory(repo)
    hint = "delete the part, then `datavc commit` the directory that it was in"
    found = [whole_output(repo, known, text, hint) for text in targets]
    outputs = sorted({output.path: output for output in found}.values(), key=lambda o: o.path)
    result = RemoveResult(warnings=unreadable(known), dry_run=options.dry_run)
    result.outputs = [output.path for output in outputs]
    plans = [_plan(repo, output, options, progress) for output in outputs] if options.outs else []
    _refuse_unsaved(plans)
    if options.dry_run:
        for plan in plans:
            _report(plan, {step.path for step in plan.steps}, result)
        return result
    unsaved = [item for plan in plans for item in plan.unsaved]
    if unsaved:
        save(repo, unsaved, progress)
    with repo.lock(progress):
        _carry_out(repo, outputs, plans, result, progress)
    result.visible = _visible(repo, outputs)
    return result


def _plan(repo: Repo, output: TrackedOutput, options: RemoveOptions, progress: Progress) -> Plan:
    """Return the steps that delete all that lies at `output`."""
    scan = scanner(repo, progress).scan(output.path, reader(repo, progress), Trust.IDENTITY)
    judge = Judge(lambda _: True, lambda entry: _is_saved(repo, entry), options.force)
    everything = {entry.path: entry for entry in scan.entries()}
    return checkout_plan.make(Wanted(output.path, None, ()), scan, everything, judge)


def _is_saved(repo: Repo, entry: TreeEntry) -> bool:
    return entry.digest is not None and repo.objects.holds(entry.digest)


def _refuse_unsaved(plans: Sequence[Plan]) -> None:
    refused = [failure.path for plan in plans for failure in plan.refused]
    if refused:
        more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
        raise UnsavedChanges(
            f"{refused[0]}{more} would be lost: its bytes were never added",
            "`datavc remove --outs --force` saves them first (`datavc undo` brings them back); "
            "without --outs the data stays",
        )


def _carry_out(
    repo: Repo,
    outputs: Sequence[TrackedOutput],
    plans: Sequence[Plan],
    result: RemoveResult,
    progress: Progress,
) -> None:
    texts = {output.recorded_in: pointer_text(repo, output) for output in outputs}
    now = inventory(repo).outputs
    for output in outputs:
        if now.get(output.path) != output:
            raise BusyError(f"{output.recorded_in} was rewritten meanwhile", "repeat the command")
    pointers = [PathChange(path, State(text=text), ABSENT) for path, text in texts.items()]
    repo.journal.record("remove", [*pointers, *(c for plan in plans for c in _changes(plan))])
    for plan in plans:
        progress.start(f"Deleting {plan.output}", len(plan.steps))
        applied, _ = apply(repo, plan.output, plan.steps, progress)
        result.failures += applied.failures
        _report(plan, set(applied.deleted), result)
        _remove_empty(repo, plan.output)
    for output in outputs:
        result.failures += linking.leave_plain(repo, output.path, progress)
    touched = withdraw(repo, outputs)
    workspaces.announce(repo)
    stage(repo, touched)


def _changes(plan: Plan) -> Iterator[PathChange]:
    for step in plan.steps:
        yield PathChange(step.path, State(entry=plan.before[step.path]), ABSENT)


def _remove_empty(repo: Repo, output: RepoPath) -> None:
    """Remove the folder of a directory that had no files."""
    folders = Folders(repo.root)
    try:
        folders.remove_empty(output, paths.parent(output))
    finally:
        folders.close()


def _report(plan: Plan, done: set[RepoPath], result: RemoveResult) -> None:
    for step in plan.steps:
        if step.path in done:
            result.deleted.append(step.path)
            result.bytes += plan.before[step.path].size


def _visible(repo: Repo, outputs: Sequence[TrackedOutput]) -> list[RepoPath]:
    """Return those of `outputs` whose data is here and no longer kept from Git."""
    here = [out.path for out in outputs if os.path.lexists(repo.layout.absolute(out.path))]
    hidden = repo.git.ignored(here)
    return [path for path in here if path not in hidden]
