"""RemoteStore: objects by digest over any Backend, one blob each (the plain layout).

    objects/<algorithm>/<2 hex>/<rest>

What the remote has is asked of it every time; nothing is remembered between two calls.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from datavc.core import digest as digests
from datavc.core.digest import HEX_LENGTH, Digest
from datavc.core.errors import DataError, RemoteError
from datavc.core.hashing import hash_bytes, hash_stream
from datavc.remote.backend import SMALL, Backend
from datavc.remote.header import Header
from datavc.remote.stream import RangeStream, VerifiedStream
from datavc.remote.survey import Survey
from datavc.store.object_store import ObjectInfo, ObjectWriter, Stored

OBJECTS = "objects"
DEFAULT_JOBS = 16
"""Requests at once, where nothing else is said: what hides the latency of a far service."""
DELETES = 1_000
"""Objects that one delete call names."""


def key_of(digest: Digest) -> str:
    """Return the key of an object."""
    return f"{OBJECTS}/{digests.object_key(digest)}"


class RemoteStore:
    """An ObjectStore elsewhere."""

    def __init__(self, backend: Backend, algorithm: str, *, jobs: int = DEFAULT_JOBS) -> None:
        """Keep objects in `backend`; those put without `expect` are named by `algorithm`."""
        self.backend = backend
        self.jobs = jobs
        self._algorithm = algorithm
        self._header = Header(backend)
        self._survey = Survey(backend, jobs)

    def missing(self, wanted: Collection[Digest]) -> set[Digest]:
        """Return those of `wanted` that the remote does not have, as it says now.

        One question each is enough: what these services have written, they show at once.
        """
        return set(wanted) - self.sizes(wanted).keys()

    def sizes(self, wanted: Collection[Digest]) -> dict[Digest, int]:
        """Return the bytes of those of `wanted` that the remote has, as it says now."""
        self._header.check()
        keys = {key_of(digest): digest for digest in wanted}
        return {keys[key]: size for key, size in self._survey.sizes(keys.keys()).items()}

    def open(self, digest: Digest) -> BinaryIO:
        """Return a stream of an object: small ones from one request, large ones read ahead."""
        self._header.check()
        key = key_of(digest)
        try:
            first = self.backend.get(key, 0, SMALL)
            if len(first) < SMALL:
                return io.BytesIO(first)
            found = self.backend.stat(key)
        except FileNotFoundError:
            found = None
        if found is None:
            raise DataError(f"object {digest} is not on {self.backend.address}")
        return io.BufferedReader(RangeStream(self.backend, key, found.size, first))

    @contextmanager
    def writer(self) -> Iterator[ObjectWriter]:
        """Return a session; at its end the remote is asked what it says it has of each object.

        Raises:
            RemoteError: an object is not there, or not in its length. It was removed.
        """
        self._header.check()
        session = _Writer(self)
        yield session
        session.confirm()

    def delete(self, unwanted: Iterable[Digest]) -> None:
        """Remove objects."""
        self._header.check()
        keys = [key_of(digest) for digest in unwanted]
        for first in range(0, len(keys), DELETES):
            self.backend.delete(keys[first : first + DELETES])

    def iter(self) -> Iterator[ObjectInfo]:
        """List all objects, folder by folder where there are many, so that memory stays flat."""
        self._header.check()
        for algorithm in HEX_LENGTH:
            for blob in self._survey.all(f"{OBJECTS}/{algorithm}"):
                digest = digests.from_object_key(blob.key.removeprefix(f"{OBJECTS}/"))
                if digest is not None:
                    yield ObjectInfo(digest, blob.size, blob.time_s)

    def take(self, stream: BinaryIO, expect: Digest | None, limit: int | None) -> Stored:
        """Store the bytes of `stream`; whether the object was there before is not asked."""
        self._header.write()
        size = _length(stream)
        if size is None:
            return self._take_unseekable(stream, expect, limit)
        if limit is not None and size > limit:
            raise DataError(f"{expect or 'an object'} has {size} bytes instead of {limit}")
        if size <= SMALL:
            return self._take_small(stream.read(), expect)
        if expect is None:
            start = stream.tell()
            expect = hash_stream(stream, self._algorithm).digest
            stream.seek(start)
        verified = VerifiedStream(stream, expect, size)
        self.backend.put(key_of(expect), cast(BinaryIO, verified), size)
        return Stored(expect, size, verified.check, True)

    def _take_small(self, data: bytes, expect: Digest | None) -> Stored:
        found = hash_bytes(data, digests.algorithm(expect) if expect else self._algorithm)
        if expect not in (None, found.digest):
            raise DataError(f"bytes that should be {expect} are {found.digest}")
        self.backend.put(key_of(found.digest), io.BytesIO(data), found.size)
        return Stored(found.digest, found.size, found.check, True)

    def _take_unseekable(
        self, stream: BinaryIO, expect: Digest | None, limit: int | None
    ) -> Stored:
        import shutil
        import tempfile

        with tempfile.SpooledTemporaryFile(SMALL) as spool:
            shutil.copyfileobj(stream, spool, 1 << 20)
            spool.seek(0)
            return self.take(cast(BinaryIO, spool), expect, limit)

    def confirm(self, stored: Collection[Stored]) -> None:
        """Compare what was sent with what the remote says it has.

        Raises:
            RemoteError: they differ; what is wrong there was removed.
        """
        sent = {key_of(one.digest): one.size for one in stored}
        there = self._survey.sizes(sent.keys())
        wrong = [key for key, size in sent.items() if there.get(key) != size]
        if wrong:
            self.backend.delete(wrong)
            raise RemoteError(
                f"{self.backend.address} lost or cut {len(wrong)} of {len(sent)} objects",
                "repeat the command: it sends them again",
                transient=True,
            )


class _Writer:
    def __init__(self, store: RemoteStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._stored: list[Stored] = []

    def put(
        self, stream: BinaryIO, *, expect: Digest | None = None, size: int | None = None
    ) -> Stored:
        """Store the bytes of `stream`."""
        stored = self._store.take(stream, expect, size)
        with self._lock:
            self._stored.append(stored)
        return stored

    def confirm(self) -> None:
        """Ask the remote about the small ones; a backend itself confirms a large one."""
        small = [one for one in self._stored if one.size <= SMALL]
        if small:
            self._store.confirm(small)


def _length(stream: BinaryIO) -> int | None:
    """Return the bytes from where `stream` stands to its end, None if it cannot go back."""
    if not stream.seekable():
        return None
    start = stream.tell()
    end = stream.seek(0, io.SEEK_END)
    stream.seek(start)
    return end - start
