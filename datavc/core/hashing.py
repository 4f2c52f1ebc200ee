"""Identity (BLAKE3 by default) and change check (XXH3-128) of bytes.

Identity answers "what is it?" and must resist people; the check answers "has it changed here?"
and only has to resist chance. Measured in memory, November 2026: XXH3-128 8.95 GiB/s, BLAKE3 4.6
on one thread, both in one pass 3.7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

from datavc.core.digest import Digest, make
from datavc.core.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Buffer  # type: ignore[attr-defined]

CHUNK = 1 << 20
"""Bytes per read of a large file: big enough that the hash, not the call, costs."""


class Hasher(Protocol):
    """What hashlib, blake3 and xxhash objects have in common."""

    def update(self, data: Buffer, /) -> object:
        """Take in more bytes."""

    def hexdigest(self) -> str:
        """Return the digest so far in lower-case hex."""


class Source(Protocol):
    """A stream that fills a buffer, as raw and buffered binary files do."""

    def readinto(self, buffer: bytearray, /) -> int | None:
        """Put the next bytes into `buffer`; 0 at the end."""


class Hashed(NamedTuple):
    """Digest, XXH3-128 check (32 hex digits) and number of bytes read."""

    digest: Digest
    check: str
    size: int


def new(algorithm: str) -> Hasher:
    """Return an empty hasher.

    Raises:
        FormatError: the algorithm is not one that datavc knows.
    """
    if algorithm == "blake3":
        import blake3

        return blake3.blake3()
    if algorithm == "xxh128":
        import xxhash

        return xxhash.xxh3_128()
    if algorithm in ("sha256", "md5"):
        import hashlib

        return hashlib.new(algorithm, usedforsecurity=False)
    raise FormatError(f"unknown digest algorithm {algorithm!r}")


def hash_bytes(data: bytes, algorithm: str) -> Hashed:
    """Return identity and check of `data`."""
    return Hashed(digest_of(data, algorithm), check_bytes(data), len(data))


def digest_of(data: bytes, algorithm: str) -> Digest:
    """Return the identity of `data`."""
    hasher = new(algorithm)
    hasher.update(data)
    return make(algorithm, hasher.hexdigest())


def copied_as(stream: BinaryIO, algorithm: str, sink: Callable[[memoryview], object]) -> Digest:
    """Read `stream` once to its end and return its identity; `sink` takes each piece."""
    identity = new(algorithm)
    for piece in _pieces(stream):
        identity.update(piece)
        sink(piece)
    return make(algorithm, identity.hexdigest())


def check_bytes(data: bytes) -> str:
    """Return the XXH3-128 of `data`, in hex."""
    import xxhash

    return xxhash.xxh3_128_hexdigest(data)


def hash_stream(
    stream: BinaryIO | Source, algorithm: str, sink: Callable[[memoryview], object] | None = None
) -> Hashed:
    """Read `stream` once to its end; hand each piece to `sink`, if any, before the next read."""
    import xxhash

    identity, check, size = new(algorithm), xxhash.xxh3_128(), 0
    for piece in _pieces(stream):
        identity.update(piece)
        check.update(piece)
        if sink is not None:
            sink(piece)
        size += len(piece)
    return Hashed(make(algorithm, identity.hexdigest()), check.hexdigest(), size)


def _pieces(stream: BinaryIO | Source) -> Iterator[memoryview]:
    """Yield what a stream holds, each piece in the memory that the next will take."""
    buffer = bytearray(CHUNK)
    view = memoryview(buffer)
    while count := stream.readinto(buffer):  # type: ignore[union-attr]
        yield view[:count]


def hash_sized(stream: BinaryIO, size: int, algorithm: str) -> Hashed:
    """Hash a stream of about `size` bytes; a small one without the cost of a large buffer."""
    if size >= CHUNK:
        return hash_stream(stream, algorithm)
    head = stream.read(size + 1)
    if len(head) <= size:
        return hash_bytes(head, algorithm)
    return hash_bytes(head + stream.read(), algorithm)


def check_stream(stream: BinaryIO) -> str:
    """Return the XXH3-128 of a stream, in hex: the fast answer to "still the same bytes?"."""
    import xxhash

    hasher = xxhash.xxh3_128()
    for piece in _pieces(stream):
        hasher.update(piece)
    return hasher.hexdigest()
