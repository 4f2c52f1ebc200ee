"""LimitBackend: no more than so many bytes a second, whatever the number of threads."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from datavc.remote.backend import Backend, BlobInfo, Capabilities


class Meter:
    """Makes its callers wait until the bytes they count are due."""

    def __init__(self, rate: int) -> None:
        """Allow `rate` bytes a second."""
        self._rate = rate
        self._lock = threading.Lock()
        self._due = time.monotonic()

    def spend(self, size: int) -> None:
        """Wait until `size` more bytes may pass; time that nobody used is not saved up."""
        with self._lock:
            self._due = max(self._due, time.monotonic()) + size / self._rate
            wait_s = self._due - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)


class _MeteredStream(io.RawIOBase):
    def __init__(self, inner: BinaryIO, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._inner.read(size)
        self._meter.spend(len(data))
        return data

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._inner.seek(offset, whence)

    def tell(self) -> int:
        return self._inner.tell()


class LimitBackend:
    """A backend whose bodies pass at `rate` bytes a second, both ways together."""

    def __init__(self, inner: Backend, rate: int) -> None:
        """Wrap `inner`."""
        self._inner = inner
        self._meter = Meter(rate)

    @property
    def capabilities(self) -> Capabilities:
        """What the service can do."""
        return self._inner.capabilities

    @property
    def address(self) -> str:
        """For messages: the URL without secrets."""
        return self._inner.address

    def put(self, key: str, stream: BinaryIO, size: int) -> None:
        """Store a blob, read no faster than allowed."""
        self._inner.put(key, cast(BinaryIO, _MeteredStream(stream, self._meter)), size)

    def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Return bytes of a blob, and hold the caller until they are due."""
        data = self._inner.get(key, start, length)
        self._meter.spend(len(data))
        return data

    def get_range(self, key: str, start: int, length: int) -> memoryview:
        """Return bytes of a blob, and hold the caller until they are due."""
        data = self._inner.get_range(key, start, length)
        self._meter.spend(len(data))
        return data

    def stat(self, key: str) -> BlobInfo | None:
        """Return what is known of a blob."""
        return self._inner.stat(key)

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """List blobs."""
        return self._inner.list(prefix)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove blobs."""
        self._inner.delete(keys)
