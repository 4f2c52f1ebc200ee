"""Layout: every path below `.datavc/`, and how a project is found. No other module spells them."""

from __future__ import annotations

import os
from typing import NamedTuple

from datavc.core.errors import NotARepository

FOLDER = ".datavc"
"""The project's own folder; what stands in it is described in `datavc help formats`."""
CONFIG = "config.toml"
LOCAL_CONFIG = "config.local.toml"
IGNORE_FILE = ".datavcignore"
SCHEMA = "datavc.schema.json"
PLOTS = "plots"
"""Templates of plots, which Git may track: they are read as data alone."""
TRACKED = (CONFIG, ".gitignore", SCHEMA)
"""What Git may track below `.datavc/`; all else there is this clone's alone."""


class Layout(NamedTuple):
    """Paths of one project. `root` is absolute, symbolic links resolved."""

    root: str

    def _below(self, *parts: str) -> str:
        return os.path.join(self.root, FOLDER, *parts)

    @property
    def folder(self) -> str:
        """The `.datavc` folder."""
        return self._below()

    @property
    def config(self) -> str:
        """Settings that Git tracks."""
        return self._below(CONFIG)

    @property
    def local_config(self) -> str:
        """Settings of this clone alone, mode 0600; the place for secrets."""
        return self._below(LOCAL_CONFIG)

    @property
    def default_cache(self) -> str:
        """The cache when `cache.dir` does not name another."""
        return self._below("cache")

    @property
    def state(self) -> str:
        """Memos and the lock of this workspace."""
        return self._below("state")

    @property
    def stat(self) -> str:
        """The stat cache: one folder an output."""
        return self._below("state", "stat")

    @property
    def loose(self) -> str:
        """What single files were when last read: dependencies and outputs of stages."""
        return self._below("state", "loose")

    @property
    def pipeline(self) -> str:
        """Memos of stages: what their files declare, parameters, times of past runs."""
        return self._below("state", "pipeline")

    @property
    def lock_journals(self) -> str:
        """Entries of stages that their lock files do not hold yet."""
        return self._below("state", "locks")

    @property
    def repro_lock(self) -> str:
        """Held while stages run in this workspace."""
        return self._below("state", "repro.lock")

    @property
    def placed(self) -> str:
        """Which files of each output this workspace has had."""
        return self._below("state", "placed")

    @property
    def lock(self) -> str:
        """The repository's lock."""
        return self._below("state", "lock")

    @property
    def workspace_id(self) -> str:
        """What tells this workspace from one at the same path of another machine."""
        return self._below("state", "workspace")

    @property
    def ops(self) -> str:
        """The operation log."""
        return self._below("ops")

    @property
    def tmp(self) -> str:
        """Temporary files on the workspace's file system."""
        return self._below("tmp")

    @property
    def logs(self) -> str:
        """Output of stages, and crash reports."""
        return self._below("logs")

    def absolute(self, path: str) -> str:
        """Return the absolute path of a RepoPath; the root itself for the empty string."""
        return os.path.join(self.root, path) if path else self.root


IGNORED_HERE = (
    f"/{LOCAL_CONFIG}",
    "/cache/",
    "/state/",
    "/ops/",
    "/tmp/",
    "/logs/",
    f"/{SCHEMA}",
)
"""Lines of `.datavc/.gitignore`: all but the config. The schema may be tracked all the same:
it is that of the datavc that wrote it, and nothing of ours reads it."""


def find(start: str) -> Layout:
    """Return the project that contains `start`.

    Raises:
        NotARepository: no folder from `start` up to the root holds `.datavc`.
    """
    folder = os.path.realpath(start)
    while True:
        if os.path.isdir(os.path.join(folder, FOLDER)):
            return Layout(folder)
        parent = os.path.dirname(folder)
        if parent == folder:
            break
        folder = parent
    raise NotARepository(
        f"no datavc project in {start} or the folders above it",
        "`datavc init` starts one at the top of a Git repository",
    )
