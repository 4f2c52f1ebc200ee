"""why: what makes one stage differ from its last good run; or nothing."""

from __future__ import annotations

from typing import NamedTuple

from datavc.core.errors import PathError
from datavc.pipeline import graph as graphs
from datavc.pipeline.deciding import Past
from datavc.pipeline.findings import Finding, to_json
from datavc.pipeline.running import Outcome, RunOptions
from datavc.repo.repo import Repo
from datavc.verbs.pipelines import Pipelines, find, here, open_pipelines
from datavc.verbs.repro import foretell

SHOWN = 3
"""Stages that are named, where a target means several."""


class WhyResult(NamedTuple):
    """What would be done with a stage, why, and the run that it is compared with.

    `needs` are stages before it that are not up to date either. `recorded` tells whether there is
    a record of a good run; `past` is when this workspace made one, if it did.
    """

    outcome: Outcome
    needs: tuple[str, ...]
    recorded: bool
    past: Past | None

    def to_json(self) -> dict[str, object]:
        """Return the object that `repro --dry-run` lists, with values and the run beside it."""
        outcome = self.outcome
        return {
            "name": outcome.stage.address,
            "action": outcome.action,
            "reason": to_json(outcome.findings),
            "changes": [_change(finding) for finding in outcome.findings],
            "from_cache": outcome.from_cache,
            "needs": list(self.needs),
            "compared_with": None
            if not self.recorded
            else {
                "time": self.past.time_s if self.past else None,
                "seconds": self.past.seconds if self.past else None,
            },
        }


def why(repo: Repo, text: str) -> WhyResult:
    """Return why the stage that `text` names would run, or why not.

    Raises:
        PathError: it names no stage, or several.
    """
    opened = open_pipelines(repo)
    found = find(opened, text, here(repo))
    if len(found) > 1:
        names = ", ".join(opened.graph.stages[index].address for index in found[:SHOWN])
        more = " …" if len(found) > SHOWN else ""
        raise PathError(f"{text} names {len(found)} stages ({names}{more})", "name one of them")
    return _why(repo, opened, found[0])


def _why(repo: Repo, opened: Pipelines, index: int) -> WhyResult:
    graph, stage = opened.graph, opened.graph.stages[index]
    chosen = graphs.order(graph, graphs.upstream(graph, [index], past_frozen=False))
    outcomes = foretell(repo, opened, chosen, RunOptions())
    needs = [one.stage.address for one in outcomes[:-1] if one.action != "skip"]
    recorded = opened.decider.entry(stage) is not None
    return WhyResult(outcomes[-1], tuple(needs), recorded, opened.decider.past(stage))


def _change(finding: Finding) -> dict[str, object]:
    said: dict[str, object] = {"about": finding.about, "item": finding.item}
    if finding.where:
        said["file"] = finding.where
    return {**said, "state": finding.state, "old": finding.old, "new": finding.new}
