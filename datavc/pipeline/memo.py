"""Memo: what was worked out from bytes, by the digest of those bytes. Losing it costs time.

Reading YAML takes a thousand times as long as telling that it is the text of last time.
"""

from __future__ import annotations

import os
from typing import Any

from datavc.store import memo_file


class Memo:
    """Values by name, each with what it came from; one file below `folder`."""

    def __init__(self, folder: str, name: str, version: int) -> None:
        """Use `folder`, which need not exist; values of another `version` are not known."""
        self._file = os.path.join(folder, name)
        self._version = version
        self._loaded: dict[str, tuple[object, Any]] | None = None
        self._changed = False

    def get(self, name: str, source: object) -> Any:  # noqa: ANN401 - whatever was put
        """Return the value of `name` if it came from `source`, else None."""
        found = self._known.get(name)
        return found[1] if found is not None and found[0] == source else None

    def put(self, name: str, source: object, value: object) -> None:
        """Remember a value, of built-in types only."""
        self._known[name] = source, value
        self._changed = True

    def save(self) -> None:
        """Write down what was put."""
        if self._changed:
            memo_file.write(self._file, self._version, self._known)
            self._changed = False

    @property
    def _known(self) -> dict[str, tuple[object, Any]]:
        if self._loaded is None:
            found = memo_file.read(self._file, self._version)
            self._loaded = found if isinstance(found, dict) else {}
        return self._loaded


def digest_of(data: bytes | None) -> str:
    """Return what tells these bytes from others; empty if there are none."""
    import xxhash

    return "" if data is None else xxhash.xxh3_128_hexdigest(data)
