"""Which large objects were hashed, and as what file: saves reading a gigabyte to link it.

An object is trusted because it was hashed, never because it is read-only or there. Small ones are
hashed each time they are used, which costs less than a record of them would.
"""

from __future__ import annotations

import os
from contextlib import suppress

from datavc.core.digest import Digest, is_digest
from datavc.store import atomic

SMALL = 1 << 18
"""Bytes up to which hashing again (0.06 ms) is not worth a memo."""

Stamp = tuple[int, int, int, int]


def stamp(status: os.stat_result) -> Stamp:
    """Return what changes when a file's bytes, name or mode change: inode, size, mtime, ctime."""
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


class VerifiedObjects:
    """Digest → stamp of the object file when it was last hashed. Losing it costs time alone."""

    def __init__(self, file: str | None) -> None:
        """Keep the memo in `file`, or in this process only."""
        self._file = file
        self._stamps: dict[Digest, Stamp] | None = None
        self._changed = False

    def knows(self, digest: Digest, status: os.stat_result) -> bool:
        """Tell whether exactly this file was hashed as `digest`."""
        return status.st_size > SMALL and self._load().get(digest) == stamp(status)

    def remember(self, digest: Digest, status: os.stat_result) -> None:
        """Note that the file with this status was hashed as `digest`."""
        if status.st_size > SMALL:
            self._load()[digest] = stamp(status)
            self._changed = True

    def forget(self, digest: Digest) -> None:
        """Drop what is known of `digest`."""
        self._changed |= self._load().pop(digest, None) is not None

    def save(self) -> None:
        """Write the memo if it changed; a place that cannot be written is no error."""
        if self._file is None or not self._changed:
            return
        import json

        with suppress(OSError):
            os.makedirs(os.path.dirname(self._file), exist_ok=True)
            atomic.write_text(self._file, json.dumps(self._load()), durable=False)
            self._changed = False

    def _load(self) -> dict[Digest, Stamp]:
        if self._stamps is None:
            self._stamps = {}
            if self._file is not None:
                import json

                with suppress(OSError, ValueError, TypeError, AttributeError):
                    with open(self._file, "rb") as stream:
                        found = json.load(stream)
                    self._stamps = {
                        digest: (int(value[0]), int(value[1]), int(value[2]), int(value[3]))
                        for digest, value in found.items()
                        if is_digest(digest) and len(value) == 4
                    }
        return self._stamps
