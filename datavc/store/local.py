"""LocalStore: the cache, and a folder that serves as a remote.

    objects/<algorithm>/<2 hex>/<rest>   0444, complete because they got there by rename
    tmp/<writer>/                        one folder a writer, on the same file system
    leases/<writer>                      held by flock: what the writer relies on; see `leases.py`
    quarantine/<algorithm>-<hex>         what failed verification; a .json beside it says why

Publishing: copy into tmp while hashing, in batches; make the batch durable; rename; make the
touched folders durable. What must never happen here: a name without its bytes, a damaged object
served, an object deleted because it is damaged.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from typing import BinaryIO

from datavc.core import digest as digests
from datavc.core.digest import Digest
from datavc.core.errors import DataError
from datavc.core.hashing import hash_sized
from datavc.core.trace import trace
from datavc.store import atomic
from datavc.store.incoming import WHOLE
from datavc.store.listing import names_in
from datavc.store.local_writer import LocalWriter, WriterSettings, make_folder
from datavc.store.object_store import ObjectInfo
from datavc.store.verified import VerifiedObjects
from datavc.store.whole import WholeTrees

LISTING_FROM = 2000
"""From so many questions on, listing the fan-out folders may be cheaper than a stat each."""
_STAT_COST = 3
"""A stat costs about as much as three names of a listing (ext4 and tmpfs, warm)."""
# Without waiting: a named pipe in an object's place must not hold anybody up.
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class LocalStore:
    """Objects in a folder of this machine. Several processes may use it at once."""

    def __init__(
        self,
        root: str,
        algorithm: str,
        *,
        durability: atomic.Durability = "batch",
        shared: bool = False,
        memos: str | None = None,
    ) -> None:
        """Use `root`, which need not exist yet; `shared` makes objects group-owned (0440, 2770).

        `memos` is the folder where this workspace remembers which large objects it has hashed, and
        which trees have all their objects here.
        """
        self.root = root
        self.algorithm = algorithm
        self.durability = durability
        self.shared = shared
        self.verified = VerifiedObjects(memos and os.path.join(memos, "verified.json"))
        self.whole = WholeTrees(
            os.path.join(root, "objects"), memos and os.path.join(memos, "whole.json")
        )

    def path(self, digest: Digest) -> str:
        """Return where the object is, or would be."""
        return f"{self.root}/objects/{digests.object_key(digest)}"

    def missing(self, wanted: Collection[Digest]) -> set[Digest]:
        """Return those of `wanted` that have no object; each miss was asked for by name."""
        absent: Iterable[Digest] = wanted
        if len(wanted) >= LISTING_FROM and self._listing_pays(wanted):
            absent = self._unlisted(wanted)
        return {digest for digest in absent if not os.path.lexists(self.path(digest))}

    def sizes(self, wanted: Collection[Digest]) -> dict[Digest, int]:
        """Return the bytes of those of `wanted` that lie here as files."""
        found = {}
        for digest in wanted:
            with suppress(FileNotFoundError):
                status = os.lstat(self.path(digest))
                if stat.S_ISREG(status.st_mode):
                    found[digest] = status.st_size
        return found

    def open(self, digest: Digest) -> BinaryIO:
        """Return the object's bytes, not verified.

        Raises:
            DataError: there is no such object.
        """
        return open(self._open(digest)[0], "rb", buffering=0)

    def _open(self, digest: Digest) -> tuple[int, int]:
        """Return a descriptor of the object's file, and its size in bytes.

        Raises:
            DataError: there is no such object, or what has its name is no file.
        """
        try:
            fd = os.open(self.path(digest), _OPEN)
        except FileNotFoundError as error:
            raise DataError(
                f"object {digest} is not in {self.root}", "`datavc fetch` gets it from a remote"
            ) from error
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            raise _no_file(digest) from error
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(fd)
            raise _no_file(digest)
        return fd, status.st_size

    def small(self, digest: Digest) -> bytes | None:
        """Return the bytes of an object, not verified; None if they are more than `WHOLE`.

        Raises:
            DataError: there is no such object.
        """
        fd, size = self._open(digest)
        try:
            return atomic.read_whole(fd, size) if size <= WHOLE else None
        finally:
            os.close(fd)

    def writer(self) -> LocalWriter:
        """Return a session; its objects are durable when it ends without an error."""
        settings = WriterSettings(self.root, self.algorithm, self.durability, self.shared)
        return LocalWriter(settings, self)

    def holds(self, digest: Digest) -> bool:
        """Tell whether a sound object is here; a damaged one is set aside on the way.

        Trusts what `verified` remembers of a large object, else reads and hashes it.
        """
        try:
            found = os.lstat(self.path(digest))
        except FileNotFoundError:
            return False
        if not stat.S_ISREG(found.st_mode):
            self.set_aside(digest, "it is no file")
            return False
        if self.verified.knows(digest, found):
            return True
        try:
            with self.open(digest) as stream:
                actual = hash_sized(stream, found.st_size, digests.algorithm(digest)).digest
        except DataError:
            return False
        if actual != digest:
            self.set_aside(digest, f"its bytes are {actual}")
            return False
        self.verified.remember(digest, found)
        return True

    @property
    def quarantine(self) -> str:
        """The folder of what failed verification."""
        return os.path.join(self.root, "quarantine")

    def set_aside(self, digest: Digest, reason: str, served: Iterable[str] = ()) -> bool:
        """Move a damaged object into quarantine, with the reason and the files it served.

        False if the cache cannot be written: then it stays, and `holds` still refuses it.
        """
        import json

        self.verified.forget(digest)
        target = os.path.join(self.quarantine, digest.replace(":", "-"))
        try:
            make_folder(self.quarantine, shared=self.shared)
            os.rename(self.path(digest), target)
        except FileNotFoundError:
            return True
        except OSError as error:
            trace(__name__, "object %s is damaged and cannot be set aside: %s", digest, error)
            return False
        note = {"digest": digest, "reason": reason, "time": time.time(), "files": sorted(served)}
        with suppress(OSError):  # a full disk: the object itself is out of the way
            atomic.write_text(f"{target}.json", json.dumps(note) + "\n", durable=False)
        return True

    def delete(self, unwanted: Iterable[Digest]) -> None:
        """Remove objects."""
        for digest in unwanted:
            with suppress(FileNotFoundError):
                os.unlink(self.path(digest))

    def iter(self) -> Iterator[ObjectInfo]:
        """List all objects; a name that is no digest is passed over."""
        objects = os.path.join(self.root, "objects")
        for algorithm in names_in(objects):
            for two in names_in(os.path.join(objects, algorithm)):
                folder = os.path.join(objects, algorithm, two)
                with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as found:
                    for item in found:
                        digest = digests.from_object_key(f"{algorithm}/{two}/{item.name}")
                        if digest is None or not item.is_file(follow_symlinks=False):
                            continue
                        try:
                            status = item.stat(follow_symlinks=False)
                        except FileNotFoundError:  # deleted meanwhile; its neighbours are not
                            continue
                        changed = max(status.st_mtime, status.st_ctime)
                        yield ObjectInfo(digest, status.st_size, changed)

    def _listing_pays(self, wanted: Collection[Digest]) -> bool:
        """Estimate from one fan-out folder how many names all of them hold."""
        sample = _fan_out(next(iter(wanted))).replace(":", "/")
        names = len(names_in(os.path.join(self.root, "objects", sample)))
        return names * 256 < len(wanted) * _STAT_COST

    def _unlisted(self, wanted: Collection[Digest]) -> list[Digest]:
        """Return those of `wanted` that no listing names; one folder's names are held at once."""
        by_folder: dict[str, list[Digest]] = {}
        for digest in wanted:
            by_folder.setdefault(_fan_out(digest), []).append(digest)
        absent = []
        for fan_out, digests_there in by_folder.items():
            folder = os.path.join(self.root, "objects", fan_out.replace(":", "/"))
            names, start = set(names_in(folder)), len(fan_out)
            absent += [digest for digest in digests_there if digest[start:] not in names]
        return absent


def _no_file(digest: Digest) -> DataError:
    return DataError(f"object {digest} is no file", "`datavc fsck` sets it aside")


def _fan_out(digest: Digest) -> str:
    """Return the part of a digest that its folder stands for: algorithm, colon, two digits."""
    return digest[: digest.index(":") + 3]
