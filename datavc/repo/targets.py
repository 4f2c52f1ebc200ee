"""Targets: what users type, turned into paths of the project and parts of tracked outputs."""

from __future__ import annotations

import fnmatch
import functools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from datavc.core import paths
from datavc.core.errors import PathError
from datavc.core.nearest import nearest
from datavc.core.outputs import POINTER_SUFFIX, TrackedOutput
from datavc.core.paths import RepoPath
from datavc.core.stage import STAGE_FILE
from datavc.repo.inventory import Inventory

_MAGIC = re.compile(r"[*?\[]")
_PIECES = re.compile(r"(\*+|\?|\[!?\]?[^\]]*\])")


class NotTrackedError(PathError):
    """What a user named is tracked nowhere, and no stage recorded it."""


class Selection(NamedTuple):
    """An output and which of its files are meant: paths or patterns below it; none means all."""

    output: TrackedOutput
    inside: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether all of the output is meant."""
        return not self.inside

    def covers(self, path: str) -> bool:
        """Tell whether the file at `path`, below the output, is meant."""
        if not self.inside:
            return True
        plain, patterns = _parted(self.inside)
        return not plain.isdisjoint(_upwards(path)) or any(_matcher(p)(path) for p in patterns)


def repo_path(root: str, here: str, text: str) -> RepoPath:
    """Return what a user's `text`, typed in the folder `here`, names below the project's `root`.

    The path itself may be a symbolic link, its folders are resolved.

    Raises:
        PathError: outside the project, in `.git` or `.datavc`, or not a usable name.
    """
    full = os.path.normpath(os.path.join(here, text)) if text else here
    full = os.path.join(os.path.realpath(os.path.dirname(full)), os.path.basename(full))
    if full == root:
        return RepoPath("")
    if not full.startswith(root + os.sep):
        raise PathError(
            f"{text} lies outside the project {root}", "only what is inside can be tracked"
        )
    try:
        return paths.parse(full[len(root) + 1 :])
    except PathError as error:
        raise PathError(f"{text}: {error.message}", error.hint) from error


def select(
    inventory: Inventory, targets: Sequence[RepoPath], stages: Iterable[str] = ()
) -> list[Selection]:
    """Return the parts of tracked outputs that `targets` name; all outputs if there are none.

    A target is an output, its pointer file, a path or pattern inside a tracked directory, or a
    folder with outputs below it. `stages` are names that a mistyped one may have meant.

    Raises:
        NotTrackedError: a target names nothing tracked.
        PathError: it lies inside a file.
        FormatError: the pointer file that it needs cannot be read.
    """
    if not targets:
        return [Selection(output) for output in inventory.outputs.values()]
    chosen: dict[RepoPath, list[str] | None] = {}
    for target in targets:
        found = _named(inventory, target)
        if not found:
            raise not_tracked(inventory, target, stages)
        for output, inside in found:
            known = chosen.setdefault(output.path, [])
            if known is None or not inside:
                chosen[output.path] = None
            else:
                known.append(inside)
    return [
        Selection(inventory.outputs[path], tuple(inside or ()))
        for path, inside in sorted(chosen.items())
    ]


def _named(inventory: Inventory, target: RepoPath) -> list[tuple[TrackedOutput, str]]:
    for pointer in (target, RepoPath(target + POINTER_SUFFIX)):
        if pointer in inventory.broken:
            raise inventory.broken[pointer]
    plain = RepoPath(target.removesuffix(POINTER_SUFFIX))
    output = inventory.containing(target) or inventory.outputs.get(plain)
    if output is not None:
        inside = "" if output.path == plain else paths.relative(target, output.path)
        if inside and not output.is_directory:
            raise PathError(f"{target} names nothing: {output.path} is a file")
        return [(output, inside)]
    below = [(output, "") for output in inventory.below(target)]
    if not below and _MAGIC.search(target):
        below = [(out, "") for path, out in inventory.outputs.items() if _covers(target, path)]
    return below or _made_by(inventory, target)


def _made_by(inventory: Inventory, target: RepoPath) -> list[tuple[TrackedOutput, str]]:
    """Return what a stage, a group of stages, or the stages of a stage file made.

    A stage is named as a path beside its file, or as `FILE:STAGE`.
    """
    found = []
    for output in inventory.outputs.values():
        folder = paths.parent(output.recorded_in)
        file = paths.join(folder, STAGE_FILE)
        named = {output.stage, output.stage.partition("@")[0]}
        names = {paths.join(folder, name) for name in named}
        if output.stage and target in names | {file, *(f"{file}:{name}" for name in named)}:
            found.append((output, ""))
    return found


def narrow(output: TrackedOutput, targets: Sequence[RepoPath]) -> Selection | None:
    """Return the part of one version that `targets` name, None if they name none of it."""
    if not targets:
        return Selection(output)
    inside: list[str] = []
    for target in targets:
        plain = target.removesuffix(POINTER_SUFFIX)
        if plain == output.path or _covers(target, output.path):
            return Selection(output)
        if output.is_directory and paths.is_inside(target, output.path):
            inside.append(paths.relative(target, output.path))
    return Selection(output, tuple(inside)) if inside else None


def not_tracked(inventory: Inventory, target: str, stages: Iterable[str] = ()) -> NotTrackedError:
    """Return the error that says `target` is not tracked, with the nearest that is, or stage."""
    outputs = inventory.outputs.values()
    made = [o for o in outputs if o.stage]
    names = {paths.join(paths.parent(output.recorded_in), output.stage) for output in made}
    near = nearest(target, [*(str(output.path) for output in outputs), *names, *stages])
    hint = (
        f"did you mean {near}?"
        if near
        else "`datavc list -R --tracked` shows what is tracked, `datavc add` tracks more"
    )
    return NotTrackedError(f"{target} is not tracked by datavc", hint)


def require_matches(selection: Selection, found: Iterable[str]) -> None:
    """Refuse a selection of which a part covers none of the paths `found` below its output.

    Raises:
        PathError: names the part.
    """
    plain, patterns = _parted(selection.inside)
    wanting = {*plain, *patterns}
    for path in found:
        if not wanting:
            return
        wanting.difference_update(_upwards(path))
        wanting -= {p for p in patterns if p in wanting and _matcher(p)(path)}
    if wanting:
        part = sorted(wanting)[0]
        raise PathError(
            f"{selection.output.path}/{part} names nothing in {selection.output.path}",
            f"`datavc list {selection.output.path}` shows what is there",
        )


def _covers(pattern: str, path: str) -> bool:
    if paths.is_inside(path, pattern):
        return True
    return bool(_MAGIC.search(pattern)) and _matcher(pattern)(path)


@functools.lru_cache(maxsize=64)
def _parted(inside: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the paths, which a look-up answers, and the patterns, which cost a match each.

    A path with a letter that patterns use is both: a file may be named like that.
    """
    return frozenset(inside), tuple(part for part in inside if _MAGIC.search(part))


def _upwards(path: str) -> Iterator[str]:
    """Yield `path` and the folders above it."""
    while path:
        yield path
        path = paths.parent(path)


@functools.lru_cache(maxsize=256)
def _matcher(pattern: str) -> Callable[[str], bool]:
    """Return a test for shell patterns, where `*` stays in one folder and `**` does not."""
    parts = [".*" if part == "**" else _in_one_folder(part) for part in pattern.split("/")]
    expression = re.compile("/".join(parts).replace(".*/", "(?:.*/)?") + "(?:/.*)?", re.DOTALL)
    return lambda path: expression.fullmatch(path) is not None


def _in_one_folder(part: str) -> str:
    """Return the expression of one name's pattern, none of which means a slash."""
    found = []
    for piece in _PIECES.split(part):
        if piece.startswith("*"):
            found.append("[^/]*")
        elif piece == "?":
            found.append("[^/]")
        elif len(piece) > 2 and piece[0] == "[":
            found.append(fnmatch.translate(piece)[4:-3])
        else:
            found.append(re.escape(piece))
    return "".join(found)
