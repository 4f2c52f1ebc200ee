"""Streams between blobs and readers: read ahead from a remote, verified on the way to one."""

from __future__ import annotations

import io
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from datavc.core import digest as digests
from datavc.core import hashing
from datavc.core.digest import Digest
from datavc.core.errors import DataError, RemoteError
from datavc.remote.backend import PART, PARTS_AT_ONCE, Backend

EXTRA_AHEAD = 12
"""Ranges that all streams together read ahead, besides the next one of each: a memory bound."""
_EXTRA = threading.BoundedSemaphore(EXTRA_AHEAD)


class _Ahead:
    """Bytes that a thread of its own is getting; a daemon, so that it holds nobody at the end."""

    def __init__(self, get: Callable[[], memoryview], length: int, *, extra: bool) -> None:
        self._get = get
        self._length = length
        self._extra = extra
        self._data = memoryview(b"")
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._data = self._get()
        except (DataError, RemoteError, OSError) as error:
            self._error = error

    def result(self) -> memoryview:
        """Return the bytes when they are here, or raise what prevented them."""
        while self._thread.is_alive():
            self._thread.join(0.5)
        self.drop()
        if self._error is not None:
            raise self._error
        if len(self._data) != self._length:
            raise RemoteError("an object ended in the middle", transient=True)
        return self._data

    def drop(self) -> None:
        """Make room for what other streams want to read ahead."""
        if self._extra:
            self._extra = False
            _EXTRA.release()


class RangeStream(io.RawIOBase):
    """A large blob, got in ranges, `PARTS_AT_ONCE` of them ahead of the reader."""

    def __init__(self, backend: Backend, key: str, size: int, first: bytes) -> None:
        """Read `key`, which has `size` bytes and begins with `first`."""
        self._backend = backend
        self._key = key
        self._size = size
        self._current = memoryview(first)
        self._asked = len(first)
        self._waiting: deque[_Ahead] = deque()
        self._fill()

    def _fill(self) -> None:
        while len(self._waiting) < PARTS_AT_ONCE and self._asked < self._size:
            extra = bool(self._waiting)
            if extra and not _EXTRA.acquire(blocking=False):
                return
            start, length = self._asked, min(PART, self._size - self._asked)
            get = partial(self._backend.get_range, self._key, start, length)
            self._waiting.append(_Ahead(get, length, extra=extra))
            self._asked += length

    def readable(self) -> bool:
        """A stream to be read once."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Read the next bytes, at most to the end of a range."""
        if not self._current and self._waiting:
            self._current = self._waiting.popleft().result()
            self._fill()
        count = min(len(buffer), len(self._current))
        memoryview(buffer)[:count] = self._current[:count]
        self._current = self._current[count:]
        return count

    def close(self) -> None:
        """Forget what was read ahead."""
        while self._waiting:
            self._waiting.popleft().drop()
        super().close()


class VerifiedStream(io.RawIOBase):
    """A stream whose last bytes come only if all of them are what `expect` names.

    Who sends them on cannot complete a blob that is wrong.
    """

    def __init__(self, inner: BinaryIO, expect: Digest, size: int) -> None:
        """Read the `size` bytes that `inner`, which is seekable, has from where it stands."""
        self._inner = inner
        self._expect = expect
        self._size = size
        self._start = inner.tell()
        self._begin()

    def _begin(self) -> None:
        self._hasher = hashing.new(digests.algorithm(self._expect))
        self._check = hashing.new("xxh128")
        self._count = 0

    @property
    def check(self) -> str:
        """The XXH3-128 of what was read, in hex."""
        return self._check.hexdigest()

    def readable(self) -> bool:
        """A stream to be read."""
        return True

    def seekable(self) -> bool:
        """It can be read again."""
        return True

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self._count

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go back to the beginning, the one place to go to."""
        if offset or whence:
            raise io.UnsupportedOperation("a verified stream is read from its beginning")
        self._inner.seek(self._start)
        self._begin()
        return 0

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes.

        Raises:
            DataError: they are the last, and the whole is not what it should be.
        """
        left = self._size - self._count
        data = self._inner.read(left if size < 0 else min(size, left))
        self._hasher.update(data)
        self._check.update(data)
        self._count += len(data)
        if self._count == self._size or (not data and size):
            found = digests.make(digests.algorithm(self._expect), self._hasher.hexdigest())
            if found != self._expect:
                raise DataError(f"bytes that should be {self._expect} are {found}")
        return data
