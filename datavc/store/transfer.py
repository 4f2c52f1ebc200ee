"""Copy objects between any two stores: bounded threads, verified, one failure at a time.

Which objects are missing is the caller's question; here they are only copied.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import BinaryIO, NamedTuple, cast

from datavc.core.digest import Digest
from datavc.core.errors import DataError, DatavcError, RemoteError
from datavc.core.progress import Progress
from datavc.core.trace import trace
from datavc.store.crew import MOST
from datavc.store.incoming import WHOLE
from datavc.store.local import LocalStore
from datavc.store.local_writer import LocalWriter
from datavc.store.object_store import ObjectStore, ObjectWriter, Stored
from datavc.store.parallel import each

LARGE = 8 << 20
"""Bytes from which an object reports its progress while it is on its way."""
SECOND_TRIES = 1
"""How often an object that arrived damaged is fetched again before that is believed."""
IN_VAIN = 8
"""Failures in a row, each after its own retries, that show the remote as a whole to be gone.

Before anything succeeded, one for each thread is enough: a server that hangs costs one time-out.
"""

Wanted = tuple[Digest, int | None]
"""An object to copy, and how many bytes it may have; None if that is not known."""


class Unsent(NamedTuple):
    """An object that was not copied, and why, in one sentence."""

    digest: Digest
    message: str


class Transferred(NamedTuple):
    """What a copy did: objects, bytes, which are there now, and which are not."""

    copied: int
    size: int
    done: frozenset[Digest]
    failures: tuple[Unsent, ...]


def copy(
    source: ObjectStore,
    target: ObjectStore,
    wanted: Sequence[Wanted],
    *,
    jobs: int,
    progress: Progress,
) -> Transferred:
    """Copy `wanted` from `source` to `target`, `jobs` at once; the caller began the phase.

    The largest go first, so that none is left alone at the end. What was copied is durable
    when this returns; interrupted, what arrived stays.

    Raises:
        RemoteError: the remote as a whole refuses or is out of reach, so that going on is vain.
    """
    session = _Session(source, progress, min(jobs, IN_VAIN))
    plan = sorted(dict.fromkeys(wanted), key=lambda item: -(item[1] or 0))
    if plan:
        with target.writer() as writer:
            rest = plan if jobs > MOST else session.move_small(plan, writer)
            each(lambda item: session.move(item, writer), rest, jobs)
    session.check()
    done = frozenset(stored.digest for stored in session.stored)
    size = sum(stored.size for stored in session.stored)
    return Transferred(len(done), size, done, tuple(session.failures))


class _Session:
    """The state that the threads of one copy share; list.append is atomic."""

    def __init__(self, source: ObjectStore, progress: Progress, first_limit: int) -> None:
        self._source = source
        self._progress = progress
        self.stored: list[Stored] = []
        self.failures: list[Unsent] = []
        self._in_a_row = 0
        self._limit = first_limit
        self._last: RemoteError | None = None

    def move(self, item: Wanted, writer: ObjectWriter) -> None:
        """Copy one object, or note why not."""
        try:
            self.stored.append(self._try(item, writer))
            self._in_a_row, self._limit = 0, IN_VAIN
        except RemoteError as error:
            self._in_a_row += 1
            if not error.transient or self._in_a_row >= self._limit:
                raise
            self._last = error
            self._note(item, error)
        except DatavcError as error:
            self._note(item, error)

    def move_small(self, plan: Sequence[Wanted], writer: ObjectWriter) -> Sequence[Wanted]:
        """Copy many small objects from folder to folder by several processes; return the rest."""
        source = self._source
        if not (isinstance(source, LocalStore) and isinstance(writer, LocalWriter)):
            return plan
        small = [item for item in plan if _is_small(item)]
        work = partial(_copied, source, writer)
        crew = writer.crew(work, len(small))
        if crew is None:
            return plan
        rest = [item for item in plan if not _is_small(item)]
        items = iter(small)
        for made, batch in crew.begin(small):
            writer.adopt(batch)
            for is_copied, (digest, size) in zip(made, items, strict=False):
                if not is_copied:
                    rest.append((digest, size))
                    continue
                self.stored.append(Stored(digest, size or 0, "", new=True))
                self._progress.advance(1, size or 0)
        return rest

    def check(self) -> None:
        """Raise what the remote answered if it was all that it ever answered."""
        if self._last is not None and len(self.failures) == self._in_a_row and not self.stored:
            raise self._last

    def _note(self, item: Wanted, error: DatavcError) -> None:
        trace(__name__, "object %s was not copied: %s", item[0], error)
        self.failures.append(Unsent(item[0], error.message))

    def _try(self, item: Wanted, writer: ObjectWriter) -> Stored:
        for again in range(SECOND_TRIES, -1, -1):
            try:
                return self._once(item, writer)
            except DataError as error:
                if not again or self._source.missing([item[0]]):
                    raise
                trace(__name__, "object %s is read once more: %s", item[0], error)
        raise AssertionError("the last try returns or raises")

    def _once(self, item: Wanted, writer: ObjectWriter) -> Stored:
        digest, size = item
        with self._source.open(digest) as stream:
            if size is None or size < LARGE:
                stored = writer.put(stream, expect=digest, size=size)
                self._progress.advance(1, stored.size)
                return stored
            counted = _Counted(stream, self._progress)
            try:
                stored = writer.put(cast(BinaryIO, counted), expect=digest, size=size)
            except BaseException:
                counted.settle(0)
                raise
        counted.settle(stored.size)
        self._progress.advance(1)
        return stored


def _is_small(item: Wanted) -> bool:
    return item[1] is not None and item[1] <= WHOLE


def _copied(source: LocalStore, writer: LocalWriter, items: Sequence[Wanted]) -> list[bool]:
    """Copy objects of known sizes, in a process of a crew; tell of each whether that succeeded."""
    return [_is_copied(source, writer, item) for item in items]


def _is_copied(source: LocalStore, writer: LocalWriter, item: Wanted) -> bool:
    digest, size = item
    try:
        data = source.small(digest)
        if data is None or len(data) != size:
            return False
        writer.put_missing(data, digest)
    except (DatavcError, OSError):
        return False
    return True


class _Counted:
    """A stream that reports what is read from it; all else is the stream's own.

    Not a subclass of io's: a store may take the descriptor, and copy without reading.
    """

    def __init__(self, inner: BinaryIO, progress: Progress) -> None:
        self._inner = inner
        self._progress = progress
        self._lock = threading.Lock()
        self._reported = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def read(self, size: int = -1) -> bytes:
        data = self._inner.read(size)
        self._report(self._inner.tell() if self._inner.seekable() else self._reported + len(data))
        return data

    def readinto(self, buffer: memoryview) -> int:
        count: int = self._inner.readinto(buffer)  # type: ignore[attr-defined]
        self._report(self._inner.tell() if self._inner.seekable() else self._reported + count)
        return count

    def settle(self, size: int) -> None:
        """Correct what was reported to `size` bytes."""
        with self._lock:
            self._progress.advance(0, size - self._reported)
            self._reported = size

    def _report(self, position: int) -> None:
        with self._lock:
            if position > self._reported:
                self._progress.advance(0, position - self._reported)
                self._reported = position
