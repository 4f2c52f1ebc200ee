"""Withdrawing: pointers, ignore lines and records go again; the way back from publishing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from datavc.core import paths
from datavc.core.errors import BusyError, PathError
from datavc.core.nearest import nearest
from datavc.core.outputs import POINTER_SUFFIX, TrackedOutput
from datavc.core.paths import RepoPath
from datavc.repo import pointers
from datavc.repo.inventory import Inventory
from datavc.repo.repo import Repo
from datavc.repo.snapshot import read_record
from datavc.repo.targets import repo_path
from datavc.verbs import publishing


def whole_output(repo: Repo, known: Inventory, text: str, hint: str) -> TrackedOutput:
    """Return the output that a user's `text` names: its data's path, or its pointer file.

    `hint` is the way out where the text names a part of a tracked directory.

    Raises:
        PathError: it names no output, or a part of one.
        FormatError: its pointer file cannot be read.
    """
    path = repo_path(repo.root, repo.here, text)
    plain = RepoPath(path.removesuffix(POINTER_SUFFIX))
    for pointer in (path, pointers.pointer_path(path)):
        if pointer in known.broken:
            raise known.broken[pointer]
    for output in known.outputs.values():
        if path == output.path and output.stage:
            raise PathError(
                f"{text} is made by the stage {output.stage!r}",
                f"change its path in the stage file, or `datavc stage remove {output.stage}`",
            )
        if path in (output.path, output.recorded_in) and not output.stage:
            return output
    around = known.containing(path)
    if around is not None:
        raise PathError(f"{text} is a part of {around.path}, which is tracked as a whole", hint)
    near = nearest(plain, [str(found) for found in known.outputs])
    raise PathError(
        f"there is no tracked output {text}",
        f"did you mean {near}?" if near else "`datavc list -R --tracked` shows what is tracked",
    )


def pointer_text(repo: Repo, output: TrackedOutput) -> str:
    """Return the text of an output's pointer file.

    Raises:
        BusyError: it went away meanwhile.
    """
    data = read_record(repo.root, output.recorded_in)
    if data is None:
        raise BusyError(f"{output.recorded_in} was removed meanwhile", "repeat the command")
    return data.decode("utf-8", "surrogateescape")


def withdraw(repo: Repo, outputs: Iterable[TrackedOutput]) -> list[RepoPath]:
    """Stop tracking `outputs`; return the files of Git's that changed. The lock is held.

    The record of what was placed goes first: without it, data that no pointer names is the
    user's own, which nothing deletes.
    """
    gone = list(outputs)
    lines: dict[RepoPath, list[tuple[str, bool]]] = {}
    for output in gone:
        repo.placed.forget(output.path)
        repo.stat_cache.forget(output.path)
        folder = RepoPath(paths.parent(output.path))
        lines.setdefault(folder, []).append((paths.name(output.path), output.is_directory))
    touched = pointers.remove_ignore_lines(repo.root, lines)
    removed = [output.recorded_in for output in gone if not output.stage]
    for pointer in removed:
        pointers.remove(repo.root, pointer)
    return [*touched, *removed]


def stage(repo: Repo, touched: Sequence[RepoPath]) -> None:
    """Tell Git's index of changed and of removed files, where `core.autostage` wants it."""
    if not (repo.config.core.autostage and touched):
        return
    in_index = repo.git.tracked(touched)
    present = [p for p in touched if p in in_index or os.path.lexists(repo.layout.absolute(p))]
    publishing.stage(repo, list(dict.fromkeys(present)))
