"""Stage status: which stages are not up to date, and why; part of `status`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from datavc.core import digest as digests
from datavc.core.errors import DatavcError
from datavc.core.paths import RepoPath
from datavc.pipeline import graph as graphs
from datavc.pipeline.findings import to_json
from datavc.pipeline.project import Project
from datavc.repo.inventory import Inventory
from datavc.repo.repo import Repo
from datavc.repo.targets import NotTrackedError, Selection, select
from datavc.verbs.pipelines import (
    Pipelines,
    compared,
    declared,
    here,
    open_pipelines,
    require_sound,
)
from datavc.verbs.stage_words import why

Differing = dict[str, tuple[str, list[object]]]
"""By stage: the reasons as a person reads them, and as programs do."""


class Meant(NamedTuple):
    """Stages by number, targets that name none, the stages' outputs, and what declares all."""

    stages: list[int]
    rest: list[str]
    outs: set[RepoPath]
    project: Project

    def select(self, data: Inventory, targets: Sequence[RepoPath]) -> list[Selection]:
        """Return the parts of `data` that targets name which are no stages.

        Raises:
            FormatError: one names nothing, and a stage file that may declare it cannot be used.
            PathError: one names nothing.
        """
        try:
            return select(data, targets, [stage.address for stage in self.project.stages])
        except NotTrackedError:
            require_sound(self.project, list(self.project.broken))
            raise


class StageStatus:
    """The stages of one workspace, compared with their last good runs."""

    def __init__(self, repo: Repo, pipelines: Pipelines) -> None:
        """Compare nothing yet."""
        self._repo = repo
        self.pipelines = pipelines

    def sound(self, chosen: Sequence[Selection]) -> frozenset[RepoPath]:
        """Return the outputs of stages that are whole files as recorded, and in the cache.

        One stat each: what is not among them is looked at more closely.
        """
        found = {}
        for selection in chosen:
            output = selection.output
            if not (output.stage and selection.whole) or output.is_directory:
                continue
            try:
                seen = self.pipelines.sight.look(output.path, digests.algorithm(output.digest))
            except DatavcError:
                continue
            alike = seen is not None and (seen.kind, seen.digest, seen.executable) == (
                *("file", output.digest),
                output.pointer.executable,
            )
            if alike:
                found[output.path] = output.digest
        missing = self._repo.objects.missing(set(found.values()))
        return frozenset(path for path, digest in found.items() if digest not in missing)

    def meant(self, targets: Sequence[str]) -> Meant:
        """Tell which targets are stages, or are made by stages; the others are data's."""
        graph, folder = self.pipelines.graph, here(self._repo)
        indices: set[int] = set() if targets else set(range(len(graph.stages)))
        rest = []
        for text in targets:
            try:
                indices.update(graphs.find(graph, text, folder))
            except DatavcError:
                rest.append(text)
        outs = {out.path for index in indices for out in graph.stages[index].outs}
        return Meant(sorted(indices), rest, outs, self.pipelines.project)

    def compare(self, meant: Meant, into: Differing, warnings: list[str]) -> None:
        """Add the stages among `meant` that differ."""
        warnings += [error.message for error in self.pipelines.project.broken.values()]
        decider = self.pipelines.decider
        for index in meant.stages:
            stage = self.pipelines.graph.stages[index]
            try:
                found = decider.differences(stage)
            except DatavcError as error:
                warnings.append(f"{stage.address}: {error.message}")
                continue
            if found:
                into[stage.address] = why(found), to_json(found)
        decider.save()


def stages_of(repo: Repo) -> StageStatus:
    """Return the status of all stages of the workspace."""
    return StageStatus(repo, open_pipelines(repo))


def opened(repo: Repo, listed: Sequence[RepoPath], known: Inventory) -> StageStatus:
    """Return the status of the stages in the stage files `listed`."""
    return StageStatus(repo, compared(repo, declared(repo, listed), known))


def declared_outputs(repo: Repo) -> set[RepoPath]:
    """Return what stages of the workspace make: theirs, also where the lock was removed."""
    return {out.path for stage in declared(repo).stages for out in stage.outs}
