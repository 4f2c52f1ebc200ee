"""Wanting: what people are told of an input that is not there, and of what they may have meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from datavc.core import paths
from datavc.core.errors import DatavcError
from datavc.core.nearest import nearest
from datavc.core.outputs import POINTER_SUFFIX
from datavc.core.paths import RepoPath
from datavc.core.stage import Stage


def no_dependency(
    stage: Stage,
    path: RepoPath,
    stages: Sequence[Stage],
    data: Collection[RepoPath],
    beside: Iterable[str],
) -> DatavcError:
    """Return the error of a stage that needs `path`; `beside` are the names in its folder.

    `data` is what pointer files record.
    """
    hint = ""
    for tracked in data:
        if paths.is_inside(path, tracked):
            hint = f"`datavc pull {tracked}` brings it, or `datavc repro --pull`"
    for other in stages:
        if any(paths.is_inside(path, out.path) for out in other.outs):
            hint = f"`datavc repro {other.address}` makes it"
    if not hint:
        made = {out.path for other in stages if other != stage for out in other.outs}
        near = _nearest(path, {*data, *made}, beside)
        lost = "check the spelling; no stage makes it and nothing tracks it"
        hint = f"did you mean {near}?" if near else lost
    return DatavcError(f"{stage.where}: {stage.address} needs {path}, which is not there", hint)


def no_parameter(stage: Stage, error: DatavcError) -> DatavcError:
    """Return the error of a parameter that is missing, as that of the stage that needs it."""
    return DatavcError(f"{stage.where}: {stage.address}: {error.message}", error.hint)


def _nearest(path: RepoPath, known: Iterable[RepoPath], beside: Iterable[str]) -> str:
    """Return which known path was meant: one whose name in the same folder is like it, first."""
    folder = paths.parent(path)
    names = {paths.name(one) for one in known if paths.parent(one) == folder}
    names.update(name for name in beside if not name.endswith(POINTER_SUFFIX))
    near = nearest(paths.name(path), names - {paths.name(path)})
    return paths.join(folder, near) if near else nearest(path, known)
