"""Leases: what running processes rely on, so that a collection beside them takes none of it.

A writer holds `leases/<name>` by flock and appends the digests of objects that it found present.
Appending and asking for presence happens under the shared side of one short lock, deleting under
its exclusive side: so an object is either seen by the writer and spared, or gone and written anew.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from datavc.core.digest import Digest, is_digest
from datavc.core.errors import DatavcError
from datavc.store.lock import try_lock

_GATE = "gate"
_NAME = re.compile(r"\d+-[0-9a-f]{12}")


def is_name(name: str) -> bool:
    """Tell whether a writer may be called so: nothing else in a store's folders is ours to sweep.

    The folder of a remote may be one that the user keeps other things in, and who else may write
    to it can put a link to somewhere in the place of `leases` or `tmp`.
    """
    return _NAME.fullmatch(name) is not None


class Lease:
    """One writer's claim. Dies with its process; a name that is left over is swept by `alive`."""

    def __init__(self, root: str) -> None:
        """Claim under a fresh name below `root`/leases."""
        self._folder = os.path.join(root, "leases")
        os.makedirs(self._folder, exist_ok=True)
        while True:
            self.name = f"{os.getpid()}-{os.urandom(6).hex()}"
            file = os.path.join(self._folder, self.name)
            self._fd = _open_shared(self._folder, self.name, os.O_RDWR | os.O_APPEND)
            if try_lock(self._fd) and os.path.exists(file):
                break  # else `alive` took it for a dead one's between the two calls
            os.close(self._fd)

    def claim(self, wanted: Iterable[Digest]) -> None:
        """Keep the objects `wanted` from collection while this process lives."""
        view = memoryview("".join(f"{digest}\n" for digest in wanted).encode())
        with gate(self._folder, shared=True):
            while view:
                view = view[os.write(self._fd, view) :]

    def release(self) -> None:
        """Give up the claim; what was published is named by then."""
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self._folder, self.name))
        os.close(self._fd)


@contextmanager
def gate(folder: str, *, shared: bool) -> Iterator[None]:
    """Hold the lock between claiming (shared) and deleting (exclusive); both are short."""
    os.makedirs(folder, exist_ok=True)
    fd = _open_shared(folder, _GATE, os.O_RDWR)
    try:
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def alive(root: str, *, sweep: bool = True) -> dict[str, set[Digest]]:
    """Return the running writers of the store at `root` with what they claimed.

    With `sweep` the leases of dead ones are removed on the way.

    Raises:
        DatavcError: a lease cannot be read, so what it claims cannot be known.
    """
    folder = os.path.join(root, "leases")
    claims: dict[str, set[Digest]] = {}
    for name in _names(folder):
        with _opened(folder, name) as fd:
            if fd is None:
                continue
            if not try_lock(fd):
                claims[name] = _claims(fd)
            elif sweep:
                with suppress(OSError):
                    os.unlink(os.path.join(folder, name))
    return claims


def dead(root: str) -> list[str]:
    """Return the files of leases whose writers are gone; nothing is swept."""
    folder = os.path.join(root, "leases")
    found = []
    for name in _names(folder):
        with _opened(folder, name) as fd:
            if fd is not None and try_lock(fd):
                found.append(os.path.join(folder, name))
    return sorted(found)


def bury(root: str, before_s: float) -> None:
    """Remove leases of dead writers that were touched last before a moment (epoch, s)."""
    folder = os.path.join(root, "leases")
    for name in _names(folder):
        path = os.path.join(folder, name)
        with suppress(OSError, DatavcError):
            if os.lstat(path).st_mtime < before_s:
                with _opened(folder, name) as fd:
                    if fd is not None and try_lock(fd):
                        os.unlink(path)


@contextmanager
def _opened(folder: str, name: str) -> Iterator[int | None]:
    """Yield a lease's descriptor, None if it was released meanwhile."""
    path = os.path.join(folder, name)
    flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        try:
            fd = os.open(path, os.O_RDWR | flags)  # some network file systems lock no other way
        except PermissionError:
            fd = os.open(path, os.O_RDONLY | flags)
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        raise DatavcError(
            f"{path} cannot be read, so what its writer needs cannot be known: {error.strerror}",
            "remove it once no datavc of its owner is at work",
        ) from error
    try:
        yield fd
    finally:
        os.close(fd)


def _claims(fd: int) -> set[Digest]:
    with open(fd, encoding="ascii", errors="replace", closefd=False) as lines:
        return {Digest(text) for line in lines if is_digest(text := line.strip())}


def _open_shared(folder: str, name: str, access: int) -> int:
    """Open or create a file of this folder, for its group too where the folder is a group's.

    Locks and claims are of use only if everybody who uses the cache can see them; the umask of
    whoever comes first must not shut the others out.
    """
    path = os.path.join(folder, name)
    fd = os.open(path, access | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    if os.stat(folder).st_mode & stat.S_IWGRP:
        with suppress(PermissionError):  # another user's, who has seen to it
            os.fchmod(fd, 0o660)
    return fd


def _names(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if is_name(name)]
    except FileNotFoundError:
        return []
