"""repro: bring stages up to date. Everything is checked before the first command starts."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from datavc.core import paths
from datavc.core.errors import BusyError, PathError
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.core.stage import STAGE_FILE, Stage
from datavc.pipeline import graph as graphs
from datavc.pipeline.findings import to_json
from datavc.pipeline.forecast import forecast
from datavc.pipeline.graph import Graph
from datavc.pipeline.runcache import CachedRun
from datavc.pipeline.runner import Runner
from datavc.pipeline.running import Outcome, Reporter
from datavc.pipeline.running import RunOptions as RunOptions
from datavc.pipeline.running import WatchOptions as WatchOptions
from datavc.pipeline.schedule import makespan
from datavc.repo.repo import Repo
from datavc.repo.targets import repo_path
from datavc.store.lock import repository_lock
from datavc.verbs.pipelines import Pipelines, find, here, next_step, open_pipelines, require_sound
from datavc.verbs.scanning import inventory, unreadable
from datavc.verbs.stage_hands import FetchRun, StageHands
from datavc.verbs.stage_machine import MachineOptions as MachineOptions
from datavc.verbs.stage_machine import StageMachine, resources_of
from datavc.verbs.sync_options import SyncOptions

if TYPE_CHECKING:
    from datavc.pipeline.tracing import TraceReport
    from datavc.verbs.stage_fix import Fixed

WORTH_A_WORD_S = 1.0
"""Seconds that more jobs would have saved, from which on the summary says so."""


class ReproOptions(NamedTuple):
    """What is to be run, and how. `run` is how stages are run; `machine` where.

    `single` takes no upstream stages, `downstream` those that follow instead; `pipeline` all that
    is connected with the targets, `everything` all stages, `recursive` takes folders for the
    stage files below them. `pull` first fetches what is missing. `sync` asks remotes for runs.
    `fix` writes into the stage files what a trace found undeclared.
    """

    run: RunOptions = RunOptions()
    machine: MachineOptions = MachineOptions()
    sync: SyncOptions | None = None
    single: bool = False
    downstream: bool = False
    pipeline: bool = False
    everything: bool = False
    recursive: bool = False
    glob: bool = False
    pull: bool = False
    dry_run: bool = False
    fix: bool = False


class Traces(NamedTuple):
    """What stages touched, against what they declare; `complete` if every program was seen.

    `fixed` is what was written into the stage files.
    """

    reports: tuple[tuple[Stage, TraceReport], ...]
    complete: bool
    fixed: Fixed | None = None

    def to_json(self) -> dict[str, object]:
        """Return by stage the lists that are not empty."""
        found = {
            stage.address: {kind: paths for kind, paths in report._asdict().items() if paths}
            for stage, report in self.reports
        }
        said: dict[str, object] = {"stages": found, "complete": self.complete}
        if self.fixed is not None:
            said["declared"] = self.fixed.stages
            said["left_out"] = list(self.fixed.left_out)
        return said


class ReproResult(NamedTuple):
    """What was done with each stage, in the order of execution; `seconds` is the time of all.

    `parallel` is how many at once would have taken how long (s), where that is worth a word.
    `traced` tells what stages touched, where that was asked for. `locks` are lock files that
    changed and are for Git to take.
    """

    outcomes: tuple[Outcome, ...]
    seconds: float = 0.0
    dry_run: bool = False
    warnings: tuple[str, ...] = ()
    parallel: tuple[int, float] | None = None
    traced: Traces | None = None
    locks: tuple[RepoPath, ...] = ()

    @property
    def failed(self) -> list[Outcome]:
        """The stages that went wrong."""
        return [outcome for outcome in self.outcomes if outcome.state == "failed"]

    @property
    def exit_code(self) -> int:
        """1 if a stage failed or was held up by one that did, else 0."""
        return int(any(outcome.state in ("failed", "blocked") for outcome in self.outcomes))

    def to_json(self) -> dict[str, object]:
        """Return one object a stage."""
        stages = [
            {
                "name": outcome.stage.address,
                "action": outcome.action,
                "reason": to_json(outcome.findings),
                "seconds": outcome.seconds,
                "exit_code": outcome.exit_code,
                "state": outcome.state,
                "from_cache": outcome.from_cache,
                **({"error": outcome.error} if outcome.error else {}),
            }
            for outcome in self.outcomes
        ]
        found = {"stages": stages, "seconds": round(self.seconds, 3), "dry_run": self.dry_run}
        if self.parallel is not None:
            found["parallel"] = {"jobs": self.parallel[0], "seconds": round(self.parallel[1], 3)}
        if self.traced is not None:
            found["trace"] = self.traced.to_json()
        return found


def repro(
    repo: Repo,
    targets: Sequence[str],
    options: ReproOptions,
    reporter: Reporter,
    *,
    progress: Progress = SILENT,
) -> ReproResult:
    """Bring the targets up to date, by default the stages of the stage file here.

    Raises:
        PathError: a target names nothing.
        FormatError: a stage file, a lock or a parameter file cannot be used.
        DatavcError: a stage cannot run as it is declared. Nothing was touched.
        BusyError: another `datavc repro` runs in this workspace, or this is part of one.
    """
    opened = open_pipelines(repo)
    chosen = choose(repo, opened, targets, options)
    broken = opened.project.broken.values()
    warnings = (*unreadable(opened.data), *(error.message for error in broken))
    if options.dry_run:
        _check(repo, opened, chosen, options.run)
        outcomes = foretell(repo, opened, chosen, options.run)
        return ReproResult(tuple(outcomes), dry_run=True, warnings=warnings)
    _check_not_inside(repo)
    timeout_s = repo.config.core.lock_timeout_s
    with repository_lock(repo.layout.repro_lock, timeout_s, progress):
        if options.pull:
            _pull(repo, opened, chosen, options, progress)
        _check(repo, opened, chosen, options.run)
        return _run(repo, opened, chosen, options, (reporter, progress))._replace(
            warnings=warnings
        )


def _check_not_inside(repo: Repo) -> None:
    """Refuse to wait for the run of the very stage that this was started from."""
    stage = os.environ.get("DATAVC_STAGE")
    if stage and os.environ.get("DATAVC_ROOT") == repo.root:
        raise BusyError(
            f"the stage {stage} runs here, and this would wait for its end",
            "name what it needs in its `deps`: what makes that runs first",
        )


def choose(
    repo: Repo, opened: Pipelines, targets: Sequence[str], options: ReproOptions
) -> list[int]:
    """Return the stages that are meant, each after those that it needs."""
    graph = opened.graph
    if options.everything:
        found = set(range(len(graph.stages)))
        require_sound(opened.project, list(opened.project.broken))
    else:
        found = set(_targets(repo, opened, targets, options))
    if options.pipeline:
        found = {i for group in graphs.components(graph) if found & set(group) for i in group}
    if options.downstream:
        found = graphs.downstream(graph, found)
    elif not options.single:
        found = graphs.upstream(graph, found, past_frozen=False)
    return graphs.order(graph, found)


def _targets(
    repo: Repo, opened: Pipelines, targets: Sequence[str], options: ReproOptions
) -> Iterable[int]:
    graph, folder = opened.graph, here(repo)
    if not targets:
        yield from _default(repo, opened, folder)
    for text in targets:
        if options.recursive and os.path.isdir(os.path.join(repo.here, text)):
            below = repo_path(repo.root, repo.here, text)
            yield from (i for i, s in enumerate(graph.stages) if paths.is_inside(s.file, below))
        else:
            yield from find(opened, text, folder, glob=options.glob)


def _default(repo: Repo, opened: Pipelines, folder: str) -> list[int]:
    """Return the stages of the stage file here; of those below, where there is none."""
    stages = opened.graph.stages
    file = paths.join(folder, STAGE_FILE)
    require_sound(opened.project, [file])
    found = [i for i, stage in enumerate(stages) if stage.file == file]
    if not found:
        found = [i for i, stage in enumerate(stages) if paths.is_inside(stage.file, folder)]
        require_sound(opened.project, list(opened.project.broken))
    if not found:
        raise PathError(
            f"no {STAGE_FILE} in {folder or 'the project'} declares a stage",
            next_step(repo, len(stages)),
        )
    return found


def _check(repo: Repo, opened: Pipelines, chosen: Sequence[int], options: RunOptions) -> None:
    """Refuse what cannot work before anything is touched: the whole plan, the last stage too."""
    graph = opened.graph
    stages = [graph.stages[index] for index in chosen]
    resources = resources_of(repo)
    opened.decider.allow_missing = options.allow_missing
    made_inside = graphs.folders(graph.producer)
    runs = set(chosen)

    def is_made(path: RepoPath, stage: int) -> bool:
        """Tell whether another of the stages that run makes what `stage` needs."""
        found = graphs.makers(path, graph.producer, made_inside)
        return any(maker in runs and maker != stage for maker in found)

    for index, stage in zip(chosen, stages, strict=True):
        resources.check(stage)
        if not stage.frozen:
            opened.decider.require(stage, functools.partial(is_made, stage=index))
    outs = {out.path: stage for stage in stages for out in stage.outs if out.cache}
    for path in sorted(repo.git.tracked(list(outs))):
        owner = next(out for out in outs if paths.is_inside(path, out))
        raise PathError(
            f"{owner}, an output of {outs[owner].address}, is tracked by Git"
            + ("" if path == owner else f" ({path})"),
            f"`git rm -r --cached {owner}` leaves it to datavc, `cache: false` leaves it to Git",
        )


def foretell(
    repo: Repo, opened: Pipelines, chosen: Sequence[int], options: RunOptions
) -> list[Outcome]:
    """Return what a run of `chosen` would do; the run cache here is asked, no remote is."""
    hands = StageHands(repo, opened, lambda _, run: None, commit=options.commit)
    lookup = hands if options.run_cache else None
    return forecast(opened.graph, opened.decider, chosen, options, lookup)


def _pull(
    repo: Repo,
    opened: Pipelines,
    chosen: Sequence[int],
    options: ReproOptions,
    progress: Progress,
) -> None:
    """Bring dependencies that no chosen stage makes, and outputs, as far as they are missing."""
    from datavc.verbs.pull import pull

    known = inventory(repo)
    stages = [opened.graph.stages[index] for index in chosen]
    wanted = {path for s in stages for path in (*s.deps, *(out.path for out in s.outs))}
    around = {found.path for path in wanted if (found := known.containing(path)) is not None}
    missing = [p for p in sorted(around) if not os.path.lexists(repo.layout.absolute(p))]
    if missing:
        targets = [os.path.relpath(repo.layout.absolute(path), repo.here) for path in missing]
        pull(repo, targets, options.sync or SyncOptions(), progress=progress)


def _run(
    repo: Repo,
    opened: Pipelines,
    chosen: Sequence[int],
    options: ReproOptions,
    told: tuple[Reporter, Progress],
) -> ReproResult:
    reporter, progress = told
    started = time.monotonic()
    opened.locks.finish(progress)
    stages = [opened.graph.stages[index] for index in chosen]
    fetch = _fetcher(repo, reporter, options.sync)
    hands = StageHands(repo, opened, fetch, commit=options.run.commit)
    made = frozenset(out.path for stage in stages for out in stage.outs)
    watch = options.machine.watch._replace(made=made)
    machine = StageMachine(repo, opened.decider, reporter, options.machine._replace(watch=watch))
    try:
        with machine, hands:
            if any(opened.decider.entry(stage) is None for stage in stages):
                machine.prepare()  # they run, most of the time
            hands.ignored.prepare(stages)
            runner = Runner(opened.graph, opened.decider, hands, machine.parts(), options.run)
            outcomes = runner.run(chosen)
    finally:
        opened.locks.close(progress)
        opened.decider.save()
    taken = time.monotonic() - started
    for path in opened.locks.left:
        reporter.warns(f"no stage makes {path} any more; it is yours, and Git sees it")
    locks = () if repo.config.core.autostage else tuple(opened.locks.written)
    parallel = _parallel(opened.graph, outcomes, options.run.jobs)
    traced = _traces(repo, machine, options, progress) if machine.reports else None
    return ReproResult(tuple(outcomes), taken, parallel=parallel, traced=traced, locks=locks)


def _traces(
    repo: Repo, machine: StageMachine, options: ReproOptions, progress: Progress
) -> Traces:
    """Return what stages touched; what they do not declare is written down, if that was asked."""
    traced = Traces(tuple(machine.reports), machine.saw_all)
    if not options.fix:
        return traced
    from datavc.verbs.stage_fix import Undeclared, fix

    found = [Undeclared(s, r.undeclared_reads, r.undeclared_writes) for s, r in traced.reports]
    return traced._replace(fixed=fix(repo, found, progress=progress))


def _parallel(graph: Graph, outcomes: Sequence[Outcome], jobs: int) -> tuple[int, float] | None:
    """Return what a place for each core would have made of it, where it would have mattered."""
    cores = os.cpu_count() or 1
    numbers = {stage.address: index for index, stage in enumerate(graph.stages)}
    seconds = {
        numbers[one.stage.address]: one.seconds or 0.0
        for one in outcomes
        if one.action == "run" and one.state == "done"
    }
    if jobs >= cores or len(seconds) < 2:  # noqa: PLR2004 - one stage has nothing beside it
        return None
    shorter = makespan(graph, seconds, cores)
    won = sum(seconds.values()) - shorter
    return (cores, shorter) if won > max(WORTH_A_WORD_S, 0.1 * shorter) else None


def _fetcher(repo: Repo, reporter: Reporter, sync: SyncOptions | None) -> FetchRun:
    """Return what asks the remote for runs; what speaks to remotes is imported when it must."""
    asked: list[FetchRun] = []

    def fetch(key: str, known: CachedRun | None) -> CachedRun | None:
        if sync is None or repo.config.core.remote is None:
            if known is not None:
                reporter.warns(f"a run of {known.stage} is known, but its results are gone")
            return None
        if not asked:
            from datavc.verbs.run_sharing import SharedRuns

            asked.append(SharedRuns(repo, reporter.warns, sync).fetch)
        return asked[0](key, known)

    return fetch
