"""Forecast: what a run would do, stage by stage, without doing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from datavc.core.errors import DatavcError
from datavc.pipeline.deciding import Decider
from datavc.pipeline.graph import Graph
from datavc.pipeline.runcache import CachedRun, is_remembered
from datavc.pipeline.running import Outcome, RunOptions


class Lookup(Protocol):
    """Answers from the run cache."""

    def fetch_run(self, key: str) -> CachedRun | None:
        """Return a run of these inputs, None if nobody knows one."""


def forecast(
    graph: Graph,
    decider: Decider,
    chosen: Sequence[int],
    options: RunOptions,
    lookup: Lookup | None,
) -> list[Outcome]:
    """Return what a run of `chosen`, in their order, would do.

    What a stage that is to run will make nobody knows, so what depends on it is foretold to run;
    if it makes the same again, that is left out. What the run cache will give is known.
    """
    outcomes = []
    ran: set[int] = set()
    for index in chosen:
        stage = graph.stages[index]
        after_run = not ran.isdisjoint(graph.needs[index])
        force = options.force or (options.force_downstream and after_run)
        try:
            found = decider.decide(stage, force=force)
        except DatavcError as error:
            failed = Outcome(stage, "run", state="failed", error=error.message, hint=error.hint)
            outcomes.append(failed)
            continue
        action = found.decision.action
        outcome = Outcome(stage, action, found.decision.findings, found.seconds)
        if action == "run":
            ran.add(index)
            run = None
            if lookup and not force and is_remembered(stage) and not found.inputs.pending:
                run = lookup.fetch_run(decider.key(stage, found.inputs))
            if run is not None:
                outcome = outcome._replace(action="restore", from_cache=True, seconds=run.seconds)
            decider.foresee(stage, None if run is None else run.entry)
        elif action == "restore" and found.entry is not None:
            decider.foresee(stage, found.entry)
        outcomes.append(outcome)
    return outcomes
