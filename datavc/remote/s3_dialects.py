"""S3, spoken to through s3fs or through obstore's fsspec adapter; see `dialects.py`.

Both below their file systems' own methods, which ask twice where an answer is "not there".
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from datavc.remote.backend import PARTS_AT_ONCE, SLOWEST, BlobInfo
from datavc.remote.dialects import Data, FileSystem, GenericDialect, part_size, parts, seconds

AT_ONCE = 1_000
"""Names in one request, to list or to delete: S3's bound."""


PIECE = 1 << 20
"""Bytes of a body that are read at a time, at most."""


class S3Dialect(GenericDialect):
    """s3fs, one request a call."""

    def __init__(self, filesystem: FileSystem, patience_s: float) -> None:
        """Speak to an `S3FileSystem`; a server may be silent for `patience_s` at a time."""
        super().__init__(filesystem)
        self._patience_s = patience_s

    def _place(self, path: str) -> dict[str, str]:
        bucket, _, key = path.partition("/")
        return {"Bucket": bucket, "Key": key}

    async def put(self, path: str, data: bytes) -> None:
        """Store a small object."""
        await self._fs._call_s3("put_object", **self._place(path), Body=data)

    async def upload(self, path: str, stream: BinaryIO, size: int) -> None:
        """Send parts, a few at once, and join them."""
        place = self._place(path)
        answer = await self._fs._call_s3("create_multipart_upload", **place)
        place["UploadId"] = answer["UploadId"]
        try:
            sent = await self._send(place, parts(stream, size))
            await self._fs._call_s3(
                "complete_multipart_upload", **place, MultipartUpload={"Parts": sent}
            )
        except BaseException:
            await self._fs._call_s3("abort_multipart_upload", **place)
            raise

    async def _send(self, place: dict[str, str], pieces: Iterator[bytes]) -> list[dict[str, Any]]:
        import asyncio

        sent: list[dict[str, Any]] = []
        numbers = itertools.count(1)
        while batch := list(itertools.islice(pieces, PARTS_AT_ONCE)):
            sent += await asyncio.gather(
                *(self._send_one(place, next(numbers), data) for data in batch)
            )
        return sent

    async def _send_one(self, place: dict[str, str], number: int, data: bytes) -> dict[str, Any]:
        answer = await self._fs._call_s3("upload_part", **place, PartNumber=number, Body=data)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    async def get(self, path: str, start: int, end: int | None) -> bytes:
        """Read a range, and no more than that, whatever the server sends."""
        import asyncio

        wanted = {} if not start and end is None else {"Range": f"bytes={start}-"}
        if end is not None:
            wanted["Range"] += str(end - 1)
        async with asyncio.timeout(self._patience_s):
            answer = await self._fs._call_s3("get_object", **self._place(path), **wanted)
        taken = bytearray()
        async with answer["Body"] as body:
            while left := PIECE if end is None else min(PIECE, end - start - len(taken)):
                async with asyncio.timeout(self._patience_s):
                    piece = await body.read(left)
                if not piece:
                    break
                taken += memoryview(piece)
        return bytes(taken)

    async def stat(self, path: str) -> BlobInfo | None:
        """Ask for an object's head."""
        try:
            found = await self._fs._call_s3("head_object", **self._place(path))
        except FileNotFoundError:
            return None
        return BlobInfo(path, found["ContentLength"], seconds(found["LastModified"]))

    async def list(self, path: str) -> list[BlobInfo]:
        """Ask for pages of 1,000 names, one after the other."""
        import asyncio

        place = self._place(path)
        request = {"Bucket": place["Bucket"], "Prefix": f"{place['Key']}/"}
        found: list[BlobInfo] = []
        while True:
            async with asyncio.timeout(self._patience_s):
                page = await self._fs._call_s3("list_objects_v2", **request)
            for item in page.get("Contents", ()):
                name = f"{place['Bucket']}/{item['Key']}"
                found.append(BlobInfo(name, item["Size"], seconds(item["LastModified"])))
            if not page.get("IsTruncated"):
                return found
            request["ContinuationToken"] = page["NextContinuationToken"]

    async def delete(self, paths: Sequence[str]) -> None:
        """Remove objects, a thousand a request."""
        for first in range(0, len(paths), AT_ONCE):
            places = [self._place(path) for path in paths[first : first + AT_ONCE]]
            answer = await self._fs._call_s3(
                "delete_objects",
                Bucket=places[0]["Bucket"],
                Delete={"Objects": [{"Key": place["Key"]} for place in places], "Quiet": True},
            )
            for refused in answer.get("Errors", ()):
                raise PermissionError(f"{refused.get('Code')}: {refused.get('Message')}")


class ObstoreDialect:
    """obstore's fsspec adapter, by the store inside it: one request a call.

    Small requests can be made by threads of the caller's, without a loop between: half the work.
    """

    def __init__(self, filesystem: FileSystem, quick: FileSystem, patience_s: float) -> None:
        """Speak to an `obstore.fsspec.FsspecStore`; see `S3Dialect` for `patience_s`.

        `quick` is another, which bounds the time of small requests by itself.
        """
        self._fs = filesystem
        self._quick = quick
        self._patience_s = patience_s

    def put_now(self, path: str, data: bytes) -> None:
        """Store a small object."""
        bucket, _, key = path.partition("/")
        self._quick._construct_store(bucket).put(key, data, use_multipart=False)

    def get_now(self, path: str, end: int) -> Data:
        """Read an object, or the first `end` bytes of it."""
        bucket, _, key = path.partition("/")
        answer = self._quick._construct_store(bucket).get(key)
        if answer.meta["size"] <= end:
            return memoryview(answer.bytes())
        taken = bytearray()
        for piece in answer.stream():
            taken += memoryview(piece)
            if len(taken) >= end:
                break
        return memoryview(taken)[:end]

    def stat_now(self, path: str) -> BlobInfo | None:
        """Ask for an object's head."""
        bucket, _, key = path.partition("/")
        try:
            return _blob(path, self._quick._construct_store(bucket).head(key))
        except FileNotFoundError:
            return None

    def _place(self, path: str) -> tuple[Any, str]:
        bucket, _, key = path.partition("/")
        return self._fs._construct_store(bucket), key

    async def put(self, path: str, data: bytes) -> None:
        """Store a small object."""
        store, key = self._place(path)
        await store.put_async(key, data, use_multipart=False)

    async def upload(self, path: str, stream: BinaryIO, size: int) -> None:
        """Send parts; a part that cannot be read ends the upload, and that error is raised."""
        store, key = self._place(path)
        broken: list[BaseException] = []

        def pieces() -> Iterator[bytes]:
            try:
                yield from parts(stream, size)
            except BaseException as error:
                broken.append(error)
                raise

        try:
            await store.put_async(
                key,
                pieces(),
                use_multipart=True,
                chunk_size=part_size(size),
                max_concurrency=PARTS_AT_ONCE,
            )
        except BaseException as error:
            if broken and broken[0] is not error:
                raise broken[0] from error
            raise

    async def get(self, path: str, start: int, end: int | None) -> Data:
        """Read a range."""
        import asyncio

        store, key = self._place(path)
        # From the beginning no range is asked for: some servers answer one with the whole, which
        # this library refuses, and most objects are smaller than what is asked for anyway.
        wanted = {"offset": start} if end is None else (start, end)
        async with asyncio.timeout(self._patience_s):
            answer = await store.get_async(key, options={"range": wanted} if start else None)
        if start or end is None or answer.meta["size"] <= end:
            first, last = answer.range
            async with asyncio.timeout(self._patience_s + (last - first) / SLOWEST):
                return memoryview(await answer.bytes_async())
        taken = bytearray()
        async for piece in answer.stream():
            taken += piece.to_bytes() if hasattr(piece, "to_bytes") else piece
            if len(taken) >= end:
                break
        return bytes(taken[:end])

    async def stat(self, path: str) -> BlobInfo | None:
        """Ask for an object's head."""
        store, key = self._place(path)
        try:
            return _blob(path, await store.head_async(key))
        except FileNotFoundError:
            return None

    async def list(self, path: str) -> list[BlobInfo]:
        """Ask for pages of 1,000 names, one after the other."""
        import asyncio

        store, key = self._place(path)
        bucket = path.partition("/")[0]
        pages = aiter(store.list(key, chunk_size=AT_ONCE))
        found: list[BlobInfo] = []
        while True:
            async with asyncio.timeout(self._patience_s):
                page = await anext(pages, None)
            if page is None:
                return found
            found += [_blob(f"{bucket}/{item['path']}", item) for item in page]

    async def delete(self, paths: Sequence[str]) -> None:
        """Remove objects, a thousand a request."""
        if paths:
            store, _ = self._place(paths[0])
            await store.delete_async([self._place(path)[1] for path in paths])


def _blob(path: str, found: Mapping[str, Any]) -> BlobInfo:
    return BlobInfo(path, found["size"], seconds(found["last_modified"]))
