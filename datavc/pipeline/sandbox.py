"""Confining a stage to what it declares, and saying what it would have needed besides.

The kernel (Landlock) allows paths and forbids nothing, so an output that is not there yet needs a
rule on the folder it will lie in. Where that folder holds other files too, the kernel cannot tell
them apart: such a folder is `shared`, and only a trace and a look before and after (`survey`)
show what the stage did there. An output in a folder of its own is confined exactly.

Every folder of the project may be listed, declared or not: Python finds a module by listing its
folder, and a pattern (`*.csv`) finds nothing, silently, in a folder that cannot be listed. So a
stage can see the names of undeclared files, and is not refused for it; their bytes it cannot.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from datavc.core.outputs import LOCK_FILE
from datavc.core.paths import RepoPath, is_inside
from datavc.core.stage import Stage
from datavc.pipeline import surroundings
from datavc.pipeline.executors import landlock
from datavc.pipeline.executors.base import LIST, Confinement
from datavc.pipeline.tracing import SKIPPED

_HARMLESS = frozenset({".gitignore", ".gitkeep", ".datavcignore", "__pycache__", LOCK_FILE})


class Confined(NamedTuple):
    """What a stage may touch, and the folders in which that is more than it declares."""

    confinement: Confinement
    shared: tuple[RepoPath, ...]


class Place(NamedTuple):
    """Where a stage is confined: all absolute and real.

    `temporary` is its own folder for temporary files, which is there; `also_read` are paths that
    its files may be links into (the cache).
    """

    root: str
    temporary: str
    also_read: tuple[str, ...] = ()


def unavailable() -> str:
    """Return why stages cannot be confined here; empty if they can."""
    if sys.platform != "linux":
        return "confining a stage needs Linux"
    return "" if landlock.version() else "this kernel has no Landlock (Linux 5.13 and later have)"


def confine(stage: Stage, place: Place, environment: Mapping[str, str] = os.environ) -> Confined:
    """Return what `stage` may touch; its old outputs are expected to be gone."""
    inputs = [*stage.deps, *(params.file for params in stage.params)]
    outs = [out.path for out in stage.outs]
    read = [_absolute(place.root, path) for path in inputs]
    write: list[str] = [place.temporary, *surroundings.devices()]
    shared: set[RepoPath] = set()
    for out in outs:
        full = _absolute(place.root, out)
        folder = full if os.path.isdir(full) else _existing(place.root, out)
        write += [full, folder]
        if folder != full and not _holds_only(place.root, folder, [*inputs, *outs]):
            shared.add(RepoPath(folder[len(place.root) + 1 :]))
    real = [os.path.realpath(path) for path in read]
    system = surroundings.readable(place.root, environment)
    allowed = dict.fromkeys([LIST + place.root, *system, *read, *real, *place.also_read])
    return Confined(
        Confinement(tuple(allowed), tuple(dict.fromkeys(write))), tuple(sorted(shared))
    )


def environment(temporary: str) -> dict[str, str]:
    """Return the variables by which programs find the folder for temporary files."""
    return dict.fromkeys(("TMPDIR", "TMP", "TEMP"), temporary)


def survey(root: str, folders: Iterable[str], stage: Stage) -> dict[RepoPath, tuple[int, ...]]:
    """Return what identifies each file in `folders` that is no output of `stage`."""
    outs = {out.path for out in stage.outs}
    found: dict[RepoPath, tuple[int, ...]] = {}
    waiting = [folder for folder in folders if not _inside_another(folder, folders)]
    while waiting:
        folder = waiting.pop()
        with os.scandir(_absolute(root, folder)) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if path in outs or entry.name in SKIPPED | _HARMLESS:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                else:
                    status = entry.stat(follow_symlinks=False)
                    identity = (
                        status.st_ino,
                        status.st_size,
                        status.st_mtime_ns,
                        status.st_ctime_ns,
                    )
                    found[RepoPath(path)] = identity
    return found


def changed(
    before: Mapping[RepoPath, tuple[int, ...]], after: Mapping[RepoPath, tuple[int, ...]]
) -> list[RepoPath]:
    """Return the files that were made, changed or removed between two surveys, sorted."""
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


def within(paths: Iterable[RepoPath], shared: Iterable[str]) -> tuple[RepoPath, ...]:
    """Return the paths that the kernel let pass because they lie in shared folders."""
    folders = tuple(shared)
    return tuple(path for path in paths if any(is_inside(path, folder) for folder in folders))


def _absolute(root: str, path: str) -> str:
    return os.path.join(root, path) if path else root


def _existing(root: str, path: str) -> str:
    """The nearest folder above `path` that is there."""
    folder = os.path.dirname(_absolute(root, path))
    while folder != root and not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


def _holds_only(root: str, folder: str, declared: Iterable[str]) -> bool:
    """Tell whether all that lies in `folder` is declared."""
    known = {_absolute(root, path) for path in declared}
    for entry in os.scandir(folder):
        if entry.path in known or entry.name in _HARMLESS:
            continue
        if not entry.is_dir(follow_symlinks=False) or not _holds_only(root, entry.path, declared):
            return False
    return True


def _inside_another(folder: str, folders: Iterable[str]) -> bool:
    return any(folder != other and is_inside(folder, other) for other in folders)
