"""What the stage files of one version declare as metrics, parameters and plots."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from datavc.core.paths import RepoPath, join, parent
from datavc.core.stage import PARAMS_FILE, ParamsDep, PlotDefinition, PlotProperties, StageFile
from datavc.pipeline import project
from datavc.repo.repo import Repo
from datavc.verbs import pipelines
from datavc.verbs.reading import Reader


class Declared(NamedTuple):
    """Files of metrics; parameter files; the keys that stages use; plots with their stage files.

    Each once, in the order of the stage files.
    """

    metrics: tuple[RepoPath, ...] = ()
    params: tuple[RepoPath, ...] = ()
    used: tuple[ParamsDep, ...] = ()
    plots: tuple[tuple[RepoPath, PlotDefinition], ...] = ()


def declared(files: Iterable[StageFile]) -> Declared:
    """Return what `files` declare.

    A `params.yaml` beside a stage file counts without being named.
    """
    metrics: dict[RepoPath, None] = {}
    params: dict[RepoPath, None] = {}
    used: list[ParamsDep] = []
    plots: list[tuple[RepoPath, PlotDefinition]] = []
    for file in files:
        outs = [out for stage in file.stages for out in stage.outs]
        metrics |= dict.fromkeys(out.path for out in outs if out.kind == "metric")
        metrics |= dict.fromkeys(file.metrics)
        deps = [dep for stage in file.stages for dep in stage.params]
        params |= dict.fromkeys((join(parent(file.file), PARAMS_FILE),))
        params |= dict.fromkeys((*file.params, *(dep.file for dep in deps)))
        used += deps
        plots += [(file.file, definition) for definition in file.plots]
        plots += [
            (file.file, PlotDefinition(out.path, path=out.path, properties=properties))
            for out in outs
            if out.kind == "plot"
            for properties in out.plots or (PlotProperties(),)
        ]
    return Declared(tuple(metrics), tuple(params), tuple(used), tuple(plots))


def at(repo: Repo, reader: Reader) -> tuple[Declared, tuple[str, ...]]:
    """Return what one version declares, and a warning for each stage file that was passed over."""
    if reader.commit is None:
        found = pipelines.declared(repo)
    else:
        found = project.load(reader.files, rendering=pipelines.rendering(repo))
    warnings = tuple(f"{error.message}; it was passed over" for error in found.broken.values())
    return declared(found.files), warnings
