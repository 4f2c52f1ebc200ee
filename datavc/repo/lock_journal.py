"""Lock journal: entries of stages that ended since their lock file was written whole.

Writing a lock of a thousand stages a thousand times would cost a million lines. So each stage
that ends adds a line here, and the lock is written once, at the end of the run, or by the next
after a kill. A journal belongs to the very bytes of a lock: if others stand there now (Git
brought another version), it is dropped.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress

from datavc.core.errors import FormatError
from datavc.core.lock import Lock, LockEntry
from datavc.core.paths import RepoPath, sort_key
from datavc.formats import lockfile

_HEADER = b"datavc lock journal 1 "


class LockJournal:
    """The journals of one workspace, one file a lock, below `folder`."""

    def __init__(self, folder: str) -> None:
        """Use `folder`, which need not exist."""
        self._folder = folder
        self._begun: set[RepoPath] = set()

    def merged(self, path: RepoPath, data: bytes | None) -> bytes | None:
        """Return a lock's bytes with what its journal adds; `data` itself if there is nothing."""
        added = self.entries(path, data)
        if not added:
            return data
        try:
            known = {} if data is None else lockfile.parse(data, path)
        except FormatError:  # said by whoever reads it
            return data
        return lockfile.render({**known, **added}, path)

    def entries(self, path: RepoPath, data: bytes | None) -> Lock:
        """Return what the journal of the lock `path`, whose bytes are `data`, adds.

        A line that was cut short by a kill ends it.
        """
        try:
            with open(self._file(path), "rb", opener=_opened) as stream:
                lines = stream.read().split(b"\n")
        except OSError:
            return {}
        if lines[0] != _header(data):
            return {}
        found: Lock = {}
        for line in lines[1:-1]:
            check, _, text = line.partition(b" ")
            if check != _digest(text):
                break
            with suppress(FormatError):
                name, entry = lockfile.parse_entry(text, path)
                found[name] = entry
        return found

    def append(self, path: RepoPath, data: bytes | None, entries: Mapping[str, LockEntry]) -> None:
        """Add entries, durably, to the journal of the lock `path`, whose bytes are `data`.

        The first time it is begun anew: who runs stages writes down first what an older one adds.
        """
        texts = (lockfile.render_entry(*item, path).rstrip(b"\n") for item in entries.items())
        lines = b"".join(_digest(text) + b" " + text + b"\n" for text in texts)
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
        if path in self._begun:
            flags |= os.O_APPEND
        else:
            os.makedirs(self._folder, exist_ok=True)
            lines = _header(data) + b"\n" + lines
            flags |= os.O_TRUNC
        fd = os.open(self._file(path), flags, 0o644)
        with open(fd, "wb") as stream:
            stream.write(lines)
            stream.flush()
            os.fdatasync(fd)
        self._begun.add(path)

    def drop(self, path: RepoPath) -> None:
        """Forget the journal of the lock `path`: its entries stand in the lock."""
        with suppress(FileNotFoundError):
            os.unlink(self._file(path))
        self._begun.discard(path)

    def has_any(self) -> bool:
        """Tell whether there is a journal at all."""
        try:
            return bool(os.listdir(self._folder))
        except OSError:
            return False

    def _file(self, path: RepoPath) -> str:
        import xxhash

        return os.path.join(self._folder, xxhash.xxh3_128_hexdigest(sort_key(path)))


def _header(data: bytes | None) -> bytes:
    return _HEADER + (b"" if data is None else _digest(data))


def _digest(data: bytes) -> bytes:
    import xxhash

    return xxhash.xxh3_128_hexdigest(data).encode()


def _opened(file: str, flags: int) -> int:
    """Open without waiting: what lies there may be no file."""
    return os.open(file, flags | os.O_NONBLOCK | os.O_CLOEXEC)
