"""Leaving: what stands in a repository because of datavc, and taking it out again."""

from __future__ import annotations

import os
from contextlib import suppress

from datavc.core.errors import DatavcError
from datavc.core.paths import RepoPath
from datavc.repo import hooks, pointers
from datavc.repo.layout import CONFIG, FOLDER, IGNORE_FILE
from datavc.repo.repo import Repo
from datavc.store import atomic
from datavc.verbs import workspaces


def check_alone(repo: Repo) -> None:
    """Refuse if other work trees or workspaces need what would go.

    Raises:
        DatavcError: names one of them.
    """
    others = [folder for folder in repo.git.worktrees() if folder != repo.git.work_tree]
    if others:
        raise DatavcError(
            f"the linked work tree {others[0]} uses the same hooks and cache",
            "`git worktree remove` it first",
        )
    if outside_cache(repo):
        return
    me = workspaces.identity(repo.layout)
    for other in workspaces.announced(repo.objects.root):
        if other.id != me:
            raise DatavcError(
                f"the cache that would go is used by {other.root or 'another workspace'} too",
                "give that one a cache of its own with `datavc cache dir`, or forget it with "
                "`datavc gc --forget`",
            )


def outside_cache(repo: Repo) -> str:
    """Return the cache's folder if it stays, because it is not in `.datavc`; else nothing."""
    inside = repo.objects.root.startswith(repo.layout.folder + os.sep)
    return "" if inside else repo.objects.root


def files(repo: Repo) -> list[str]:
    """Return what goes beside the pointers, below the project."""
    present = [IGNORE_FILE, FOLDER]
    return [name for name in present if os.path.lexists(repo.layout.absolute(name))]


def unhook(repo: Repo) -> list[str]:
    """Take hooks and merge driver out, unless another project needs them; return their names."""
    if any(root != repo.root for root in repo.git.projects()):
        return []
    return list(hooks.uninstall(repo.git).removed)


def remove_files(repo: Repo) -> None:
    """Remove the lines in `.gitattributes`, `.datavcignore` and `.datavc`, settings last."""
    _remove_attributes(repo)
    pointers.remove(repo.root, RepoPath(IGNORE_FILE))
    if outside_cache(repo):
        workspaces.withdraw(repo.objects.root, workspaces.identity(repo.layout))
    _remove_folder(repo.layout.folder)


def _remove_attributes(repo: Repo) -> None:
    file = repo.layout.absolute(hooks.ATTRIBUTES)
    try:
        with open(file, "rb") as stream:
            lines = stream.read().splitlines(keepends=True)
    except FileNotFoundError:
        return
    ours = {line.encode() for line in hooks.MERGED}
    left = [line for line in lines if line.strip() not in ours]
    if len(left) == len(lines):
        return
    if left:
        atomic.write_bytes(file, b"".join(left))
    else:
        os.unlink(file)


def _remove_folder(folder: str) -> None:
    """Remove a folder with the settings last: until then the project is found and its own."""
    import shutil

    for name in os.listdir(folder):
        full = os.path.join(folder, name)
        if name != CONFIG:
            shutil.rmtree(full) if os.path.isdir(full) and not os.path.islink(full) else os.unlink(
                full
            )
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, CONFIG))
    os.rmdir(folder)
