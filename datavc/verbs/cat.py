"""cat: the bytes of one tracked file, of now or of a revision, verified before the first of them.

What datavc tracks is read from the cache, as its pointer says, not from the workspace; so it is
the recorded version, whatever was edited since. What Git tracks is read as it lies, or from the
commit.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator
from typing import BinaryIO

from datavc.core import paths
from datavc.core.digest import Digest
from datavc.core.errors import DataError, PathError
from datavc.core.outputs import TrackedOutput
from datavc.core.paths import RepoPath
from datavc.core.tree import LINK, TreeEntry
from datavc.repo.inventory import Inventory, load
from datavc.repo.repo import Repo
from datavc.repo.snapshot import at_commit
from datavc.repo.targets import not_tracked, repo_path
from datavc.store.object_store import read
from datavc.verbs.scanning import inventory
from datavc.verbs.tree_lookup import entries_below, entry_at

SMALL = 1 << 20
"""Up to so many bytes an object is read and verified at once."""
PIECE = 1 << 20
LINKS = 20
"""Links that are followed inside a tracked directory before it counts as a circle."""


def cat(repo: Repo, text: str, *, rev: str | None = None) -> Iterator[bytes]:
    """Return the file's bytes in pieces; all that can fail has been checked when it returns.

    Raises:
        PathError: nothing that is tracked has this path, or it is a directory.
        DataError: the bytes are not in the cache, or are damaged.
    """
    path = repo_path(repo.root, repo.here, text)
    commit = None if rev is None else repo.git.resolve(rev)
    known = inventory(repo) if commit is None else load(at_commit(repo.git, commit))
    output = known.containing(path)
    if output is None:
        found = _lying(repo, path) if commit is None else _committed(repo, commit, path)
        if found is None:
            raise _no_file(known, path, rev)
        return found
    fetch = f"datavc fetch --rev {rev} {path}" if rev else f"datavc fetch {path}"
    digest = _digest(repo, output, path, fetch)
    return _stored(repo, digest, path, fetch)


def _no_file(known: Inventory, path: RepoPath, rev: str | None) -> PathError:
    if known.below(path):
        return PathError(f"{path or '.'} is a folder", f"`datavc list {path}` shows what is in it")
    at = f" at {rev}" if rev else ""
    hint = not_tracked(known, path).hint
    return PathError(f"{path} is tracked neither by datavc nor by Git{at}", hint)


def _lying(repo: Repo, path: RepoPath) -> Iterator[bytes] | None:
    """Return the bytes of a file that Git tracks, as it lies in the workspace."""
    if not path or path not in repo.git.tracked([path]):
        return None
    try:
        fd = os.open(
            repo.layout.absolute(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        )
    except FileNotFoundError as error:
        hint = f"`datavc cat --rev HEAD {path}` prints what was committed"
        raise PathError(f"{path} is not in the workspace", hint) from error
    except OSError as error:
        raise PathError(f"{path} cannot be read as a file: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise PathError(f"{path} is no file")
    return _pieces(open(fd, "rb", buffering=0))


def _committed(repo: Repo, commit: str, path: RepoPath) -> Iterator[bytes] | None:
    data = repo.git.read_file(commit, path) if path else None
    return None if data is None else iter((data,))


def _digest(repo: Repo, output: TrackedOutput, path: RepoPath, fetch: str) -> Digest:
    """Return the digest of the file at `path`, which is `output` or lies inside it."""
    if not output.is_directory:
        if path != output.path:
            raise PathError(f"{path} names nothing: {output.path} is a file")
        return output.digest
    inside = paths.relative(path, output.path) if path != output.path else ""
    try:
        entry = _followed(repo, output, inside) if inside else None
    except DataError as error:
        raise DataError(
            f"the list of files in {output.path} is not in the cache", f"`{fetch}` gets it"
        ) from error
    if entry is None or entry.digest is None:
        raise _no_entry(repo, output, path, entry)
    return entry.digest


def _no_entry(
    repo: Repo, output: TrackedOutput, path: RepoPath, entry: TreeEntry | None
) -> PathError:
    """Return why nothing can be printed: a folder, or no such name."""
    inside = "" if path == output.path else paths.relative(path, output.path)
    below = entries_below(repo.objects, output.digest, inside)
    if not inside or entry is not None or next(below, None) is not None:
        return PathError(f"{path} is a folder", f"`datavc list {path}` shows what is in it")
    return PathError(
        f"{path} names nothing in {output.path}",
        f"`datavc list -R {output.path}` shows what is there",
    )


def _followed(repo: Repo, output: TrackedOutput, inside: str) -> TreeEntry | None:
    """Return the entry at `inside`, or the one that links lead to from there."""
    for _ in range(LINKS):
        entry = entry_at(repo.objects, output.digest, inside)
        if entry is None or entry.flags != LINK:
            return entry
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(inside), entry.content))
    raise PathError(f"{output.path}/{inside} is a link that leads in a circle")


def _stored(repo: Repo, digest: Digest, path: RepoPath, fetch: str) -> Iterator[bytes]:
    """Return the object's bytes, verified as a whole before."""
    store = repo.objects
    try:
        size = os.lstat(store.path(digest)).st_size
        if size <= SMALL:
            return iter((read(store, digest),))
    except (FileNotFoundError, DataError) as error:
        store.holds(digest)  # sets a damaged one aside
        raise _lost(path, fetch) from error
    if not store.holds(digest):
        raise _lost(path, fetch)
    store.verified.save()
    return _pieces(store.open(digest))


def _lost(path: RepoPath, fetch: str) -> DataError:
    return DataError(
        f"{path} is not in the cache, or damaged there", f"`{fetch}` gets it from a remote"
    )


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while piece := stream.read(PIECE):
            yield piece
