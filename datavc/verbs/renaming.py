"""Renaming: an output's data, and what is remembered of it, take another path."""

from __future__ import annotations

import os

from datavc.core import paths
from datavc.core.errors import DatavcError, PathError
from datavc.core.outputs import TrackedOutput
from datavc.core.paths import RepoPath
from datavc.repo.repo import Repo
from datavc.repo.workspace import Folders
from datavc.store import trees


def make_folder(root: str, folder: str) -> None:
    """Make `folder` and those above it, where they are not there.

    Raises:
        PathError: a link or a file is in the way.
    """
    folders = Folders(root)
    try:
        folders.open(folder, create=True)
    finally:
        folders.close()


def rename_data(root: str, old: RepoPath, new: RepoPath) -> bool:
    """Rename what lies at `old`, without copying; False if nothing lies there.

    Raises:
        PathError: something lies at `new`, or a link or a file is in the way.
    """
    source, target = Folders(root), Folders(root)
    try:
        try:
            old_fd = source.open(paths.parent(old), create=False)
            os.stat(paths.name(old), dir_fd=old_fd, follow_symlinks=False)
        except FileNotFoundError:
            return False
        new_fd = target.open(paths.parent(new), create=True)
        _refuse_present(new_fd, new, old)
        os.rename(paths.name(old), paths.name(new), src_dir_fd=old_fd, dst_dir_fd=new_fd)
        os.fsync(new_fd)
        os.fsync(old_fd)
    finally:
        source.close()
        target.close()
    return True


def _refuse_present(folder_fd: int, new: RepoPath, old: RepoPath) -> None:
    try:
        os.stat(paths.name(new), dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return
    raise PathError(
        f"{new} exists, so {old} was not renamed to it", "move one of the two out of the way"
    )


def carry_records(repo: Repo, output: TrackedOutput, new: RepoPath) -> None:
    """Have the placed record and the stat cache of `output` hold for `new` as well."""
    record = repo.placed.get(output.path)
    if record is not None:
        repo.placed.put(new, record)
    for first in _firsts(repo, output):
        segment = repo.stat_cache.load(output.path, first)
        if segment is not None:
            repo.stat_cache.save(new, first, segment)


def _firsts(repo: Repo, output: TrackedOutput) -> list[str]:
    """Return the paths that begin segments of the recorded version; none where it is not here."""
    if not output.is_directory:
        return [""]
    try:
        return [segment.first for segment in trees.segments(repo.objects, output.digest)]
    except DatavcError:
        return []
