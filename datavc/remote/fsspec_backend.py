"""FsspecBackend: every service that fsspec knows. The only module that imports fsspec.

Requests run as coroutines on fsspec's own loop, in its own thread; the caller's thread waits for
each with a deadline. What the file systems differ in stands in `dialects.py`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple, TypeVar

from datavc.core.errors import ConfigError, DatavcError, RemoteError
from datavc.remote import trouble
from datavc.remote.backend import SLOWEST, SMALL, BlobInfo, Capabilities
from datavc.remote.dialects import Data, Dialect, FileSystem, GenericDialect, SshDialect
from datavc.remote.s3_dialects import ObstoreDialect

T = TypeVar("T")

GRACE_S = 5.0
"""How much longer than its deadline a request is waited for, should it not end by itself."""
LARGE_AT_ONCE = 4
"""Blobs on their way up in parts; times PARTS_AT_ONCE and PART, the memory that uploads take."""
AT_ONCE = 1 << 20
"""Bytes that are on their way up before anybody loses patience, however slow that way is."""
TEMPORARY = "tmp"
"""Folder of half-written blobs, where a service has no atomic put."""

PREFERRED = {"ssh": "sshfs.SSHFileSystem"}
"""Classes to take where fsspec itself knows another: its own for ssh does one thing at a time."""


class Place(NamedTuple):
    """Where a backend works: path of its root in the file system, address, and what it can do."""

    root: str
    address: str
    capabilities: Capabilities


class FsspecBackend:
    """Blobs below one folder or key prefix of an fsspec file system."""

    def __init__(self, place: Place, connect: Callable[[], Dialect], timeout_s: float) -> None:
        """Work at `place`; `connect` is called at the first request, and after a lost connection.

        `timeout_s` bounds a request without its body.
        """
        self.capabilities = place.capabilities
        self.address = place.address
        self._prefix = f"{place.root}/" if place.root else ""
        self._connect = connect
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._large = threading.BoundedSemaphore(LARGE_AT_ONCE)
        self._dialect: Dialect | None = None
        self._folders: set[str] = set()

    def put(self, key: str, stream: BinaryIO, size: int) -> None:
        """Store a blob, in one request or in parts, under a temporary name where need be."""
        if self.capabilities.read_only:
            raise RemoteError(
                f"{self.address} can only be read", "push to another remote with `-r NAME`"
            )
        if self.capabilities.atomic_put:
            self._send(key, stream, size)
            if size > SMALL:
                self._check(key, size)
            return
        temporary = f"{TEMPORARY}/{os.urandom(12).hex()}"
        self._make_folder(TEMPORARY)
        self._make_folder(key.rpartition("/")[0])
        try:
            self._send(temporary, stream, size)
            self._check(temporary, size)
            self._run(lambda it: _folders(it).rename(self._path(temporary), self._path(key)))
        except BaseException:
            with contextlib.suppress(DatavcError):
                self.delete([temporary])
            raise

    def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Return bytes of a blob; none beyond its end, where services answer with an error."""
        return bytes(self._get(key, start, length))

    def get_range(self, key: str, start: int, length: int) -> memoryview:
        """Return bytes of a blob."""
        return memoryview(self._get(key, start, length))

    def _get(self, key: str, start: int, length: int | None) -> Data:
        path = self._path(key)
        end = None if length is None else start + length
        try:
            if start or end is None or end > SMALL:
                return self._run(lambda it: it.get(path, start, end), length or SMALL)
            last = end
            return self._ask(
                lambda it: it.get_now(path, last), lambda it: it.get(path, 0, last), end
            )
        except RemoteError as error:
            cause = error.__cause__ or error
            if trouble.is_missing(cause):
                raise FileNotFoundError(f"{self.address} has no {key}") from cause
            if trouble.is_beyond_end(cause):
                return b""
            raise

    def stat(self, key: str) -> BlobInfo | None:
        """Return what is known of a blob."""
        path = self._path(key)
        found = self._ask(lambda it: it.stat_now(path), lambda it: it.stat(path))
        return found and found._replace(key=key)

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """List a folder."""
        for blob in self._run(lambda it: it.list(self._path(prefix)), size=SMALL):
            yield blob._replace(key=self._key(blob.key))

    def delete(self, keys: Iterable[str]) -> None:
        """Remove blobs."""
        paths = [self._path(key) for key in keys]
        if paths:
            self._run(lambda it: it.delete(paths), size=len(paths) << 10)

    def _path(self, key: str) -> str:
        return self._prefix + key

    def _key(self, path: str) -> str:
        return path.removeprefix(self._prefix)

    def _send(self, key: str, stream: BinaryIO, size: int) -> None:
        path = self._path(key)
        if size > SMALL:
            with self._large:
                self._run(lambda it: it.upload(path, stream, size), size)
            return
        data = stream.read(size)
        if len(data) != size:
            raise RemoteError(f"{key} has {len(data)} bytes to send instead of {size}")
        if size > AT_ONCE:
            self._run(lambda it: it.put(path, data), size)
        else:
            self._ask(lambda it: it.put_now(path, data), lambda it: it.put(path, data), size)

    def _check(self, key: str, size: int) -> None:
        found = self.stat(key)
        if found is None or found.size != size:
            self.delete([key])
            has = "nothing" if found is None else f"{found.size} bytes"
            raise RemoteError(
                f"{self.address} stored {has} of {size} bytes that were sent", transient=True
            )

    def _make_folder(self, key: str) -> None:
        if key not in self._folders:
            self._run(lambda it: _folders(it).make_folder(self._path(key)))
            self._folders.add(key)

    def _run(self, ask: Callable[[Dialect], Coroutine[Any, Any, T]], size: int = 0) -> T:
        """Return the answer to one request that moves `size` bytes.

        Raises:
            RemoteError: there is none; what the library raised is its cause.
        """
        return self._answer(lambda dialect: self._wait(ask(dialect), size))

    def _ask(
        self,
        now: Callable[[ObstoreDialect], T],
        ask: Callable[[Dialect], Coroutine[Any, Any, T]],
        size: int = 0,
    ) -> T:
        """Return the answer to one small request, made `now` by this very thread if it may.

        The main thread waits for the loop: it must hear of Ctrl-C.

        Raises:
            RemoteError: as `_run` does.
        """

        def answered(dialect: Dialect) -> T:
            is_main = threading.current_thread() is threading.main_thread()
            if isinstance(dialect, ObstoreDialect) and not is_main:
                return now(dialect)
            return self._wait(ask(dialect), size)

        return self._answer(answered)

    def _wait(self, request: Coroutine[Any, Any, T], size: int) -> T:
        import asyncio

        from fsspec.asyn import get_loop

        deadline_s = self._timeout_s + size / SLOWEST
        bounded = asyncio.wait_for(request, deadline_s)
        future = asyncio.run_coroutine_threadsafe(bounded, get_loop())
        try:
            return future.result(deadline_s + GRACE_S)
        except BaseException:
            future.cancel()
            raise

    def _answer(self, get: Callable[[Dialect], T]) -> T:
        dialect: Dialect | None = None
        try:
            dialect = self._connected()
            return get(dialect)
        except DatavcError:
            raise
        except Exception as error:
            if isinstance(error, TypeError) and "unexpected keyword" in str(error):
                # s3fs looks at its options when the first request is made.
                raise ConfigError(
                    f"the remote at {self.address} has an option that is refused: {error}",
                    "`datavc config --list --show-origin` shows where it stands",
                ) from error
            explained = trouble.explain(error, self.address)
            if explained.transient:
                self._forget(dialect)
            raise explained from error

    def _connected(self) -> Dialect:
        with self._lock:
            if self._dialect is None:
                self._dialect = self._connect()
            return self._dialect

    def _forget(self, broken: Dialect | None) -> None:
        with self._lock:
            if isinstance(broken, SshDialect) and self._dialect is broken:
                self._dialect = None


def _folders(dialect: Dialect) -> GenericDialect:
    """Return `dialect`, which has folders because its service has no atomic put."""
    if not isinstance(dialect, GenericDialect):
        raise TypeError("a service without folders must put atomically")
    return dialect


def open_filesystem(protocol: str, options: dict[str, Any], url: str = "") -> FileSystem:
    """Return an asynchronous file system of fsspec, shared with nobody.

    What `url` says of host and user counts where `options` does not.
    """
    import fsspec
    from fsspec.asyn import AsyncFileSystem
    from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper

    if protocol in PREFERRED:
        fsspec.register_implementation(protocol, PREFERRED[protocol], clobber=True)
    cls = fsspec.get_filesystem_class(protocol)
    named = cls._get_kwargs_from_urls(url) if url else {}
    plain = cls(**named | options, skip_instance_cache=True)
    return plain if isinstance(plain, AsyncFileSystem) else AsyncFileSystemWrapper(plain)


def open_adapter(options: dict[str, Any]) -> FileSystem:
    """Return obstore's file system for S3, shared with nobody."""
    from obstore.fsspec import FsspecStore

    adapter: FileSystem = FsspecStore
    return adapter("s3", skip_instance_cache=True, **options)
