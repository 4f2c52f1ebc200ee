"""destroy: leave datavc. Tracked data become plain files, and nothing else remains.

Order: data is put there, links become copies, then hooks, lines and pointers go, then `.datavc`
with its settings last. Killed anywhere, no bytes are lost, and the same command finishes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from datavc.core import paths
from datavc.core.errors import DataError, DatavcError
from datavc.core.outputs import Failure, TrackedOutput
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.core.tree import EXECUTABLE, FILE, TreeEntry
from datavc.repo.repo import Repo
from datavc.repo.scan import Scan, Trust
from datavc.repo.workspace import Step
from datavc.store import trees
from datavc.verbs import leaving, linking
from datavc.verbs.applying import apply
from datavc.verbs.scanning import inventory, is_link_of_ours, reader, scanner
from datavc.verbs.unprotect import linked
from datavc.verbs.withdrawing import withdraw


@dataclass(frozen=True, slots=True)
class DestroyOptions:
    """`checkout` puts data that is only in the cache into the workspace first.

    `ask` is put one question; None where nobody can be asked, then `force` must be set.
    """

    force: bool = False
    checkout: bool = True
    dry_run: bool = False
    ask: Callable[[str], bool] | None = None


@dataclass(slots=True)
class DestroyResult:
    """Outputs that are plain data now, files put there, links that became copies, what went."""

    outputs: list[RepoPath] = field(default_factory=list)
    placed: list[RepoPath] = field(default_factory=list)
    copied: int = 0
    removed: list[str] = field(default_factory=list)
    hooks: list[str] = field(default_factory=list)
    cache: str = ""
    dry_run: bool = False

    def to_json(self) -> dict[str, object]:
        """Return all of it."""
        return {
            "outputs": self.outputs,
            "placed": self.placed,
            "copied": self.copied,
            "removed": self.removed,
            "hooks": self.hooks,
            "cache_kept": self.cache or None,
            "dry_run": self.dry_run,
        }


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one output needs before its pointer may go: files to place, links to copy.

    `dangling` are links to objects that are gone or damaged.
    """

    output: TrackedOutput
    absent: tuple[Step, ...]
    links: Scan
    dangling: tuple[str, ...]


def destroy(
    repo: Repo,
    options: DestroyOptions = DestroyOptions(),
    *,
    progress: Progress = SILENT,
) -> DestroyResult:
    """Make tracked data plain files, and take datavc out of this repository.

    Raises:
        DatavcError: others need what would go, or the user does not agree; nothing was changed.
        DataError: data is neither here nor in the cache; nothing was changed.
        FormatError: a pointer cannot be read, so its data cannot be told; nothing was changed.
    """
    leaving.check_alone(repo)
    known = inventory(repo)
    for error in known.broken.values():
        raise error
    progress.start("Looking at all data")
    plans = [_plan(repo, output, options, progress) for output in known.outputs.values()]
    _refuse_lost(repo, plans)
    result = _foretold(repo, plans, options)
    if options.dry_run:
        return result
    _agree(options, result)
    for plan in plans:
        _make_plain(repo, plan, progress)
    for path in {*known.outputs, *repo.placed.outputs()}:
        _raise_first(linking.leave_plain(repo, path, progress))
    with repo.lock(progress):
        result.hooks = leaving.unhook(repo)
        withdraw(repo, [plan.output for plan in plans])
        leaving.remove_files(repo)
    return result


def _plan(repo: Repo, output: TrackedOutput, options: DestroyOptions, progress: Progress) -> _Plan:
    scan = scanner(repo, progress).scan(output.path, reader(repo, progress), Trust.IDENTITY)
    links = linked(repo, scan, lambda _: True)
    dangling = tuple(
        paths.join(output.path, entry.path) if entry.path else output.path
        for entry in scan.entries()
        if is_link_of_ours(repo, entry)
    )
    if not options.checkout:
        return _Plan(output, (), links, dangling)
    here = {entry.path for entry in scan.entries()} if scan.kind != "file" else {RepoPath("")}
    absent = [entry for entry in _recorded(repo, output) if entry.path not in here]
    steps = [_step(output, entry) for entry in absent]
    # What .datavcignore hides from the scan is the user's own, and stays.
    free = [step for step in steps if not os.path.lexists(repo.layout.absolute(step.path))]
    return _Plan(output, tuple(free), links, dangling)


def _step(output: TrackedOutput, entry: TreeEntry) -> Step:
    path = paths.join(output.path, entry.path) if entry.path else output.path
    return Step(path, entry, None)


def _recorded(repo: Repo, output: TrackedOutput) -> list[TreeEntry]:
    if not output.is_directory:
        flags = EXECUTABLE if output.pointer.executable else FILE
        return [TreeEntry(RepoPath(""), output.digest, output.pointer.size or 0, flags)]
    try:
        return list(trees.entries(repo.objects, output.digest))
    except DataError as error:
        raise DataError(
            f"the list of files in {output.path} is not in the cache, so it cannot be told what "
            "would be lost",
            f"`datavc pull {output.path}` gets it; --no-checkout leaves with what is here",
        ) from error


def _refuse_lost(repo: Repo, plans: Sequence[_Plan]) -> None:
    """Refuse if a file is neither in the workspace nor, sound, in the cache."""
    lost = [
        step.path
        for plan in plans
        for step in plan.absent
        if step.new is not None and step.new.digest and not repo.objects.holds(step.new.digest)
    ]
    dangling = [path for plan in plans for path in plan.dangling]
    for path in (*lost, *dangling):
        more = (
            f" and {len(lost) + len(dangling) - 1} more" if len(lost) + len(dangling) > 1 else ""
        )
        raise DataError(
            f"{path}{more} would be lost: it is neither here nor in the cache",
            f"`datavc pull {path}` gets it; --no-checkout leaves without what is not here",
        )


def _foretold(repo: Repo, plans: Sequence[_Plan], options: DestroyOptions) -> DestroyResult:
    """Return what will be done, which is also what was done in the end."""
    outside = leaving.outside_cache(repo)
    return DestroyResult(
        outputs=[plan.output.path for plan in plans],
        placed=[step.path for plan in plans for step in plan.absent],
        copied=sum(len(segment.keys) for plan in plans for segment in plan.links.segments),
        removed=[
            *(plan.output.recorded_in for plan in plans if not plan.output.stage),
            *leaving.files(repo),
        ],
        cache=outside,
        dry_run=options.dry_run,
    )


def _agree(options: DestroyOptions, result: DestroyResult) -> None:
    if options.force:
        return
    if options.ask is None:
        raise DatavcError(
            "destroy takes all older versions with it, and nobody can be asked whether it may",
            "`datavc destroy --dry-run` shows what goes, `datavc destroy --force` does it",
        )
    question = (
        f"Make {len(result.outputs)} tracked outputs plain files and remove datavc from this "
        "repository? Versions that are on no remote are lost."
    )
    if not options.ask(question):
        raise DatavcError("nothing was done")


def _make_plain(repo: Repo, plan: _Plan, progress: Progress) -> None:
    """Put absent files there and give linked ones bytes of their own."""
    failures: list[Failure] = []
    if plan.absent:
        size = sum(step.new.size for step in plan.absent if step.new is not None)
        progress.start(f"Placing {plan.output.path}", len(plan.absent), size)
        applied, _ = apply(repo, plan.output.path, plan.absent, progress, types=("copy",))
        failures += applied.failures
    copies = [
        _step(plan.output, entry)._replace(old=key)
        for segment in plan.links.segments
        for entry, key in zip(segment.entries(), segment.keys, strict=True)
    ]
    if copies:
        progress.start(f"Copying {plan.output.path}", len(copies))
        applied, _ = apply(repo, plan.output.path, copies, progress, types=("copy",))
        failures += applied.failures
    _raise_first(failures)


def _raise_first(failures: Sequence[Failure]) -> None:
    for failure in failures:
        raise DataError(
            f"{failure.path} cannot be made a plain file: {failure.message}",
            "mend that, then `datavc destroy` again; nothing was removed yet",
        )
