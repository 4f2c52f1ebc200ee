"""ObjectStore: immutable bytes by digest. Read this first.

`local.py`, `memory.py` and the remote storey's `store.py` are the three that exist.

Laws: an object that can be seen is complete. Putting one that exists is no error and keeps it from
collection. What a writer took in is durable together when the writer's context ends without an
error; it may become visible earlier, which harms nobody, because names come later. A miss is asked
a second time before it is believed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, NamedTuple, Protocol

from datavc.core import digest as digests
from datavc.core.digest import Digest
from datavc.core.errors import DataError
from datavc.core.hashing import hash_bytes

WHOLE_LIMIT = 1 << 28
"""Bytes of the largest object that `read` takes into memory: a root of a tree of 10^7 segments."""


class Stored(NamedTuple):
    """What `put` took in: digest, bytes, XXH3-128 check, and whether it was not there before."""

    digest: Digest
    size: int
    check: str
    new: bool


class ObjectInfo(NamedTuple):
    """One object of a listing: digest, bytes, and when it was written or changed (epoch, s)."""

    digest: Digest
    size: int
    time_s: float


class ObjectWriter(Protocol):
    """Takes in objects; `put` may be called from several threads at once."""

    def put(
        self, stream: BinaryIO, *, expect: Digest | None = None, size: int | None = None
    ) -> Stored:
        """Store the bytes of `stream`, read to its end from where it stands.

        `expect` names what the bytes must be, `size` how many there are at most.

        Raises:
            DataError: the bytes are not `expect`, or more than `size`; nothing was published.
        """


class ObjectStore(Protocol):
    """Six verbs; everything else is built from them."""

    def missing(self, wanted: Collection[Digest]) -> set[Digest]:
        """Return those of `wanted` that the store does not have, as it says now."""

    def sizes(self, wanted: Collection[Digest]) -> dict[Digest, int]:
        """Return the bytes of those of `wanted` that the store has, as it says now."""

    def open(self, digest: Digest) -> BinaryIO:
        """Return a stream of the object's bytes, not yet verified: who reads, hashes.

        Raises:
            DataError: there is no such object.
        """

    def writer(self) -> AbstractContextManager[ObjectWriter]:
        """Return a session that objects are put into."""

    def delete(self, unwanted: Iterable[Digest]) -> None:
        """Remove objects; one that is not there is passed over."""

    def iter(self) -> Iterator[ObjectInfo]:
        """List all objects, in no order."""


def read(store: ObjectStore, digest: Digest) -> bytes:
    """Return the whole object, verified.

    Raises:
        DataError: it is missing, damaged, or larger than `WHOLE_LIMIT`.
    """
    with store.open(digest) as stream:
        data = stream.read(WHOLE_LIMIT + 1)
    if len(data) > WHOLE_LIMIT:
        raise DataError(f"object {digest} is too large to be what it should be")
    if hash_bytes(data, digests.algorithm(digest)).digest != digest:
        raise DataError(f"object {digest} is damaged", "`datavc fsck` sets it aside")
    return data
