"""MemoryStore: an ObjectStore in a dict, the twin that tests of other parts use."""

from __future__ import annotations

import io
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from datavc.core import digest as digests
from datavc.core.digest import Digest
from datavc.core.errors import DataError
from datavc.core.hashing import hash_bytes
from datavc.store.object_store import ObjectInfo, ObjectWriter, Stored


class MemoryStore:
    """Objects by digest, gone with the process."""

    def __init__(self, algorithm: str = "blake3") -> None:
        """Begin empty; objects put without `expect` are named by `algorithm`."""
        self._algorithm = algorithm
        self._objects: dict[Digest, tuple[bytes, float]] = {}

    def missing(self, wanted: Collection[Digest]) -> set[Digest]:
        """Return those of `wanted` that are not here."""
        return set(wanted) - self._objects.keys()

    def sizes(self, wanted: Collection[Digest]) -> dict[Digest, int]:
        """Return the bytes of those of `wanted` that are here."""
        return {d: len(self._objects[d][0]) for d in wanted if d in self._objects}

    def open(self, digest: Digest) -> BinaryIO:
        """Return a stream of the object's bytes."""
        if digest not in self._objects:
            raise DataError(f"object {digest} is not in memory")
        return io.BytesIO(self._objects[digest][0])

    @contextmanager
    def writer(self) -> Iterator[ObjectWriter]:
        """Return a session that objects are put into."""
        yield self

    def put(
        self, stream: BinaryIO, *, expect: Digest | None = None, size: int | None = None
    ) -> Stored:
        """Store the bytes of `stream`."""
        data = stream.read()
        algorithm = digests.algorithm(expect) if expect else self._algorithm
        found = hash_bytes(data, algorithm)
        if expect not in (None, found.digest):
            raise DataError(f"bytes that should be {expect} are {found.digest}")
        if size is not None and found.size > size:
            raise DataError(f"object {found.digest} has {found.size} bytes instead of {size}")
        new = found.digest not in self._objects
        self._objects[found.digest] = (data, time.time())
        return Stored(found.digest, found.size, found.check, new)

    def delete(self, unwanted: Iterable[Digest]) -> None:
        """Forget objects."""
        for digest in unwanted:
            self._objects.pop(digest, None)

    def iter(self) -> Iterator[ObjectInfo]:
        """List all objects."""
        for digest, (data, time_s) in list(self._objects.items()):
            yield ObjectInfo(digest, len(data), time_s)
