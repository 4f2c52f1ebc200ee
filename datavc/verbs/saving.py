"""Saving: bytes that are about to be replaced or deleted go into the cache first, durably."""

from __future__ import annotations

import stat
from collections.abc import Iterable

from datavc.core.errors import DataError
from datavc.core.paths import RepoPath
from datavc.core.progress import Progress
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
            if found.entry.digest is None and found.entry.content != eyes.UNREADABLE:
                continue
            value = eyes.read(path, Found(("", *found.key[1:]), stat.S_IFREG), None)
            if value.content != found.entry.content:
                raise DataError(f"{path} changes while it is saved", "repeat the command")
