"""Streams on their way into a store: how long they are, and how to take them in cheaply."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO

from datavc.store.reflink import reflink

WHOLE = 1 << 20
"""Up to so many bytes a file is read at once and written only if it is new."""


class Joined:
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        """Go on with `stream` after `head`."""
        self._head = memoryview(head)
        self._stream = stream

    def readinto(self, buffer: bytearray) -> int:
        """Put the next bytes into `buffer`; 0 at the end."""
        if self._head:
            count = min(len(self._head), len(buffer))
            buffer[:count] = self._head[:count]
            self._head = self._head[count:]
            return count
        count = self._stream.readinto(buffer)  # type: ignore[attr-defined]
        return int(count or 0)


def length(stream: BinaryIO) -> int:
    """Return how many bytes the stream's file has; a guess, so that small reads stay small."""
    try:
        return os.fstat(stream.fileno()).st_size
    except (OSError, AttributeError):
        return WHOLE


def share(stream: BinaryIO, consumed: int, target: BinaryIO) -> bool:
    """Clone the file behind `stream` into `target` where both lie on one such file system."""
    try:
        fd = stream.fileno()
        whole = stat.S_ISREG(os.fstat(fd).st_mode) and stream.tell() == consumed
    except (OSError, AttributeError):
        return False
    return whole and reflink(fd, target.fileno())
