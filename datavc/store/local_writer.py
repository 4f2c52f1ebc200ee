"""LocalWriter: takes bytes in, publishes them in durable batches. Each byte is read once."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from threading import Lock
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Protocol, TypeVar

from datavc.core import digest as digests
from datavc.core.digest import Digest
from datavc.core.errors import DataError
from datavc.core.hashing import Hashed, digest_of, hash_bytes, hash_sized, hash_stream
from datavc.store import atomic, leftovers
from datavc.store.crew import Crew, gather
from datavc.store.incoming import WHOLE, Joined, length, share
from datavc.store.leases import Lease
from datavc.store.object_store import Stored

BATCH_FILES = 2000
BATCH_BYTES = 1 << 30
"""A batch is published when it has so many files or bytes: a kill costs at most one batch."""

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


T = TypeVar("T")
R = TypeVar("R")
Batch = dict[Digest, tuple[str, int]]
"""Objects that were taken in and are not published yet: their temporary files, and their bytes."""


class WriterSettings(NamedTuple):
    """How and where to write: see `LocalStore`."""

    root: str
    algorithm: str
    durability: atomic.Durability
    shared: bool


class Holder(Protocol):
    """What the writer asks of its store."""

    def holds(self, digest: Digest) -> bool:
        """Tell whether a sound object is here."""


class LocalWriter:
    """One session; `put` may be called from several threads."""

    def __init__(self, settings: WriterSettings, store: Holder) -> None:
        """Write below `settings.root`."""
        self._settings = settings
        self._store = store
        self._batch: Batch = {}
        self._batch_size = 0
        self._count = 0
        self._stem = ""
        self._crew: Crew[Any, Any] | None = None
        self._latest: Batch = {}
        self._linked: dict[str, os.stat_result] = {}
        self._lock = Lock()
        self._lease: Lease | None = None
        self._tmp = ""
        self._tmp_fd = -1

    def __enter__(self) -> LocalWriter:
        """Claim a lease and a folder for temporary files; sweep what the dead left of theirs."""
        make_folders(self._settings)
        self._lease = Lease(self._settings.root)
        self._tmp = os.path.join(self._settings.root, "tmp", self._lease.name)
        os.mkdir(self._tmp)
        self._tmp_fd = os.open(self._tmp, _FOLDER)
        leftovers.sweep_cache(self._settings.root, os.stat(self._tmp).st_mtime)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Publish what was taken in; after an interruption only what batches already did."""
        try:
            if kind is None or issubclass(kind, Exception):
                self.flush()
        finally:
            if self._crew is not None:
                self._crew.close()
            # By descriptor: who shares the store may have put a link in the folder's place.
            for name in os.listdir(self._tmp_fd):
                os.unlink(name, dir_fd=self._tmp_fd)
            os.close(self._tmp_fd)
            with suppress(OSError):
                os.rmdir(self._tmp)
            if self._lease is not None:
                self._lease.release()

    def put(
        self, stream: BinaryIO, *, expect: Digest | None = None, size: int | None = None
    ) -> Stored:
        """Store the bytes of `stream` under `expect`, or under the digest that they have.

        Raises:
            DataError: they are not `expect`, or are more than `size`.
        """
        algorithm = digests.algorithm(expect) if expect else self._settings.algorithm
        head = stream.read(min(length(stream), WHOLE) + 1)
        more = stream.read(1) if head else b""
        if not more and len(head) <= WHOLE:
            if size is not None and len(head) > size:
                raise DataError(f"more than the {size} bytes that were announced")
            return self._put_whole(head, algorithm, expect)
        return self._put_stream(head + more, stream, expect, size)

    def put_bytes(self, data: bytes) -> Stored:
        """Store `data`."""
        return self._put_whole(data, self._settings.algorithm, None)

    def put_missing(self, data: bytes, digest: Digest) -> None:
        """Store `data` as the object `digest`, which was asked for and is not here.

        Raises:
            DataError: it is not that.
        """
        hashed = Hashed(digest_of(data, digests.algorithm(digest)), "", len(data))
        _must_be(hashed, digest)
        self._take_in(hashed, self._write(data), already=False)

    def put_link(self, file: str) -> Stored:
        """Take over the very file at `file` by a hard link, without copying a byte.

        It becomes read-only when it is published; who has it open for writing can still spoil
        it, which `holds` and fsck notice.

        Raises:
            OSError: this file system, or the file's owner, does not allow the link.
            DataError: it changes while it is read.
        """
        if os.lstat(file).st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "only its owner can make it read-only", file)
        temporary = self._temporary()
        os.link(file, temporary, dst_dir_fd=self._tmp_fd, follow_symlinks=False)
        try:
            with open(self._open(temporary), "rb", buffering=0) as stream:
                before = os.fstat(stream.fileno())
                hashed = hash_sized(stream, before.st_size, self._settings.algorithm)
                after = os.fstat(stream.fileno())
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                raise DataError(f"{file} changes while it is read")
        except BaseException:
            os.unlink(temporary, dir_fd=self._tmp_fd)
            raise
        self._linked[temporary] = after
        return self._take_in(hashed, temporary, already=self._claimed(hashed.digest))

    def claim(self, wanted: Collection[Digest]) -> None:
        """Keep objects from collection while this session lasts; ask for them afterwards.

        Whoever relies on an object that it did not `put` (its file was known to be unchanged)
        claims it first, so that it is either spared or seen to be missing.
        """
        if wanted and self._lease is not None:
            self._lease.claim(wanted)

    def has(self, digest: Digest) -> bool:
        """Tell whether `digest` was taken in and is not published yet."""
        return digest in self._batch

    def crew(
        self, work: Callable[[Sequence[T]], R], items: int
    ) -> Crew[T, tuple[R, Batch]] | None:
        """Return processes that call `work`, which puts into this very writer.

        None where one process does so many items as well.

        What they took in comes with each result, to be given to `adopt`.
        """

        def apart(items: Sequence[T]) -> tuple[R, Batch]:
            if not self._stem:  # in a process of the crew, which publishes nothing
                self._stem, self._batch, self._batch_size = f"{os.getpid()}-", {}, 0
            result = work(items)
            batch, self._batch, self._batch_size = self._batch, {}, 0
            return result, batch

        if self._crew is None:
            self._crew = gather(apart, items)
        return self._crew

    def adopt(self, batch: Batch) -> int:
        """Take over what a process of the crew took in; return how many bytes of it are new."""
        with self._lock:
            for digest in batch.keys() & self._batch.keys():
                os.unlink(batch.pop(digest)[0], dir_fd=self._tmp_fd)
            for digest in batch.keys() & self._latest.keys():
                if os.path.lexists(self._path(digest)):  # since that process asked for it
                    os.unlink(batch.pop(digest)[0], dir_fd=self._tmp_fd)
            size = sum(length for _, length in batch.values())
            self._batch.update(batch)
            self._batch_size += size
        self._flush_full()
        return size

    def flush(self) -> None:
        """Publish the batch: durable bytes, claimed, renamed, durable names."""
        with self._lock:
            batch, self._batch, self._batch_size = self._batch, {}, 0
            if not batch:
                return
            settings = self._settings
            files = [temporary for temporary, _ in batch.values()]
            self._seal_links(set(files))
            paths = [f"{self._tmp}/{temporary}" for temporary in files]
            atomic.sync_files(paths, settings.root, settings.durability)
            self.claim(batch.keys())  # their age alone protects them only within the grace period
            touched = set()
            for digest, (temporary, _) in batch.items():
                target = self._path(digest)
                folder = target.rpartition("/")[0]
                if folder not in touched:
                    make_folder(folder, shared=settings.shared)
                    touched.add(folder)
                os.rename(temporary, target, src_dir_fd=self._tmp_fd)
            folders = sorted(touched | {os.path.dirname(folder) for folder in touched})
            atomic.sync_folders(folders, settings.root, settings.durability)
            self._latest = batch

    def _seal_links(self, files: set[str]) -> None:
        """Make files that were linked in read-only, and refuse one that changed since its hash."""
        linked, self._linked = self._linked, {}
        for temporary, hashed in linked.items():
            if temporary in files:
                os.chmod(temporary, self._mode, dir_fd=self._tmp_fd)
                now = os.stat(temporary, dir_fd=self._tmp_fd, follow_symlinks=False)
                if (now.st_size, now.st_mtime_ns) != (hashed.st_size, hashed.st_mtime_ns):
                    raise DataError("a file changed while it was added", "repeat the command")

    @property
    def _mode(self) -> int:
        return 0o440 if self._settings.shared else 0o444

    def _path(self, digest: Digest) -> str:
        return f"{self._settings.root}/objects/{digests.object_key(digest)}"

    def _open(self, temporary: str) -> int:
        return os.open(temporary, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self._tmp_fd)

    def _create(self, temporary: str) -> int:
        fd = os.open(temporary, _CREATE, self._mode, dir_fd=self._tmp_fd)
        if self._settings.shared:
            os.fchmod(fd, self._mode)  # a strict umask would shut the group out
        return fd

    def _temporary(self) -> str:
        """Return a fresh name below the writer's own folder."""
        with self._lock:
            self._count += 1
            return f"{self._stem}{self._count}"

    def _put_whole(self, data: bytes, algorithm: str, expect: Digest | None) -> Stored:
        hashed = hash_bytes(data, algorithm)
        _must_be(hashed, expect)
        if self._claimed(hashed.digest):
            return Stored(hashed.digest, hashed.size, hashed.check, new=False)
        return self._take_in(hashed, self._write(data), already=False)

    def _write(self, data: bytes) -> str:
        """Return the name of a new temporary file that holds `data`."""
        temporary = self._temporary()
        fd = self._create(temporary)
        try:
            atomic.write_all(fd, data)
        finally:
            os.close(fd)
        return temporary

    def _put_stream(
        self, head: bytes, stream: BinaryIO, expect: Digest | None, size: int | None
    ) -> Stored:
        """Copy (or share extents, then read back) while hashing; the head was read already."""
        temporary = self._temporary()
        algorithm = digests.algorithm(expect) if expect else self._settings.algorithm
        with open(self._create(temporary), "r+b", buffering=0) as target:
            try:
                if share(stream, len(head), target):
                    hashed = hash_stream(target, algorithm)
                    if size is not None and hashed.size > size:
                        raise DataError(f"more than the {size} bytes that were announced")
                else:
                    fd, taken = target.fileno(), 0

                    def sink(piece: memoryview) -> None:
                        nonlocal taken
                        taken += len(piece)
                        if size is not None and taken > size:
                            raise DataError(f"more than the {size} bytes that were announced")
                        atomic.write_all(fd, piece)

                    hashed = hash_stream(Joined(head, stream), algorithm, sink)
                _must_be(hashed, expect)
            except BaseException:
                os.unlink(temporary, dir_fd=self._tmp_fd)
                raise
        return self._take_in(hashed, temporary, already=self._claimed(hashed.digest))

    def _claimed(self, digest: Digest) -> bool:
        """Tell whether the object is here or in the batch, and keep it from collection."""
        if digest in self._batch:
            return True
        try:
            os.lstat(self._path(digest))
        except OSError:
            return False
        self.claim([digest])
        return self._store.holds(digest)

    def _take_in(self, hashed: Hashed, temporary: str, *, already: bool) -> Stored:
        with self._lock:
            if already or hashed.digest in self._batch:
                os.unlink(temporary, dir_fd=self._tmp_fd)
                return Stored(hashed.digest, hashed.size, hashed.check, new=False)
            self._batch[hashed.digest] = temporary, hashed.size
            self._batch_size += hashed.size
        self._flush_full()
        return Stored(hashed.digest, hashed.size, hashed.check, new=True)

    def _flush_full(self) -> None:
        if len(self._batch) >= BATCH_FILES or self._batch_size >= BATCH_BYTES:
            self.flush()


def make_folders(settings: WriterSettings) -> None:
    """Create the store's own folders."""
    for name in ("", "objects", "tmp", "leases"):
        make_folder(os.path.join(settings.root, name), shared=settings.shared)


def make_folder(folder: str, *, shared: bool) -> None:
    """Create a folder of the store with those above it, for its group where it is `shared`."""
    if os.path.isdir(folder):
        return
    parent = os.path.dirname(folder.rstrip("/"))
    if not os.path.isdir(parent):
        make_folder(parent, shared=shared)
    try:
        os.mkdir(folder)
    except FileExistsError:
        return
    if shared:
        os.chmod(folder, 0o2770)


def _must_be(hashed: Hashed, expect: Digest | None) -> None:
    if expect is not None and hashed.digest != expect:
        raise DataError(f"bytes that should be {expect} are {hashed.digest}: not stored")
