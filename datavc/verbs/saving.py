"""Saving: bytes that are about to be replaced or deleted go into the cache first, durably."""

from __future__ import annotations

import stat
from collections.abc import Iterable

from datavc.core.errors import DataError, DatavcError
from datavc.core.outputs import Failure
from datavc.core.paths import RepoPath
from datavc.core.progress import Progress
from datavc.repo.file_reader import FileReader
from datavc.repo.repo import Repo
from datavc.repo.walk import Found
from datavc.verbs.checkout_plan import OnDisk
from datavc.verbs.scanning import reader


def save(repo: Repo, unsaved: Iterable[tuple[RepoPath, OnDisk]], progress: Progress) -> None:
    """Store these files; links and empty directories are kept by the journal alone.

    Raises:
        DataError, PathError: one cannot be read, or is not what it was a moment ago.
    """
    with repo.objects.writer() as writer:
        eyes = reader(repo, progress, writer)
        for path, found in unsaved:
            _store(eyes, path, found)


def save_each(
    repo: Repo, unsaved: Iterable[tuple[RepoPath, OnDisk]], progress: Progress
) -> list[Failure]:
    """Store those of these files that can be; return the others, which must not be replaced."""
    failures = []
    with repo.objects.writer() as writer:
        eyes = reader(repo, progress, writer)
        for path, found in unsaved:
            try:
                _store(eyes, path, found)
            except DatavcError as error:
                failures.append(Failure(path, "", error.message))
    return failures


def _store(eyes: FileReader, path: RepoPath, found: OnDisk) -> None:
    if found.entry.digest is None and found.entry.content != eyes.UNREADABLE:
        return
    value = eyes.read(path, Found(("", *found.key[1:]), stat.S_IFREG), None)
    if value.content != found.entry.content:
        raise DataError(f"{path} changes while it is saved", "repeat the command")
