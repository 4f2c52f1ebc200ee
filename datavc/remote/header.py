"""`datavc.json` at the top of a remote: which format and layout it has.

    {"format": 1, "layout": "plain"}

Absent, a remote is plain: made by another tool, or by hand. `features` lists what a reader must
understand; whoever meets one that it does not know stops.
"""

from __future__ import annotations

import io
import threading
import time

from datavc.core.errors import RemoteError
from datavc.remote.backend import Backend

KEY = "datavc.json"
FORMAT = 1
LAYOUT = "plain"
LONGEST = 64 << 10
"""Bytes of a header that are read at most."""
_UPGRADE = "a newer version of datavc can use it"


class Header:
    """The header of one remote, read at the first use and written before the first object."""

    def __init__(self, backend: Backend) -> None:
        """Look nowhere yet."""
        self._backend = backend
        self._lock = threading.Lock()
        self._checked = False
        self._exists = False
        self._failure: RemoteError | None = None
        self._failed_s = 0.0

    def check(self) -> None:
        """Refuse a remote that this version cannot use.

        Threads that wait for one answer share it, also when none came: a remote that hangs costs
        one time-out, not one for each.

        Raises:
            RemoteError: its format is newer, or its layout or a feature of it unknown.
        """
        asked_s = time.monotonic()
        with self._lock:
            if self._checked:
                return
            if self._failure is not None and self._failed_s >= asked_s:
                raise self._failure
            try:
                self._exists = self._read()
            except RemoteError as error:
                self._failure, self._failed_s = error, time.monotonic()
                raise
            self._checked = True

    def _read(self) -> bool:
        try:
            data = self._backend.get(KEY, 0, LONGEST)
        except FileNotFoundError:
            return False
        _examine(data, self._backend.address)
        return True

    def write(self) -> None:
        """Make sure that the remote says what it is."""
        self.check()
        with self._lock:
            if not self._exists:
                import json

                data = json.dumps({"format": FORMAT, "layout": LAYOUT}).encode() + b"\n"
                self._backend.put(KEY, io.BytesIO(data), len(data))
                self._exists = True


def _examine(data: bytes, address: str) -> None:
    import json

    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RemoteError(f"{address}: {KEY} there is not JSON, so it is left alone") from error
    if not isinstance(found, dict) or type(found.get("format")) is not int:
        raise RemoteError(f"{address}: {KEY} there names no format, so it is left alone")
    if found["format"] > FORMAT:
        raise RemoteError(f"{address} has format {found['format']}, newer than {FORMAT}", _UPGRADE)
    if found.get("layout", LAYOUT) != LAYOUT:
        raise RemoteError(f"{address} has the unknown layout {found['layout']!r:.40}", _UPGRADE)
    if found.get("features"):
        raise RemoteError(f"{address} needs {found['features']!r:.80}, unknown here", _UPGRADE)
