"""Backend: named blobs at an address. Read this first; every service is one of these.

A backend knows nothing of digests. Its names are relative keys such as
`objects/blake3/9f/86d0…`. All methods block, may be called from many threads at once, and raise
RemoteError (with `transient` decided by the backend, which alone knows its service's errors).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple, Protocol

SMALL = 8 << 20
"""Bytes up to which a blob travels in one request; larger ones go in parts and ranges."""
PART = 8 << 20
"""Bytes of a part or a range, at least: a multiple of what S3 and Azure ask for (5 and 4 MiB)."""
SLOWEST = 64 << 10
"""Bytes a second that a body may always take, on top of the time-out of a request."""
PARTS_AT_ONCE = 4
"""Parts of one blob in flight: with PART this bounds the memory of a transfer."""


class Capabilities(NamedTuple):
    """What the service can do; stated by the backend, not guessed by its users.

    `atomic_put`: a blob appears whole or not at all, without a rename. `lists`: it can be asked
    what it has. `flat`: one request lists everything below a prefix, whatever its folders.
    """

    read_only: bool = False
    atomic_put: bool = True
    lists: bool = True
    flat: bool = True


class BlobInfo(NamedTuple):
    """One blob of a listing: key, bytes, and time of change (epoch, s; 0 if unknown)."""

    key: str
    size: int
    time_s: float = 0.0


class Backend(Protocol):
    """Blobs by key."""

    @property
    def capabilities(self) -> Capabilities:
        """What the service can do."""

    @property
    def address(self) -> str:
        """For messages: the URL without secrets."""

    def put(self, key: str, stream: BinaryIO, size: int) -> None:
        """Store `size` bytes of `stream` under `key`, visible only when complete.

        The stream is seekable, and is read again from where it stood when the call is retried.
        What reading it raises passes through, and nothing becomes visible.
        """

    def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Return the bytes of `key`, or `length` of them from `start`; fewer at its end.

        Raises:
            FileNotFoundError: there is no such blob.
        """

    def get_range(self, key: str, start: int, length: int) -> memoryview:
        """Return what `get` does, without a copy for its sake."""

    def stat(self, key: str) -> BlobInfo | None:
        """Return what is known of `key`, None if it is not there."""

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """List all blobs below `prefix` (a folder without a slash at its end), in no order."""

    def delete(self, keys: Iterable[str]) -> None:
        """Remove blobs; one that is not there is passed over."""
