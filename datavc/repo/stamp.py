"""Stamp: how the pointers of a work tree stood when data last followed them.

The hook script compares it with Git's index before it starts anything; `datavc hook` learns from
it which pointers to follow. A hint: without it, all are looked at.
"""

from __future__ import annotations

import errno
import os
from typing import NamedTuple

from datavc.repo import git_output
from datavc.repo.git import Git
from datavc.store import atomic

STAMP = "datavc-stamp"
"""In Git's folder of each work tree: the index's record of pointers that data last followed."""
UNLIKE = "datavc-unlike"
"""Beside it: which pointers were not as the index says then, each ended by NUL; none, no file."""


class Stamp(NamedTuple):
    """How pointers stood, by path below the work tree: the index's record, and what differed."""

    listing: bytes
    unlike: frozenset[str]

    def changed(self, now: Stamp) -> set[str]:
        """Return the paths that are, or may be, other than they were."""
        return git_output.changed_records(self.listing, now.listing) | self.unlike | now.unlike


def take(git: Git) -> Stamp:
    """Return how pointers stand now, for `write` when data has followed them."""
    return Stamp(git.index_listing(), frozenset(git.unlike_index()))


def read(git: Git) -> Stamp | None:
    """Return how the pointers stood that data last followed, None if it never did."""
    listing = _bytes(os.path.join(git.git_dir, STAMP))
    unlike = _bytes(os.path.join(git.git_dir, UNLIKE)) or b""
    return None if listing is None else Stamp(listing, frozenset(git_output.names(unlike)))


def write(git: Git, stamp: Stamp | None = None) -> None:
    """Note that data has followed the pointers of `stamp`, or the pointers as they are now.

    The next hook compares with it. Losing it, or writing an old one, costs a look at all
    pointers; so it is not made durable, and a folder that cannot be written is no failure.
    """
    listing, unlike = stamp or take(git)
    try:
        if unlike:
            names = b"".join(os.fsencode(name) + b"\0" for name in sorted(unlike))
            atomic.write_bytes(os.path.join(git.git_dir, UNLIKE), names, durable=False)
        else:
            _remove(os.path.join(git.git_dir, UNLIKE))
        atomic.write_bytes(os.path.join(git.git_dir, STAMP), listing, durable=False)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise


def remove(git: Git) -> None:
    """Forget what data last followed: the next hook looks at all pointers."""
    _remove(os.path.join(git.git_dir, STAMP))
    _remove(os.path.join(git.git_dir, UNLIKE))


def _bytes(file: str) -> bytes | None:
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def _remove(file: str) -> None:
    try:
        os.unlink(file)
    except FileNotFoundError:
        return
