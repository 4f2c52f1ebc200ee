"""MemoryBackend: blobs in this process, for tests and for `memory://` addresses."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from datavc.core.errors import RemoteError
from datavc.remote.backend import BlobInfo, Capabilities

_PLACES: dict[str, dict[str, tuple[bytes, float]]] = {}
"""What each address holds; two backends of one address see the same blobs."""
_LOCK = threading.Lock()


class MemoryBackend:
    """Blobs by key in a dict that lives as long as the process."""

    capabilities = Capabilities()

    def __init__(self, address: str) -> None:
        """Open, or begin, the place that `address` names."""
        self.address = address
        with _LOCK:
            self._blobs = _PLACES.setdefault(address, {})

    def put(self, key: str, stream: BinaryIO, size: int) -> None:
        """Store the next `size` bytes of `stream`."""
        data = stream.read(size)
        if len(data) != size:
            raise RemoteError(f"{self.address}: {key} ended after {len(data)} of {size} bytes")
        self._blobs[key] = (data, time.time())

    def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Return the bytes of `key`, or some of them."""
        if key not in self._blobs:
            raise FileNotFoundError(key)
        return self._blobs[key][0][start : None if length is None else start + length]

    def get_range(self, key: str, start: int, length: int) -> memoryview:
        """Return some of the bytes of `key`."""
        return memoryview(self.get(key, start, length))

    def stat(self, key: str) -> BlobInfo | None:
        """Return size and time of `key`, None if it is not there."""
        found = self._blobs.get(key)
        return None if found is None else BlobInfo(key, len(found[0]), found[1])

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """List what lies below the folder `prefix`."""
        for key, (data, time_s) in list(self._blobs.items()):
            if key.startswith(f"{prefix}/"):
                yield BlobInfo(key, len(data), time_s)

    def delete(self, keys: Iterable[str]) -> None:
        """Forget blobs."""
        for key in keys:
            self._blobs.pop(key, None)
