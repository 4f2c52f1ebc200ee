"""Memo files: values of built-in types that only save time; what is damaged is not decoded."""

from __future__ import annotations

import marshal
import os
from contextlib import suppress

from datavc.store import atomic

_CHECK = 32
"""Hex digits of the hash of all that follows."""


def read(file: str, version: int) -> object:
    """Return what was written to `file` as `version`; None if there is no such, or it is damaged.

    The file is one that only this user's own processes write.
    """
    import xxhash

    try:
        with open(file, "rb") as stream:
            data = stream.read()
    except OSError:
        return None
    if data[:_CHECK] != xxhash.xxh3_128_hexdigest(data[_CHECK:]).encode():
        return None
    try:
        found, value = marshal.loads(data[_CHECK:])
    except (ValueError, EOFError, TypeError):  # of another Python
        return None
    return value if found == version else None


def write(file: str, version: int, value: object) -> None:
    """Write `value`, of built-in types only; a place that cannot be written is no error."""
    import xxhash

    data = marshal.dumps((version, value))  # type: ignore[arg-type]
    head = xxhash.xxh3_128_hexdigest(data).encode()
    with suppress(OSError):
        os.makedirs(os.path.dirname(file), exist_ok=True)
        atomic.write_bytes(file, head + data, durable=False)
