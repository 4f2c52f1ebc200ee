"""Reading a stage's log: line by line while it is written, and its last lines afterwards."""

from __future__ import annotations

import os

_TAIL_BYTES = 1 << 18


class Follower:
    """The lines of a log that is being written, each once."""

    def __init__(self, path: str) -> None:
        """Follow the file, from its beginning, when it is there."""
        self._path = path
        self._fd = -1
        self._rest = b""

    def read(self, *, ended: bool = False) -> list[str]:
        """Return the lines completed since the last call; with `ended`, all that is left."""
        if self._fd < 0:
            try:
                self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return []
        while part := os.read(self._fd, 1 << 16):
            self._rest += part
        *lines, self._rest = self._rest.split(b"\n")
        if ended:
            os.close(self._fd)
            lines += [self._rest] if self._rest else []
        return [_shown(line) for line in lines]


def tail(path: str, count: int = 20) -> list[str]:
    """Return the last lines of a log; empty if there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        start = max(0, os.fstat(fd).st_size - _TAIL_BYTES)
        lines = os.pread(fd, _TAIL_BYTES, start).rstrip(b"\n").split(b"\n")
    finally:
        os.close(fd)
    return [_shown(line) for line in lines[-count:]]


def _shown(line: bytes) -> str:
    """What a terminal would show of a line at its end: what stands after the last return."""
    return line.rstrip(b"\r").rpartition(b"\r")[2].decode(errors="replace")
