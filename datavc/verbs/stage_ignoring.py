"""Stage ignoring: which outputs of stages Git is told to leave alone, and when."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from datavc.core import paths
from datavc.core.lock import Locked
from datavc.core.paths import RepoPath
from datavc.core.stage import Out, Stage
from datavc.repo import pointers
from datavc.repo.repo import Repo
from datavc.verbs import publishing


class IgnoredOutputs:
    """The outputs that Git ignores in one run: each before anything looks at its folder."""

    def __init__(self, repo: Repo) -> None:
        """Write nothing yet."""
        self._repo = repo
        self._done: set[RepoPath] = set()
        self._waiting: dict[str, list[RepoPath]] = {}

    def prepare(self, stages: Iterable[Stage]) -> None:
        """Have Git ignore what these stages make, before they make it; not what is left to it.

        A folder that is not there yet is a command's to make: `add` follows right after it.
        """
        outs = [out for stage in stages for out in stage.outs]
        lines: dict[RepoPath, list[tuple[str, bool]]] = {}
        for out in outs:
            if not out.cache:
                folder = RepoPath(paths.parent(out.path))
                lines.setdefault(folder, []).append((paths.name(out.path), False))
            elif not os.path.isdir(self._repo.layout.absolute(paths.parent(out.path))):
                self._waiting.setdefault(paths.parent(out.path), []).append(out.path)
        waiting = {path for found in self._waiting.values() for path in found}
        self._ignore([out.path for out in outs if out.cache and out.path not in waiting])
        publishing.stage(self._repo, pointers.remove_ignore_lines(self._repo.root, lines))

    def add(self, out: Out | Locked) -> None:
        """Have Git ignore an output that was made just now, and all that its folder will hold."""
        if out.cache and out.path not in self._done:
            self._ignore([*self._waiting.pop(paths.parent(out.path), []), out.path])

    def _ignore(self, outputs: Sequence[RepoPath]) -> None:
        touched = publishing.ignore(self._repo, [(path, False) for path in outputs])
        publishing.stage(self._repo, touched)
        self._done.update(outputs)
