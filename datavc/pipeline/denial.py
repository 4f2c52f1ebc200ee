"""Saying which undeclared file made a confined stage fail: from its log, as programs say it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from datavc.core.paths import RepoPath, is_inside
from datavc.core.stage import Stage

_QUOTED = re.compile(r"Permission denied[^'\"‘`]*['\"‘`]([^'\"’]+)['\"’]")
_QUOTED_BEFORE = re.compile(r"['\"‘`]([^'\"’‘`]+)['\"’](?:[^'\"]*)Permission denied")
_BARE = re.compile(r"(?:^|[\s:])([^\s:'\"‘]+): Permission denied")
_MODULE = re.compile(r"(?:No module named|cannot import name) ['\"]?([\w.]+)")


class Denied(NamedTuple):
    """A path that was refused. `path` is below the root, or absolute if it lies elsewhere.

    `written` tells that it is declared as an input, or not there: the stage wanted to write it.
    """

    path: str
    inside: bool
    written: bool

    def sentence(self, stage: Stage) -> str:
        """Return what happened, in one sentence without a full stop."""
        verb = "write" if self.written else "read"
        where = f"does not declare it ({stage.file}, line {stage.line})"
        if not self.inside:
            return f"stage {stage.address} tried to {verb} {self.path}, outside the project"
        return f"stage {stage.address} tried to {verb} {self.path}, but {where}"

    def hint(self, stage: Stage) -> str:
        """Return the way out."""
        if not self.inside:
            return f"bring it into the project and declare it in stage {stage.address}"
        key = "outs" if self.written else "deps"
        return f"add {self.path} to `{key}` of stage {stage.address}"


def find(stage: Stage, root: str, lines: Iterable[str]) -> Denied | None:
    """Return the first refused path in a log that the stage does not declare; None if none is."""
    start = os.path.join(root, stage.wdir) if stage.wdir else root
    for line in lines:
        for text in _refused(line):
            denied = _judge(stage, root, os.path.normpath(os.path.join(start, text)))
            if denied:
                return denied
        if match := _MODULE.search(line):
            folders = [start, *_code_folders(stage, root)]
            if (module := _module(match[1], folders)) and (denied := _judge(stage, root, module)):
                return denied
    return None


def _refused(line: str) -> list[str]:
    for pattern in (_QUOTED, _QUOTED_BEFORE, _BARE):
        if found := pattern.findall(line):
            return [str(text) for text in found]
    return []


def _judge(stage: Stage, root: str, full: str) -> Denied | None:
    """What a refusal of this path means; None if it is none of ours to explain."""
    inputs = [*stage.deps, *(params.file for params in stage.params)]
    if not full.startswith(root.rstrip("/") + "/"):
        return None if full == root else Denied(full, inside=False, written=not _is_there(full))
    path = RepoPath(full[len(root.rstrip("/")) + 1 :])
    if any(is_inside(path, out.path) for out in stage.outs):
        return None
    declared = any(is_inside(path, given) for given in inputs)
    return Denied(path, inside=True, written=declared or not _is_there(full))


def _code_folders(stage: Stage, root: str) -> Sequence[str]:
    """Where Python looks for modules beside a script: the script's folder."""
    scripts = [dep for dep in stage.deps if dep.endswith(".py")]
    return [os.path.dirname(os.path.join(root, script)) for script in scripts]


def _module(name: str, folders: Iterable[str]) -> str | None:
    """The file or folder of a module that is there though Python was not let to see it."""
    parts = name.split(".")
    for folder in folders:
        for depth in range(len(parts), 0, -1):
            base = os.path.join(folder, *parts[:depth])
            for candidate in (f"{base}.py", base):
                if _is_there(candidate):
                    return candidate
    return None


def _is_there(path: str) -> bool:
    return os.path.lexists(path)
