"""Saying which undeclared file made a confined stage fail: from its log, as programs say it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from datavc.core.paths import RepoPath, is_inside
from datavc.core.stage import Stage

Act: TypeAlias = Literal["read", "write", "read or write"]

_QUOTED = re.compile(r"Permission denied[^'\"‘`]*['\"‘`]([^'\"’]+)['\"’]")
_QUOTED_BEFORE = re.compile(r"['\"‘`]([^'\"’‘`]+)['\"’](?:[^'\"]*)Permission denied")
_BARE = re.compile(r"(?:^|[\s:])([^\s:'\"‘]+): Permission denied")
_WRITES = re.compile(
    r"for writing|(?:cannot|can't|could not|failed to) "
    r"(?:create|write|remove|touch|move|rename|overwrite|make|truncate|delete|unlink)"
)
_READS = re.compile(r"for reading|(?:cannot|can't|could not|failed to) read")


class Denied(NamedTuple):
    """A path that was refused, and what the stage wanted of it, as far as can be told.

    `path` is below the root, or absolute if it lies elsewhere. What is `declared` is an input:
    it may be read, so it was refused to be written.
    """

    path: str
    inside: bool
    act: Act
    declared: bool = False

    def sentence(self, stage: Stage) -> str:
        """Return what happened, in one sentence without a full stop."""
        tried = f"stage {stage.address} tried to {self.act} {self.path}"
        where = f"({stage.file}, line {stage.line})"
        if not self.inside:
            return f"{tried}, outside the project"
        if self.declared:
            return f"{tried}, which it declares among its inputs {where}"
        return f"{tried}, but does not declare it {where}"

    def hint(self, stage: Stage) -> str:
        """Return the way out."""
        if not self.inside:
            return f"bring it into the project and declare it in stage {stage.address}"
        if self.declared:
            return "a stage may only read its inputs: let it write to another path"
        if self.act == "read or write":
            return "declare it among `deps`, or `outs` if the stage makes it"
        key = "outs" if self.act == "write" else "deps"
        return f"add {self.path} to `{key}` of stage {stage.address}"


def find(stage: Stage, root: str, lines: Iterable[str]) -> Denied | None:
    """Return the first path in a log that was refused for its declaration; None if none was.

    A module that Python does not find was not refused: what it may not read, it names.
    """
    start = os.path.join(root, stage.wdir) if stage.wdir else root
    for line in lines:
        for text in _refused(line):
            full = os.path.normpath(os.path.join(start, text))
            if denied := _judge(stage, root, full, _act(line, full)):
                return denied
    return None


def _refused(line: str) -> list[str]:
    for pattern in (_QUOTED, _QUOTED_BEFORE, _BARE):
        if found := pattern.findall(line):
            return [str(text) for text in found]
    return []


def _act(line: str, full: str) -> Act:
    """What was wanted of a path: reading one that is not there is never refused, but fails."""
    if _WRITES.search(line) or not os.path.lexists(full):
        return "write"
    return "read" if _READS.search(line) else "read or write"


def _judge(stage: Stage, root: str, full: str, act: Act) -> Denied | None:
    """What a refusal of this path means; None if it is none of ours to explain."""
    if not full.startswith(root.rstrip("/") + "/"):
        return None if full == root else Denied(full, inside=False, act=act)
    path = RepoPath(full[len(root.rstrip("/")) + 1 :])
    if any(is_inside(path, out.path) for out in stage.outs):
        return None
    inputs = [*stage.deps, *(params.file for params in stage.params)]
    declared = any(is_inside(path, given) for given in inputs)
    if declared and act != "write":  # it may be read: its own mode forbids that, or to run it
        return None
    return Denied(path, inside=True, act=act, declared=declared)
