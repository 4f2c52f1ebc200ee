"""Exclusion by flock: the kernel frees it when its process dies, so no lock is ever stale.

What the lock file says (process, host, command) is only for the message of those who wait.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from datavc.core.errors import BusyError
from datavc.core.progress import Progress

POLL_S = 0.05
"""Between two tries; a queue of 24 short commands then costs each some tens of milliseconds."""

_NOT_SUPPORTED = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


def try_lock(fd: int, *, shared: bool = False) -> bool:
    """Take the flock of `fd` if it is free; True as well where the file system has no flock.

    A file system without locks (some network ones) leaves exclusion to the user; the store itself
    needs none, because names follow content.
    """
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:
            raise
    return True


@contextmanager
def repository_lock(file: str, timeout_s: float, progress: Progress) -> Iterator[None]:
    """Hold the lock `file`, after waiting for at most `timeout_s` seconds.

    Raises:
        BusyError: somebody else held it all that time; the message says who.
    """
    os.makedirs(os.path.dirname(file), exist_ok=True)
    fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        _wait(fd, timeout_s, progress)
        holder = f"process {os.getpid()} on {os.uname().nodename} ({_command()})"
        os.ftruncate(fd, 0)
        os.pwrite(fd, holder.encode("utf-8", "replace"), 0)
        yield
        os.ftruncate(fd, 0)
    finally:
        os.close(fd)


def _wait(fd: int, timeout_s: float, progress: Progress) -> None:
    started = time.monotonic()
    told = False
    while not try_lock(fd):
        holder = os.pread(fd, 400, 0).decode("utf-8", "replace") or "another process"
        waited = time.monotonic() - started
        if waited >= timeout_s:
            raise BusyError(
                f"the repository is busy: {holder} holds its lock",
                "try again when it is done, or wait longer with `-c core.lock_timeout=SECONDS`",
            )
        if not told and waited > 0.5:
            progress.say(f"Waiting for {holder}")
            told = True
        time.sleep(POLL_S)


def _command() -> str:
    """Return what was typed, without what stands after `=` or is an address: it may be secret."""
    words = [name for word in sys.argv[1:] if "://" not in (name := word.partition("=")[0])]
    return " ".join(["datavc", *words])[:200]
