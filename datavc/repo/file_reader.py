"""FileReader: a file's bytes to their digest, or into the store, honest about what changes."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from datavc.core import digest as digests
from datavc.core import tree
from datavc.core.digest import Digest
from datavc.core.errors import DataError, DatavcError, PathError
from datavc.core.hashing import check_bytes, check_stream, hash_bytes, hash_stream
from datavc.core.outputs import Failure
from datavc.core.paths import RepoPath, parse
from datavc.core.progress import Progress
from datavc.store import atomic
from datavc.store.crew import Crew
from datavc.store.incoming import WHOLE
from datavc.store.links import NO_LINK
from datavc.store.local_writer import Batch, LocalWriter
from datavc.store.object_store import Stored
from datavc.store.parallel import each
from datavc.store.stat_segment import StatKey, StatValue

TRIES = 4
"""How often a file that changes while it is read is read before it is refused."""
LARGE = 4 << 20
"""From so many bytes on a file is worth a thread of its own."""

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Named(Protocol):
    """A name of the walk with its stat."""

    @property
    def key(self) -> StatKey:
        """The key in the stat cache."""

    @property
    def mode(self) -> int:
        """The file's mode, 0 for an empty directory."""


Unread = tuple[int, Named, StatValue | None]
Plain = tuple[str, int, int, str, bool]
"""A StatValue as it goes from one process to another."""
Answer = tuple[list[Plain | None], Batch]
"""What a process of a crew made of some files."""


class ReaderSettings(NamedTuple):
    """Project root, digest algorithm, folder of the cache's objects, threads for large files.

    `holds` tells whether the cache has a sound object: what a link points to is hashed, not named.
    `by_link`: what is stored is linked into the cache, not copied (`cache.type hardlink`).
    """

    root: str
    algorithm: str
    objects: str
    jobs: int
    holds: Callable[[Digest], bool]
    by_link: bool = False


class FileReader:
    """Reads files of one workspace; with a `writer` it stores what it reads."""

    UNREADABLE = "?"
    """Content of what could not be read: no digest, so it equals nothing and is never replaced."""

    def __init__(
        self, settings: ReaderSettings, progress: Progress, writer: LocalWriter | None = None
    ) -> None:
        """Read, and store through `writer` if there is one."""
        self._settings = settings
        self._progress = progress
        self._writer = writer
        self.failures: list[Failure] = []
        self.new_size = 0
        self.placed: dict[str, tuple[StatKey, StatValue]] = {}
        """Files that were just placed from verified objects, by path: these are not read again."""
        self.linked: dict[str, tuple[StatValue, int]] = {}
        """Files that were linked into the cache, with their mtime (ns) before they were hashed."""

    def read_all(
        self, output: RepoPath, unread: Sequence[Unread]
    ) -> Iterator[tuple[int, StatValue]]:
        """Yield index and value of each; large files in threads, small ones one by one."""
        large = [item for item in unread if item[1].key[2] >= LARGE]
        if len(large) < 2 or self._settings.jobs < 2:
            yield from ((item[0], self.read(output, item[1], item[2])) for item in unread)
            return
        values: dict[int, StatValue] = {}

        def read(item: Unread) -> None:
            values[item[0]] = self.read(output, item[1], item[2])

        each(read, large, self._settings.jobs)
        for item in unread:
            if item[0] not in values:
                read(item)
        yield from values.items()

    def crew(self, count: int) -> Crew[str, Answer] | None:
        """Return processes that store `count` small files by their paths; None if one does."""
        if self._writer is None or self._settings.by_link or self._settings.jobs < 2:
            return None
        return self._writer.crew(self._store, count)

    def _store(self, files: Sequence[str]) -> list[Plain | None]:
        """Store small files, in a process of the crew; None for one that cannot be."""
        return [self._stored_plain(path) for path in files]

    def _stored_plain(self, path: str) -> Plain | None:
        try:
            _check_name(path)
            value = self._read_file(path, None)
        except (DatavcError, OSError):
            return None
        return value and (value.content, value.size, value.flags, value.check, value.weak)

    def accept(self, answer: Answer) -> Iterator[StatValue | None]:
        """Yield what a process of the crew has stored; None for what it could not."""
        values, batch = answer
        if self._writer is not None:
            self.new_size += self._writer.adopt(batch)
        for value in values:
            if value is not None:
                self._progress.advance(1, value[1])
            yield value and StatValue(*value)

    def read(self, output: RepoPath, found: Named, known: StatValue | None) -> StatValue:
        """Return what a file is; `known` is what it was, for the cheap check.

        Raises:
            DatavcError: with a writer, where the file cannot be stored as it is.
        """
        path = f"{output}/{found.key[0]}" if found.key[0] else output
        just = self.placed.get(path)
        if just is not None and just[0][1:] == found.key[1:]:
            return just[1]
        try:
            value = self._read(path, found, known)
        except (DatavcError, OSError) as error:
            if self._writer is not None:
                raise _named(path, error) from error
            self.failures.append(Failure(path, "", _named(path, error).message))
            value = StatValue(self.UNREADABLE, found.key[2], tree.FILE, "", weak=True)
        self._progress.advance(1, found.key[2])
        if self._writer is None and not _may_be_recorded(path, found.key[0], value):
            return value._replace(weak=True)  # so that whoever records looks again, and refuses
        return value

    def _read(self, path: str, found: Named, known: StatValue | None) -> StatValue:
        if self._writer is not None:
            _check_name(path)
        if found.mode == 0:
            return StatValue("", 0, tree.EMPTY_DIRECTORY, "")
        if stat.S_ISLNK(found.mode):
            return self._read_link(path, found.key[0])
        if not stat.S_ISREG(found.mode):
            raise PathError(
                f"{path} is {_special(found.mode)}; only files and folders are tracked"
            )
        for _ in range(TRIES):
            value = self._read_file(path, known)
            if value is not None:
                return value
            self._progress.say(f"{path} changes while it is read; reading it again")
        raise DataError(f"{path} changes while it is read", "stop what writes to it, then repeat")

    def _read_file(self, path: str, known: StatValue | None) -> StatValue | None:
        """Return the value, or None if the file changed meanwhile."""
        full = f"{self._settings.root}/{path}"
        fd = os.open(full, _OPEN)
        try:
            before = os.fstat(fd)
            if not stat.S_ISREG(before.st_mode):
                raise PathError(f"{path} is {_special(before.st_mode)}; only files are read")
            flags = tree.EXECUTABLE if before.st_mode & stat.S_IXUSR else tree.FILE
            alone = before.st_nlink == 1  # no other name leads into what becomes an object
            if self._settings.by_link and flags == tree.FILE and before.st_size and alone:
                linked = self._link(path, full, before.st_mtime_ns)
                if linked is not None:
                    return linked
            content, check, size, weak = self._content(fd, before.st_size, known)
            after = os.fstat(fd)
        finally:
            os.close(fd)
        unchanged = _moment(before) == _moment(after) and size == after.st_size
        return StatValue(content, size, flags, check, weak) if unchanged else None

    def _link(self, path: str, full: str, mtime_ns: int) -> StatValue | None:
        """Take the file into the cache as it is; None where it can only be copied."""
        if self._writer is None:
            return None
        try:
            stored = self._writer.put_link(full)
        except OSError as error:
            if error.errno not in NO_LINK:
                raise
            return None
        self.new_size += stored.size if stored.new else 0
        value = StatValue(stored.digest, stored.size, tree.FILE, stored.check)
        self.linked[path] = value, mtime_ns
        return value

    def _content(self, fd: int, size: int, known: StatValue | None) -> tuple[str, str, int, bool]:
        """Return digest, check and size of the bytes, and whether only the check was compared."""
        if known is not None and not (known.check and known.size == size):
            known = None
        if size <= WHOLE:
            return self._small(atomic.read_whole(fd, size), known)
        with open(fd, "rb", buffering=0, closefd=False) as stream:
            if self._writer is not None:
                return self._stored(self._writer.put(stream))
            if known is not None:
                check = check_stream(stream)
                if check == known.check:
                    return known.content, check, size, True
                stream.seek(0)
            hashed = hash_stream(stream, self._settings.algorithm)
            return hashed.digest, hashed.check, hashed.size, False

    def _small(self, data: bytes, known: StatValue | None) -> tuple[str, str, int, bool]:
        if self._writer is not None:
            return self._stored(self._writer.put_bytes(data))
        if known is not None and check_bytes(data) == known.check:
            return known.content, known.check, len(data), True
        hashed = hash_bytes(data, self._settings.algorithm)
        return hashed.digest, hashed.check, hashed.size, False

    def _stored(self, stored: Stored) -> tuple[str, str, int, bool]:
        self.new_size += stored.size if stored.new else 0
        return stored.digest, stored.check, stored.size, False

    def _read_link(self, path: str, name: str) -> StatValue:
        target = os.readlink(os.path.join(self._settings.root, path))
        digest = self._placed_link(target)
        if digest is not None and self._settings.holds(digest):
            return StatValue(digest, os.stat(target).st_size, tree.FILE, "")
        if self._writer is not None:
            if not name:
                raise PathError(f"{path} is a symbolic link", f"`datavc add` its target: {target}")
            tree.check_link(RepoPath(name), target)
        return StatValue(target, 0, tree.LINK, "")

    def _placed_link(self, target: str) -> Digest | None:
        """Return the digest of the object that a link of ours points to (`cache.type symlink`)."""
        objects = self._settings.objects + os.sep
        if not target.startswith(objects):
            return None
        return digests.from_object_key(target[len(objects) :])


def is_small(found: Named) -> bool:
    """Tell whether this is a file that is read in one piece."""
    return stat.S_ISREG(found.mode) and found.key[2] <= WHOLE


def _check_name(path: str) -> None:
    try:
        parse(path)
    except PathError as error:
        raise PathError(error.message, "rename it, or name its folder in .datavcignore") from error


def _may_be_recorded(path: str, name: str, value: StatValue) -> bool:
    """Tell whether a writer would have taken this, as far as name and link are concerned."""
    try:
        parse(path)
        if value.flags == tree.LINK:
            tree.check_link(RepoPath(name), value.content)
    except DatavcError:
        return False
    return True


def _moment(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino


def _special(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFDIR: "a folder"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _named(path: str, error: Exception) -> DatavcError:
    if isinstance(error, PermissionError):
        return PathError(f"{path} cannot be read: permission denied")
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path} vanished while it was read", "repeat the command")
    if isinstance(error, OSError):
        return DataError(f"{path} cannot be read: {error.strerror}")
    if isinstance(error, DatavcError) and path not in error.message:
        return type(error)(f"{path}: {error.message}", error.hint)
    return error if isinstance(error, DatavcError) else DataError(f"{path}: {error}")
