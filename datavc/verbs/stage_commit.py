"""Stage commit: take stages as they lie there for good, without running them; part of `commit`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from datavc.core.errors import DatavcError
from datavc.core.paths import RepoPath
from datavc.core.progress import Progress
from datavc.core.stage import Stage
from datavc.pipeline.findings import NOT_IN_CACHE, Finding
from datavc.pipeline.plan import entry_of
from datavc.pipeline.running import Done
from datavc.repo.repo import Repo
from datavc.store.lock import repository_lock
from datavc.verbs.pipelines import Pipelines
from datavc.verbs.stage_hands import StageHands
from datavc.verbs.stage_words import why

Ask = Callable[[str], bool]
"""Is told what changed of a stage, and asked whether to record it."""


def differing(repo: Repo, pipelines: Pipelines, chosen: Sequence[int]) -> list[tuple[Stage, str]]:
    """Return the chosen stages that are not as recorded, or not in the cache, with the reasons.

    What cannot be recorded, because a part of it is not there, is left out.
    """
    found = []
    for index in chosen:
        stage = pipelines.graph.stages[index]
        findings = pipelines.decider.differences(stage) or _lost(repo, pipelines, stage)
        whole = all(pipelines.sight.exists(path) for path in _paths(stage))
        if findings and whole:
            found.append((stage, why(findings)))
    return found


def _lost(repo: Repo, pipelines: Pipelines, stage: Stage) -> tuple[Finding, ...]:
    """Return the outputs that are as recorded, by a run that did not commit them."""
    entry = pipelines.decider.entry(stage)
    outs = {} if entry is None else {out.path: out.digest for out in entry.outs if out.cache}
    missing = repo.objects.missing(set(outs.values()))
    return tuple(
        Finding("output", path, NOT_IN_CACHE) for path, digest in outs.items() if digest in missing
    )


def commit_stages(
    repo: Repo,
    pipelines: Pipelines,
    changed: Sequence[tuple[Stage, str]],
    agrees: Ask | None,
    progress: Progress,
) -> list[str]:
    """Record what lies at inputs and outputs of stages as their last good runs; return names.

    `agrees` None is a yes to all.

    Raises:
        DatavcError: a parameter is missing, or an output cannot be stored.
    """
    meant = [
        stage
        for stage, reason in changed
        if agrees is None or agrees(f"Record {stage.address} ({reason})?")
    ]
    timeout_s = repo.config.core.lock_timeout_s
    with repository_lock(repo.layout.repro_lock, timeout_s, progress):
        pipelines.locks.finish(progress)
        hands = StageHands(repo, pipelines, lambda _, run: None, commit=True)
        with hands:
            hands.publish([_done(pipelines, hands, stage) for stage in meant])
        pipelines.locks.close(progress)
    pipelines.decider.save()
    return [stage.address for stage in meant]


def _done(pipelines: Pipelines, hands: StageHands, stage: Stage) -> Done:
    inputs = pipelines.decider.inputs(stage, sure=True)
    for path, seen in inputs.deps.items():
        if seen is None:
            raise DatavcError(f"{stage.where}: {stage.address} needs {path}, which is not there")
    outs = [hands.record(out) for out in stage.outs]
    return Done(stage, entry_of(stage, inputs, outs))


def _paths(stage: Stage) -> list[RepoPath]:
    return [*stage.deps, *(out.path for out in stage.outs)]
