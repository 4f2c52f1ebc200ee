"""Stat cache: which digest a workspace file had when last read, kept as Git keeps its index.

One folder an output, one file a segment of its tree, so that one changed file rewrites one
segment. A memo only: losing it costs time. An entry counts only if inode, size, mtime and ctime
agree and both times are older than the moment of reading by the file system's own clock (the
racy-Git rule); else the bytes are looked at again. No device number: it changes between mounts.

A power cut can keep a file's new times and lose its new bytes: a file overwritten in place has its
times in the journal long before its bytes are written back. So an entry of a file that was young
when it was noted counts only until the machine starts anew.
"""

from __future__ import annotations

import functools
import os
import time
from contextlib import suppress

from datavc.core.paths import sort_key
from datavc.store import atomic
from datavc.store.stat_segment import StatSegment, decode

_COARSEST = 2_000_000_000


class StatCache:
    """The memo of one workspace, below `folder`."""

    def __init__(self, folder: str) -> None:
        """Use `folder`, which need not exist."""
        self._folder = folder

    def load(self, output: str, first: str) -> StatSegment | None:
        """Return the segment of `output` that begins with the path `first`, if it is known."""
        try:
            with open(self._file(output, first), "rb") as stream:
                found = decode(stream.read())
        except OSError:
            return None
        if found is None:
            return None
        noted_in, segment = found
        return segment if noted_in and noted_in == boot() else segment.before_this_boot()

    def save(self, output: str, first: str, segment: StatSegment) -> None:
        """Remember a segment; a place that cannot be written is no error."""
        data = segment.encode(boot())
        if data is None:
            return
        with suppress(OSError):
            os.makedirs(self._of(output), exist_ok=True)
            atomic.write_bytes(self._file(output, first), data, durable=False)

    def keep_only(self, output: str, firsts: set[str]) -> None:
        """Forget the segments of `output` that do not begin with one of `firsts`."""
        names = {os.path.basename(self._file(output, first)) for first in firsts}
        with suppress(OSError):
            for name in os.listdir(self._of(output)):
                if name not in names:
                    os.unlink(os.path.join(self._of(output), name))

    def forget(self, output: str) -> None:
        """Forget all of `output`."""
        self.keep_only(output, set())
        with suppress(OSError):
            os.rmdir(self._of(output))

    def now(self, device: int) -> int:
        """Return the time by the file system's own clock, in ns.

        Two seconds less, the step of the coarsest ones, where the files lie on another `device`
        or nothing can be written here.
        """
        probe = os.path.join(self._folder, f".clock-{os.urandom(4).hex()}.tmp")
        try:
            os.makedirs(self._folder, exist_ok=True)
            fd = os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except OSError:
            return time.time_ns() - _COARSEST
        try:
            status = os.fstat(fd)
            return status.st_mtime_ns - (0 if status.st_dev == device else _COARSEST)
        finally:
            os.close(fd)
            os.unlink(probe)

    def _of(self, output: str) -> str:
        return os.path.join(self._folder, _name(output))

    def _file(self, output: str, first: str) -> str:
        return os.path.join(self._of(output), _name(first))


@functools.cache
def boot() -> str:
    """Return what names this run of the machine; empty where the system does not say.

    Then every entry counts as noted before it: what was young is read once more.
    """
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        return stream.read().strip()
    return ""


def _name(path: str) -> str:
    import xxhash

    return xxhash.xxh3_128_hexdigest(sort_key(path))
