"""How each kind of fsspec file system is spoken to: the few requests in which they differ.

Coroutines, run by `fsspec_backend.py` on fsspec's loop. They raise what the library raises.
A path is `bucket/key` for object stores, else a path as the file system understands it.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Protocol

from datavc.core.errors import DataError
from datavc.remote.backend import PART, BlobInfo

FileSystem = Any
"""A file system of fsspec, which carries no types."""
Data = bytes | memoryview
"""Bytes of a blob, in memory of Python's or of the library that got them."""
PARTIAL = 206
"""The status of an answer that is the range asked for."""
MOST_PARTS = 9_000
"""S3 takes 10,000 parts of one upload, Azure 50,000."""


class Dialect(Protocol):
    """The requests of one file system; sizes in bytes, times as epoch seconds."""

    async def put(self, path: str, data: bytes) -> None:
        """Store a small blob."""

    async def upload(self, path: str, stream: BinaryIO, size: int) -> None:
        """Store a large blob in parts; nothing of it stays if reading or sending fails."""

    async def get(self, path: str, start: int, end: int | None) -> Data:
        """Return bytes `start` to `end` of a blob."""

    async def stat(self, path: str) -> BlobInfo | None:
        """Return a blob's size and time, None if it is not there."""

    async def list(self, path: str) -> list[BlobInfo]:
        """Return all blobs below a folder; none if there is no such folder."""

    async def delete(self, paths: Sequence[str]) -> None:
        """Remove blobs, whether they are there or not."""


class Folders(Protocol):
    """What is asked besides of a service whose blobs are not born whole."""

    async def make_folder(self, path: str) -> None:
        """Make a folder and those above it; one that is there is no error."""

    async def rename(self, path: str, final: str) -> None:
        """Give a blob its final name, in place of what has it."""


def _give_up(file: FileSystem) -> None:
    """Drop a half-written file: closing it would publish what was written so far.

    Not every kind knows how; those write under a temporary name, which the backend deletes.
    """
    with contextlib.suppress(Exception):
        file.discard()
    with contextlib.suppress(Exception):
        file.closed = True


def part_size(size: int) -> int:
    """Return the bytes of each part of a blob of `size` bytes."""
    needed = -(-size // MOST_PARTS)
    return max(PART, -(-needed // (1 << 20)) << 20)


def parts(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield `size` bytes of `stream` in parts."""
    step = part_size(size)
    while size > 0:
        data = _exactly(stream, min(step, size))
        size -= len(data)
        yield data


def _exactly(stream: BinaryIO, size: int) -> bytes:
    pieces = []
    while size > 0:
        data = stream.read(size)
        if not data:
            raise DataError("the file became shorter while it was sent")
        pieces.append(data)
        size -= len(data)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def seconds(time: object) -> float:
    """Return a time, in whatever way the file system tells it, as epoch seconds; 0 for none."""
    stamp = getattr(time, "timestamp", None)
    if callable(stamp):
        return float(stamp())
    return float(time) if isinstance(time, int | float) else 0.0


class GenericDialect:
    """Any fsspec file system, through what all of them have."""

    def __init__(self, filesystem: FileSystem) -> None:
        """Speak to an AsyncFileSystem, which may be a wrapped synchronous one."""
        self._fs = filesystem
        self._plain: FileSystem = getattr(filesystem, "sync_fs", filesystem)

    async def put(self, path: str, data: bytes) -> None:
        """Store a small blob."""
        await self._fs._pipe_file(path, data)

    async def upload(self, path: str, stream: BinaryIO, size: int) -> None:
        """Write through the file system's own file object, which sends parts as it fills."""
        import asyncio

        await asyncio.to_thread(self._write, path, stream, size)

    def _write(self, path: str, stream: BinaryIO, size: int) -> None:
        file = self._plain.open(path, "wb", block_size=part_size(size))
        try:
            for data in parts(stream, size):
                file.write(data)
        except BaseException:
            _give_up(file)
            raise
        file.close()

    async def get(self, path: str, start: int, end: int | None) -> bytes:
        """Return a range; a service that ignores ranges sends all, which is cut here."""
        if start == 0 and end is None:
            return bytes(await self._fs._cat_file(path))
        data: bytes = await self._fs._cat_file(path, start=start, end=end)
        return data if end is None or len(data) <= end - start else data[start:end]

    async def stat(self, path: str) -> BlobInfo | None:
        """Return a blob's size and time."""
        self._plain.invalidate_cache()
        try:
            found = await self._fs._info(path)
        except FileNotFoundError:
            return None
        return self._blob(found) if found.get("type", "file") == "file" else None

    async def list(self, path: str) -> list[BlobInfo]:
        """Walk a folder; the file system's own spelling of names is undone."""
        self._plain.invalidate_cache()
        try:
            found = await self._fs._find(path, detail=True)
        except FileNotFoundError:
            return []
        start = str(self._plain._strip_protocol(path)).strip("/")
        blobs = (self._blob(entry) for entry in found.values())
        return [
            blob._replace(key=path + blob.key.strip("/").removeprefix(start)) for blob in blobs
        ]

    def _blob(self, entry: dict[str, Any]) -> BlobInfo:
        time = next(
            (
                entry[key]
                for key in ("mtime", "LastModified", "last_modified", "updated", "modified")
                if entry.get(key)
            ),
            0,
        )
        return BlobInfo(entry["name"], int(entry.get("size") or 0), seconds(time))

    async def delete(self, paths: Sequence[str]) -> None:
        """Remove blobs one by one."""
        for path in paths:
            try:
                await self._fs._rm_file(path)
            except FileNotFoundError:
                continue

    async def make_folder(self, path: str) -> None:
        """Make a folder."""
        import asyncio

        await asyncio.to_thread(self._plain.makedirs, path, exist_ok=True)

    async def rename(self, path: str, final: str) -> None:
        """Move a file; what has the name already holds the same bytes."""
        import asyncio

        await asyncio.to_thread(self._plain.mv, path, final)


class HttpDialect(GenericDialect):
    """A web server, which may ignore ranges and send without end."""

    async def get(self, path: str, start: int, end: int | None) -> bytes:
        """Return a range; what comes before it is passed over, what comes after is not read."""
        options = dict(self._fs.kwargs)
        headers = dict(options.pop("headers", {}))
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        session = await self._fs.set_session()
        taken = bytearray()
        url = self._fs.encode_url(path)
        async with session.get(url, headers=headers, **options) as answer:
            self._fs._raise_not_found_for_status(answer, path)
            passed_over = 0 if answer.status == PARTIAL else start
            limit = None if end is None else end - start + passed_over
            while limit is None or len(taken) < limit:
                left = PART if limit is None else limit - len(taken)
                piece = await answer.content.read(min(PART, left))
                if not piece:
                    break
                taken += piece
        return bytes(taken[passed_over:])


class SshDialect(GenericDialect):
    """sshfs: ranges and long writes go through its SFTP channels, which keep many in flight."""

    async def put(self, path: str, data: bytes) -> None:
        """Store a small file."""
        await self.upload(path, io.BytesIO(data), len(data))

    async def upload(self, path: str, stream: BinaryIO, size: int) -> None:
        """Write a file part by part."""
        async with self._fs._pool.get() as channel, channel.open(path, "wb") as file:
            for data in parts(stream, size):
                await file.write(data)

    async def get(self, path: str, start: int, end: int | None) -> bytes:
        """Read a range."""
        async with self._fs._pool.get() as channel, channel.open(path, "rb") as file:
            data: bytes = await file.read(-1 if end is None else end - start, start)
            return data

    async def rename(self, path: str, final: str) -> None:
        """Rename in one step where the server can (OpenSSH does), else beside what is there."""
        async with self._fs._pool.get() as channel:
            try:
                await channel.posix_rename(path, final)
            except Exception as error:
                if type(error).__name__ != "SFTPOpUnsupported":
                    raise
                await channel.rename(path, final)
