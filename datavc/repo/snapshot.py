"""Snapshot: the records of one moment, read-only: the workspace, the index, or a commit.

Records are pointer files, and the locks of stages.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Protocol

from datavc.core.errors import PathError
from datavc.core.outputs import LOCK_FILE
from datavc.core.paths import RepoPath, name
from datavc.repo.git import Git
from datavc.repo.layout import Layout
from datavc.repo.lock_journal import LockJournal

POINTER_LIMIT = 1 << 20
LOCK_LIMIT = 1 << 26
"""Bytes of the largest pointer file, and of the largest lock, that are read."""


class Snapshot(Protocol):
    """Where records come from; two snapshots stand side by side, neither changes the other."""

    def records(self) -> Mapping[RepoPath, bytes | PathError]:
        """Return every record's path and text, or why it cannot be read."""


class Workspace:
    """The files as they lie in the work tree now."""

    def __init__(self, git: Git, listed: Iterable[RepoPath] | None = None) -> None:
        """Look at the work tree of `git`; at the records `listed` alone, if there is a list."""
        self._git = git
        self._listed = listed
        self._journals = LockJournal(Layout(git.root).lock_journals)

    def records(self) -> Mapping[RepoPath, bytes | PathError]:
        """Return the records that Git tracks or would track."""
        found: dict[RepoPath, bytes | PathError] = {}
        for path in self._git.listing().records if self._listed is None else self._listed:
            try:
                data = read_record(self._git.root, path)
                if name(path) == LOCK_FILE:
                    data = self._journals.merged(path, data)
            except PathError as error:
                found[path] = error
                continue
            if data is not None:
                found[path] = data
        return found


class Blobs:
    """Records by Git blob: a commit's, or an index's."""

    def __init__(self, git: Git, blobs: dict[RepoPath, str]) -> None:
        """Read `blobs` (path → blob id) from `git`."""
        self._git = git
        self._blobs = blobs

    def records(self) -> Mapping[RepoPath, bytes | PathError]:
        """Return the records' texts."""
        texts = self._git.read_blobs(set(self._blobs.values()))
        return {path: texts[blob] for path, blob in self._blobs.items() if blob in texts}


def at_commit(git: Git, commit: str) -> Snapshot:
    """Return the snapshot of a full commit id."""
    return Blobs(git, git.tree_blobs(commit))


def read_record(root: str, path: RepoPath) -> bytes | None:
    """Return the bytes of a pointer file or a lock, None if it is not there.

    Raises:
        PathError: a symbolic link, or anything but a file, stands in its place.
    """
    full = os.path.join(root, path)
    limit = LOCK_LIMIT if name(path) == LOCK_FILE else POINTER_LIMIT
    try:
        with open(full, "rb", buffering=0, opener=_opened) as stream:
            return stream.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise PathError(f"{path} cannot be read: {error.strerror}") from error


def _opened(file: str, flags: int) -> int:
    return os.open(file, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
