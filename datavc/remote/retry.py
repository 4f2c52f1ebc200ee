"""RetryBackend: asks again when a remote stumbles. The only place that repeats a request."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, TypeVar

from datavc.core.errors import RemoteError
from datavc.core.trace import trace
from datavc.remote.backend import Backend, BlobInfo, Capabilities

T = TypeVar("T")

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 10.0


class RetryBackend:
    """A backend whose transient failures are repeated, at most `retries` times.

    Waits grow twofold and are drawn evenly from zero to the bound ("full jitter": M. Brooker,
    Exponential Backoff And Jitter, 2015), so that many clients do not come back together. No new
    attempt begins when `deadline_s` seconds have passed since the first.
    """

    def __init__(self, inner: Backend, *, retries: int, deadline_s: float) -> None:
        """Wrap `inner`."""
        self._inner = inner
        self._retries = retries
        self._deadline_s = deadline_s

    @property
    def capabilities(self) -> Capabilities:
        """What the service can do."""
        return self._inner.capabilities

    @property
    def address(self) -> str:
        """For messages: the URL without secrets."""
        return self._inner.address

    def _repeat(self, call: Callable[[], T]) -> T:
        started = time.monotonic()
        attempt = 0
        while True:
            try:
                return call()
            except RemoteError as error:
                import random

                wait_s = random.uniform(0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**attempt))
                late = time.monotonic() + wait_s - started >= self._deadline_s
                if not error.transient or attempt >= self._retries or late:
                    raise
                trace(
                    __name__, "attempt %d failed, again in %.1f s: %s", attempt + 1, wait_s, error
                )
            time.sleep(wait_s)
            attempt += 1

    def put(self, key: str, stream: BinaryIO, size: int) -> None:
        """Store a blob; every attempt reads the stream again from where it stands now."""
        start = stream.tell()

        def attempt() -> None:
            stream.seek(start)
            self._inner.put(key, stream, size)

        self._repeat(attempt)

    def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Return bytes of a blob."""
        return self._repeat(lambda: self._inner.get(key, start, length))

    def get_range(self, key: str, start: int, length: int) -> memoryview:
        """Return bytes of a blob."""
        return self._repeat(lambda: self._inner.get_range(key, start, length))

    def stat(self, key: str) -> BlobInfo | None:
        """Return what is known of a blob."""
        return self._repeat(lambda: self._inner.stat(key))

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """List blobs; taken in whole before the first is handed on, so that none comes twice."""
        return iter(self._repeat(lambda: list(self._inner.list(prefix))))

    def delete(self, keys: Iterable[str]) -> None:
        """Remove blobs."""
        unwanted = list(keys)
        self._repeat(lambda: self._inner.delete(unwanted))
