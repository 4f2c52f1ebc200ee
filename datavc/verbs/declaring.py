"""Declaring: the stages of the workspace as they are, and as a changed file would have them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from datavc.core import paths
from datavc.core.errors import FormatError, PathError
from datavc.core.nearest import nearest
from datavc.core.outputs import POINTER_SUFFIX
from datavc.core.paths import RepoPath
from datavc.core.stage import STAGE_FILE, Stage
from datavc.formats import stage_edit
from datavc.pipeline import graph as graphs
from datavc.pipeline import project as projects
from datavc.pipeline.graph import Graph
from datavc.pipeline.project import Project
from datavc.repo import pointers
from datavc.repo.files import Files, WorkspaceFiles
from datavc.repo.repo import Repo
from datavc.verbs import publishing
from datavc.verbs.pipelines import here, rendering
from datavc.verbs.scanning import inventory


class Named(NamedTuple):
    """A stage as its file names it: one, or the group that foreach or matrix makes of it."""

    file: RepoPath
    name: str


class _Changed:
    """Files, but for one that has other bytes."""

    def __init__(self, files: Files, path: RepoPath, data: bytes) -> None:
        """See `data` at `path`."""
        self._files = files
        self._path = path
        self._data = data

    def read(self, path: RepoPath) -> bytes | None:
        """Return a file's bytes, None if it is not there."""
        return self._data if path == self._path else self._files.read(path)

    def stage_files(self) -> list[RepoPath]:
        """Return the paths of all stage files, sorted."""
        return sorted({*self._files.stage_files(), self._path})


def data(repo: Repo) -> list[RepoPath]:
    """Return the outputs that pointer files record."""
    return [path for path, output in inventory(repo).outputs.items() if not output.stage]


def sound(repo: Repo, found: Project) -> Graph:
    """Return the graph of all stages.

    Raises:
        FormatError: a stage file cannot be used, or the stages do not go together.
    """
    for error in found.broken.values():
        raise error
    return graphs.build(found.stages, data(repo))


def changed(repo: Repo, file: RepoPath, new: bytes) -> Project:
    """Return what the stage files would declare with `new` in `file`.

    Raises:
        FormatError: that cannot be used, or does not go together with the rest.
    """
    found = projects.load(_Changed(WorkspaceFiles(repo.git), file, new), None, rendering(repo))
    if file in found.broken:
        raise found.broken[file]
    graphs.build(found.stages, data(repo))
    return found


def text_of(repo: Repo, file: RepoPath) -> bytes:
    """Return a stage file as it is now; nothing if it is not there."""
    return WorkspaceFiles(repo.git).read(file) or b""


def resolve(repo: Repo, text: str) -> Named:
    """Return which stage of which file a user means by `text`: `NAME`, or `FILE:NAME`.

    A bare name is one of the file here, else of the root's, else of the only other that has it.

    Raises:
        PathError: there is no such stage, several files have one, or a group of stages has it.
        FormatError: the stage file that is meant, or may be, is no YAML.
    """
    file, _, name = text.rpartition(":")
    near = [graphs.seen_from(folder, file or STAGE_FILE) for folder in (here(repo), "")]
    passed_over: list[FormatError] = []
    known = set(_names(repo, near, passed_over))
    for place in near:
        if Named(place, name) in known:
            return Named(place, name)
    found = sorted(named for named in known if named.name == text)
    if not found:
        raise passed_over[0] if passed_over else _unknown(repo, text, known)
    if len(found) > 1:
        one, other = found[:2]
        raise PathError(
            f"{text} is a stage of {one.file} and of {other.file}",
            f"say which: `{one.file}:{text}`",
        )
    return found[0]


def _names(
    repo: Repo, near: Collection[RepoPath], passed_over: list[FormatError]
) -> Iterator[Named]:
    """Yield all stages by name; files that are no YAML are `passed_over`, but for those `near`."""
    for file in WorkspaceFiles(repo.git).stage_files():
        try:
            yield from (Named(file, name) for name in stage_edit.stages(text_of(repo, file), file))
        except FormatError as error:
            if file in near:
                raise
            passed_over.append(error)


def _unknown(repo: Repo, text: str, known: Iterable[Named]) -> PathError:
    name = text.rpartition(":")[2]
    group = name.partition("@")[0]
    if group != name and any(named.name == group for named in known):
        return PathError(
            f"{text} is one of the stages that {group} stands for, which change together",
            f"name {group}",
        )
    path = text.removesuffix(POINTER_SUFFIX)
    if os.path.lexists(os.path.join(repo.here, path)):
        return PathError(f"{text} is no stage", "`datavc stage list --all` shows all stages")
    best = nearest(name, [named.name for named in known])
    hint = f"did you mean {best}?" if best else "`datavc stage list --all` shows all stages"
    return PathError(f"there is no stage {text!r}", hint)


def hidden(stages: Iterable[Stage]) -> set[RepoPath]:
    """Return the outputs that Git is told to ignore: those that are kept in the cache."""
    return {out.path for stage in stages for out in stage.outs if out.cache}


def hide(repo: Repo, outputs: Iterable[RepoPath]) -> list[RepoPath]:
    """Have Git ignore outputs whose folder is there; return the ignore files that changed."""
    there = ((path, repo.layout.absolute(path)) for path in sorted(outputs))
    return publishing.ignore(
        repo,
        [
            (path, os.path.isdir(full))
            for path, full in there
            if os.path.isdir(os.path.dirname(full))
        ],
    )


def show(repo: Repo, outputs: Iterable[RepoPath]) -> list[RepoPath]:
    """Take the ignore lines of outputs out again; return the ignore files that changed."""
    lines: dict[RepoPath, list[tuple[str, bool]]] = {}
    for path in sorted(outputs):
        lines.setdefault(RepoPath(paths.parent(path)), []).append((paths.name(path), False))
    return pointers.remove_ignore_lines(repo.root, lines)
