"""Where a folder stands in Git: its work tree and Git's folders, found without starting Git."""

from __future__ import annotations

import os
from typing import NamedTuple

from datavc.core.errors import NotARepository


class Place(NamedTuple):
    """Absolute folders: top of the work tree, its Git folder, and the one all worktrees share."""

    work_tree: str
    git_dir: str
    common_dir: str


def find(start: str) -> Place:
    """Return where `start`, an absolute path without symbolic links, stands.

    `.git` is a folder, or in linked worktrees and submodules a file that names one.

    Raises:
        NotARepository: no folder from `start` upwards is a Git work tree.
    """
    folder = start
    while not os.path.lexists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            raise NotARepository(
                f"{start} is not in a Git repository", "`git init`, then `datavc init`"
            )
        folder = above
    git_dir = _git_dir(folder)
    shared = _first_line(os.path.join(git_dir, "commondir"))
    common = os.path.realpath(os.path.join(git_dir, shared)) if shared else git_dir
    return Place(folder, git_dir, common)


def _git_dir(work_tree: str) -> str:
    entry = os.path.join(work_tree, ".git")
    if not os.path.isdir(entry):
        label, _, target = _first_line(entry).partition("gitdir: ")
        entry = os.path.join(work_tree, target) if target and not label else entry
    if not os.path.isfile(os.path.join(entry, "HEAD")):
        raise NotARepository(
            f"{os.path.join(work_tree, '.git')} is not a Git repository",
            "`git worktree repair` mends a worktree that was moved",
        )
    return os.path.realpath(entry)


def _first_line(file: str) -> str:
    """Return the first line of a small file of Git's; empty if it is not there."""
    try:
        with open(file, "rb") as stream:
            return os.fsdecode(stream.readline(1 << 16)).rstrip("\r\n")
    except (FileNotFoundError, IsADirectoryError):
        return ""
