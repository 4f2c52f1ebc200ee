"""Files: any file of a moment by its path, read-only: the workspace's, or a commit's.

What datavc tracks is not among a commit's files: those bytes are in the cache.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from typing import Protocol

from datavc.core.errors import PathError
from datavc.core.paths import RepoPath
from datavc.core.stage import is_stage_file
from datavc.repo.git import Git

LIMIT = 64 << 20
"""Bytes of the largest file that is read whole: stage, parameter and metrics files."""


class Files(Protocol):
    """Where the files come from; two stand side by side, neither changes the other."""

    def read(self, path: RepoPath) -> bytes | None:
        """Return a file's bytes, None if it is not there.

        Raises:
            PathError: it is no file, larger than `LIMIT`, outside the project, or unreadable.
        """

    def stage_files(self) -> list[RepoPath]:
        """Return the paths of all stage files, sorted."""


class WorkspaceFiles:
    """The files as they lie in the work tree now."""

    def __init__(self, git: Git, listed: Sequence[RepoPath] | None = None) -> None:
        """Look at the work tree of `git`; its stage files are `listed`, if that is known."""
        self._git = git
        self._listed = listed

    def read(self, path: RepoPath) -> bytes | None:
        """Return what lies at `path` now; links are followed inside the project."""
        full = os.path.join(self._git.root, path)
        try:
            if not os.path.realpath(full).startswith(self._git.root.rstrip("/") + "/"):
                raise PathError(f"{path} leads out of the project")
            with open(full, "rb", buffering=0, opener=_without_waiting) as stream:
                status = os.fstat(stream.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise PathError(f"{path} is not a file")
                _check_size(path, status.st_size)
                return stream.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise PathError(f"{path} cannot be read: {error.strerror}") from error

    def stage_files(self) -> list[RepoPath]:
        """Return the stage files that Git tracks or would track."""
        return list(self._git.listing().stage_files if self._listed is None else self._listed)


class CommitFiles:
    """The files of one commit, by its full id."""

    def __init__(self, git: Git, commit: str) -> None:
        """Look into `commit`."""
        self._git = git
        self._commit = commit

    def read(self, path: RepoPath) -> bytes | None:
        """Return what the commit has at `path`."""
        data = self._git.read_file(self._commit, path)
        if data is not None:
            _check_size(path, len(data))
        return data

    def stage_files(self) -> list[RepoPath]:
        """Return the commit's stage files."""
        return sorted(self._git.tree_blobs(self._commit, is_stage_file))


def _without_waiting(path: str, flags: int) -> int:
    """Open for reading; a named pipe without a writer does not hold us."""
    return os.open(path, flags | os.O_NONBLOCK)


def _check_size(path: str, size: int) -> None:
    if size > LIMIT:
        raise PathError(f"{path} is larger than {LIMIT >> 20} MiB, which no such file is")
