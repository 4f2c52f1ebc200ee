"""Which files of the project a stage really read and wrote, beside those it declares.

Two ways to know: strace, which sees every program and is used where it works; else an audit hook
in each Python that the stage starts, which sees what goes through Python itself (not what pyarrow
or another program opens). `compare` is pure; the others prepare an action and read its records.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import Literal, NamedTuple

from datavc.core.errors import PathError
from datavc.core.paths import RepoPath, is_inside, parse
from datavc.core.stage import Stage
from datavc.pipeline import strace
from datavc.pipeline.executors.base import Action
from datavc.pipeline.strace import Touched

_HOOK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "audit")

SKIPPED = frozenset(
    {
        *(".git", ".datavc", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"),
        *(".ipynb_checkpoints", "node_modules", ".venv"),
    }
)
"""Folders that say nothing about a stage: bookkeeping, and code that others installed."""

_ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")


class Traced(NamedTuple):
    """What a stage touched inside the project. Files that are gone again are left out.

    `complete` tells whether every program was seen.
    """

    read: frozenset[RepoPath]
    written: frozenset[RepoPath]
    listed: frozenset[RepoPath]
    complete: bool
    how: Literal["strace", "python"]


class TraceReport(NamedTuple):
    """Where a stage's declaration and its doings differ; all sorted.

    `ignored_writes` are undeclared, but Git ignores them: caches and notes, most of the time.
    `unused_deps` is empty unless every program was seen.
    """

    undeclared_reads: tuple[RepoPath, ...]
    undeclared_writes: tuple[RepoPath, ...]
    ignored_writes: tuple[RepoPath, ...]
    unused_deps: tuple[RepoPath, ...]


def watched(action: Action, folder: str, root: str, program: str | None) -> Action:
    """Return the action with its doings recorded below `folder`, which exists and is empty.

    `root` is the project's real path; `program` is what `strace.program()` found.
    """
    if program:
        return action._replace(shell=(*strace.words(program, folder), *action.shell))
    before = action.environment.get("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    ours = {
        "DATAVC_TRACE_TO": folder,
        "DATAVC_TRACE_ROOT": root,
        "PYTHONPATH": os.pathsep.join(filter(None, (_HOOK, before))),
    }
    return action._replace(environment={**action.environment, **ours})


def collect(folder: str, root: str, start: str) -> Traced:
    """Return what the records below `folder` say; `start` is the folder the commands began in."""
    how: Literal["strace", "python"] = "python"
    touched: set[Touched] = set()
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as stream:
            record = stream.read()
        if name.startswith(strace.PREFIX):
            how = "strace"
            touched.update(strace.parse(record, start))
        else:
            touched.update(_notes(record))
    by_kind: dict[str, set[RepoPath]] = {"r": set(), "w": set(), "l": set()}
    inside = _Inside(root)
    for kind, path in touched:
        if place := inside.place(path):
            by_kind["l" if kind == "r" and os.path.isdir(path) else kind].add(place)
    return Traced(
        read=frozenset(by_kind["r"]),
        written=frozenset(by_kind["w"]),
        listed=frozenset(by_kind["l"]),
        complete=how == "strace",
        how=how,
    )


def compare(stage: Stage, traced: Traced, ignored: Collection[RepoPath] = ()) -> TraceReport:
    """Return where the stage does not do what it declares; `ignored` are paths Git ignores.

    What lies below a declared directory is declared; parameter files are declared inputs, and an
    output may be read again. A folder counts as read where nothing below it explains the listing;
    of what was made, the uppermost folder is told.
    """
    outs = {out.path for out in stage.outs}
    declared = {*stage.deps, *(params.file for params in stage.params), *outs}
    files = {path for path in traced.read - traced.written if not _below(path, declared)}
    explained = {*declared, *traced.read, *traced.written}
    folders = {
        path
        for path in traced.listed - traced.written
        if not _below(path, declared) and not any(is_inside(file, path) for file in explained)
    }
    writes = {path for path in traced.written if not _below(path, outs)}
    writes = {path for path in writes if not any(is_inside(out, path) for out in outs)}
    writes = {path for path in writes if not _below(path.rpartition("/")[0], writes)}
    touched = traced.read | traced.listed | traced.written
    unused = [dep for dep in stage.deps if not any(is_inside(path, dep) for path in touched)]
    return TraceReport(
        undeclared_reads=tuple(sorted(files | folders)),
        undeclared_writes=tuple(sorted(writes.difference(ignored))),
        ignored_writes=tuple(sorted(writes.intersection(ignored))),
        unused_deps=tuple(sorted(unused)) if traced.complete else (),
    )


def _below(path: str, declared: Collection[str]) -> bool:
    """Tell whether a path or one of the folders it is in is declared."""
    while path:
        if path in declared:
            return True
        path = path.rpartition("/")[0]
    return False


def _notes(record: bytes) -> Iterable[Touched]:
    """The audit hook's records; the last may be cut off where the process was killed."""
    for note in record.split(b"\0")[:-1]:
        yield Touched(note[:1].decode(), os.fsdecode(note[1:]))


class _Inside:
    """Which absolute paths are worth telling: there, in the project, and no bookkeeping."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")
        self._environments: dict[str, bool] = {}

    def place(self, path: str) -> RepoPath | None:
        if not path.startswith(self._root + "/") or not os.path.lexists(path):
            return None
        place = path[len(self._root) + 1 :]
        parts = place.split("/")
        if not SKIPPED.isdisjoint(parts) or self._is_installed(parts):
            return None
        try:
            return parse(place)
        except PathError:  # no name that could be declared
            return None

    def _is_installed(self, parts: list[str]) -> bool:
        folder = self._root
        for part in parts[:-1]:
            folder = f"{folder}/{part}"
            if folder not in self._environments:
                marks = (os.path.join(folder, mark) for mark in _ENVIRONMENT_MARKS)
                self._environments[folder] = any(map(os.path.exists, marks))
            if self._environments[folder]:
                return True
        return False
