"""Lock entries: what the last good run of a stage read and wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from datavc.core.digest import Digest
from datavc.core.outputs import Kind
from datavc.core.paths import RepoPath
from datavc.core.stage import Value

Params = Mapping[RepoPath, Mapping[str, Value]]
"""By parameter file: dotted key → value."""


class Locked(NamedTuple):
    """A dependency or an output as it was. `path` is below the project's root.

    `size` in bytes and `files` (of a directory) are for people and planning, never proof. The
    rest is said of outputs alone; `cache` False is left to Git.
    """

    path: RepoPath
    kind: Kind
    digest: Digest
    size: int | None = None
    files: int | None = None
    executable: bool = False
    cache: bool = True
    push: bool = True
    remote: str | None = None

    @property
    def identity(self) -> tuple[str, str, bool]:
        """What two versions that are alike share."""
        return self.kind, self.digest, self.executable


class LockEntry(NamedTuple):
    """One good run. `wdir` is below the root, empty for it; `deps` and `outs` are by path.

    `env` holds digests of declared environment variables, empty for one that was not set.
    """

    cmd: tuple[str, ...]
    wdir: str = ""
    deps: tuple[Locked, ...] = ()
    params: Params = {}
    env: Mapping[str, str] = {}
    outs: tuple[Locked, ...] = ()


Lock = dict[str, LockEntry]
"""By the name of the stage."""
