"""Sight: what dependencies and outputs are now, each by one stat where nothing changed."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from typing import NamedTuple

from datavc.core import digest as digests
from datavc.core.digest import Digest
from datavc.core.errors import PathError
from datavc.core.lock import Locked
from datavc.core.outputs import Kind
from datavc.core.paths import RepoPath
from datavc.core.tree import EXECUTABLE, LINK
from datavc.repo.file_reader import LARGE, FileReader
from datavc.repo.loose import LooseFiles
from datavc.repo.scan import Scanner, Trust
from datavc.repo.walk import Found, stat_key
from datavc.store.stat_segment import StatKey, StatValue

_TICK_S = 0.01
"""The step of a file system's clock, and some (4 ms on most Linux kernels)."""
_PATIENCE = 5


class Seen(NamedTuple):
    """What lies at a path: its digest, bytes, files (of a directory), and the executable bit."""

    kind: Kind
    digest: Digest
    size: int
    files: int | None = None
    executable: bool = False

    def is_like(self, locked: Locked) -> bool:
        """Tell whether this is what was recorded."""
        return (self.kind, self.digest, self.executable) == locked.identity

    def as_locked(self, path: RepoPath) -> Locked:
        """Return the record of it."""
        return Locked(path, self.kind, self.digest, self.size, self.files, self.executable)


Eyes = tuple[Scanner, FileReader]
"""What looks at directories and reads files, in one algorithm."""


class Sight:
    """Looks at the workspace below `root`, in the algorithm that each record uses.

    `eyes` makes what reads: for a folder (the root, or `/` for what a link leads to outside) and
    an algorithm. `clock` tells the file system's time (ns).
    """

    def __init__(
        self,
        root: str,
        loose: LooseFiles,
        eyes: Callable[[str, str], Eyes],
        clock: Callable[[], int],
    ) -> None:
        """Look at nothing yet."""
        self._root = root
        self._loose = loose
        self._make = eyes
        self._clock = clock
        self._eyes: dict[tuple[str, str], Eyes] = {}
        self._probe = 0

    def look(self, path: RepoPath, algorithm: str, trust: Trust = Trust.CHANGED) -> Seen | None:
        """Return what lies at `path`, None if nothing does. Links are followed.

        Raises:
            PathError: what lies there cannot be read, or is neither file nor directory.
        """
        try:
            status = os.lstat(f"{self._root}/{path}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISREG(status.st_mode):
            return self._file(self._root, stat_key(path, status), status.st_mode, algorithm, trust)
        if stat.S_ISDIR(status.st_mode):
            return self._directory(self._root, path, algorithm, trust)
        if stat.S_ISLNK(status.st_mode):
            return self._link(stat_key(path, status), status.st_mode, algorithm, trust)
        raise PathError(f"{path} is neither a file nor a directory")

    def exists(self, path: RepoPath) -> bool:
        """Tell whether anything is at `path`, a link that leads nowhere left out.

        Raises:
            PathError: it is neither file nor directory.
        """
        try:
            mode = os.stat(f"{self._root}/{path}").st_mode
        except OSError:
            return False
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise PathError(f"{path} is neither a file nor a directory")
        return True

    def names(self, folder: str) -> list[str]:
        """Return what lies in a folder, hidden files left out; nothing if it cannot be listed."""
        try:
            found = os.listdir(f"{self._root}/{folder}")
        except OSError:
            return []
        return [name for name in found if not name.startswith(".")]

    def settled(self, key: StatKey) -> int:
        """Return the file system's time (ns), for who is about to read the file with this stat.

        A large file that was written this very moment is waited for: with a time later than its
        own it need not be read again.
        """
        probe = self._clock()
        for _ in range(_PATIENCE if key[2] >= LARGE else 0):
            if key[3] < probe and key[4] < probe:
                break
            time.sleep(_TICK_S)
            probe = self._clock()
        return probe

    def note(self, key: StatKey, value: StatValue, probe: int) -> None:
        """Remember what was read of a file elsewhere: its stat before, with its path first.

        `probe` is the file system's time (ns) from before it was read: what was as young as that
        then is not trusted.
        """
        self._loose.put(key, value, probe)

    def look_anew(self) -> None:
        """Ask the clock again: a command has run since it was asked."""
        self._probe = 0

    def save(self) -> None:
        """Write down what was seen, for next time."""
        self._loose.save()

    def _file(
        self, root: str, key: StatKey, mode: int, algorithm: str, trust: Trust
    ) -> Seen | None:
        noted = key if root == self._root else ("/" + key[0], *key[1:])
        value = self._loose.get(noted)
        if value is None or not _speaks(value, algorithm, trust):
            value = self._read(root, (noted, key), mode, algorithm, trust)
        if value.flags == LINK or value.content == FileReader.UNREADABLE:
            raise PathError(f"{key[0]} cannot be read")
        executable = value.flags == EXECUTABLE
        return Seen("file", Digest(value.content), value.size, executable=executable)

    def _read(
        self, root: str, keys: tuple[StatKey, StatKey], mode: int, algorithm: str, trust: Trust
    ) -> StatValue:
        noted, key = keys
        self._probe = self._probe or self._clock()
        _, reader = self._eyes_for(root, algorithm)
        last = self._loose.last(noted[0]) if trust is Trust.CHANGED else None
        known = last if last is not None and _speaks(last, algorithm, trust) else None
        value = reader.read(RepoPath(key[0]), Found(("", *key[1:]), mode), known)
        if value.content != FileReader.UNREADABLE and not stat.S_ISLNK(mode):
            self._loose.put(noted, value, self._probe)
        return value

    def _directory(self, root: str, path: RepoPath, algorithm: str, trust: Trust) -> Seen | None:
        scanner, reader = self._eyes_for(root, algorithm)
        before = len(reader.failures)
        scan = scanner.scan(path, reader, trust)
        if not scan.present and root == self._root:  # a folder above it is a link
            real = os.path.realpath(f"{root}/{path}")
            return self._directory("/", RepoPath(real[1:]), algorithm, trust)
        for failure in reader.failures[before:]:
            raise PathError(failure.message)
        found = scan.summary(algorithm)
        return Seen("directory", found.digest, found.size, found.files)

    def _link(self, key: StatKey, mode: int, algorithm: str, trust: Trust) -> Seen | None:
        """Return what a link leads to: an object that was placed so, or a file anywhere."""
        path = RepoPath(key[0])
        value = self._read(self._root, (key, key), mode, algorithm, trust)
        if value.flags != LINK:
            return Seen("file", Digest(value.content), value.size)
        real = os.path.realpath(f"{self._root}/{path}")
        try:
            status = os.stat(real)
        except OSError as error:
            raise PathError(f"{path} is a link that leads nowhere") from error
        if stat.S_ISDIR(status.st_mode):
            return self._directory("/", RepoPath(real[1:]), algorithm, trust)
        if not stat.S_ISREG(status.st_mode):
            raise PathError(f"{path} leads to what is neither a file nor a directory")
        return self._file("/", stat_key(real[1:], status), status.st_mode, algorithm, trust)

    def _eyes_for(self, root: str, algorithm: str) -> Eyes:
        found = self._eyes.get((root, algorithm))
        if found is None:
            found = self._eyes[root, algorithm] = self._make(root, algorithm)
        return found


def _speaks(value: StatValue, algorithm: str, trust: Trust) -> bool:
    """Tell whether what is known of a file answers this question."""
    if value.flags == LINK or digests.algorithm(Digest(value.content)) != algorithm:
        return False
    return trust is Trust.CHANGED or not value.weak
