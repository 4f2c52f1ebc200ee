"""Leases: what running processes rely on, so that a collection beside them takes none of it.

A writer holds `leases/<name>` by flock and appends the digests of objects that it found present.
Appending and asking for presence happens under the shared side of one short lock, deleting under
its exclusive side: so an object is either seen by the writer and spared, or gone and written anew.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from datavc.core.digest import Digest, is_digest
from datavc.store.lock import try_lock

_GATE = "gate"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class Lease:
    """One writer's claim. Dies with its process; a name that is left over is swept by `alive`."""

    def __init__(self, root: str) -> None:
        """Claim under a fresh name below `root`/leases."""
        self._folder = os.path.join(root, "leases")
        os.makedirs(self._folder, exist_ok=True)
        while True:
            self.name = f"{os.getpid()}-{os.urandom(6).hex()}"
            file = os.path.join(self._folder, self.name)
            self._fd = os.open(file, _FLAGS | os.O_APPEND, 0o666)
            try_lock(self._fd)
            if os.path.exists(file):  # else `alive` swept it between the two calls
                break
            os.close(self._fd)

    def claim(self, wanted: Iterable[Digest]) -> None:
        """Keep the objects `wanted` from collection while this process lives."""
        lines = "".join(f"{digest}\n" for digest in wanted)
        with gate(self._folder, shared=True):
            os.write(self._fd, lines.encode())

    def release(self) -> None:
        """Give up the claim; what was published is named by then."""
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self._folder, self.name))
        os.close(self._fd)


@contextmanager
def gate(folder: str, *, shared: bool) -> Iterator[None]:
    """Hold the lock between claiming (shared) and deleting (exclusive); both are short."""
    os.makedirs(folder, exist_ok=True)
    fd = os.open(os.path.join(folder, _GATE), _FLAGS, 0o666)
    try:
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def alive(root: str) -> dict[str, set[Digest]]:
    """Return the running writers of the store at `root` with what they claimed; sweep the dead."""
    folder = os.path.join(root, "leases")
    claims: dict[str, set[Digest]] = {}
    for name in _names(folder):
        path = os.path.join(folder, name)
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            if try_lock(fd):
                with suppress(FileNotFoundError):
                    os.unlink(path)
            else:
                with open(path, encoding="ascii", errors="replace") as lines:
                    claims[name] = {Digest(x) for line in lines if is_digest(x := line.strip())}
        finally:
            os.close(fd)
    return claims


def _names(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name != _GATE]
    except FileNotFoundError:
        return []
