"""Verification: every object of a store read and hashed, whatever a memo says of it."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from datavc.core import digest as digests
from datavc.core.digest import Digest, is_digest
from datavc.core.hashing import hash_sized
from datavc.core.progress import Progress
from datavc.store.local import LocalStore
from datavc.store.parallel import each

DEPTH = 3
"""Parts of an object's name: algorithm, two hex digits, the rest."""


class Damage(NamedTuple):
    """An object whose bytes are not what its name says, and how that was seen."""

    digest: Digest
    reason: str


class Quarantined(NamedTuple):
    """What was set aside: digest, why, the files that it served, bytes, and when (epoch, s)."""

    digest: str
    reason: str
    files: tuple[str, ...]
    bytes: int
    time: float


@dataclass(slots=True)
class Verified:
    """What a verification saw: objects and bytes; `strays` are names that no object can have.

    `unread` are objects that this user may not read, with the reason: nothing is known of them.
    """

    checked: int = 0
    bytes: int = 0
    damaged: list[Damage] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    unread: list[Damage] = field(default_factory=list)


def verify(store: LocalStore, jobs: int, progress: Progress) -> Verified:
    """Hash every object of `store` with `jobs` threads; nothing is changed.

    Objects that turn out sound are remembered as such.
    """
    result = Verified()
    progress.start("Looking at the cache")
    found = list(_names(store, result))
    progress.start("Verifying", len(found), sum(status.st_size for _, status in found))
    lock = threading.Lock()

    def look(item: tuple[Digest, os.stat_result]) -> None:
        digest, status = item
        try:
            reason = _fault(store, digest, status)
        except FileNotFoundError:  # collected meanwhile
            return
        except PermissionError as error:
            with lock:
                result.unread.append(Damage(digest, f"cannot be read: {error.strerror}"))
            return
        with lock:
            result.checked += 1
            result.bytes += status.st_size
            if reason:
                result.damaged.append(Damage(digest, reason))
            else:
                store.verified.remember(digest, status)
        progress.advance(1, status.st_size)

    each(look, found, jobs)
    result.damaged.sort()
    store.verified.save()
    return result


def quarantined(store: LocalStore) -> list[Quarantined]:
    """Return what was set aside and is still there."""
    found = []
    with suppress(FileNotFoundError):
        for name in sorted(os.listdir(store.quarantine)):
            digest = name.replace("-", ":", 1)
            if is_digest(digest):
                file = os.path.join(store.quarantine, name)
                found.append(_quarantined(digest, file))
    return found


def _quarantined(digest: str, file: str) -> Quarantined:
    import json

    status = os.lstat(file)
    reason, time_s = "", status.st_mtime
    files: tuple[str, ...] = ()
    with suppress(OSError, ValueError, KeyError, TypeError):
        with open(f"{file}.json", "rb") as stream:
            note = json.load(stream)
        reason, time_s = str(note["reason"]), float(note["time"])
        files = tuple(map(str, note["files"]))
    return Quarantined(digest, reason, files, status.st_size, time_s)


def _names(store: LocalStore, result: Verified) -> Iterator[tuple[Digest, os.stat_result]]:
    """Yield every object with its status; what has no object's name is a stray."""
    objects = os.path.join(store.root, "objects")
    for key in _keys(objects, "", DEPTH):
        digest = digests.from_object_key(key)
        if digest is None:
            result.strays.append(f"objects/{key}")
            continue
        with suppress(FileNotFoundError):
            yield digest, os.lstat(os.path.join(objects, key))


def _keys(folder: str, below: str, depth: int) -> Iterator[str]:
    """Yield what lies `depth` folders deep, and what is no folder above that, sorted."""
    with suppress(FileNotFoundError), os.scandir(folder) as items:
        for item in sorted(items, key=lambda item: item.name):
            if depth > 1 and item.is_dir(follow_symlinks=False):
                yield from _keys(item.path, f"{below}{item.name}/", depth - 1)
            else:
                yield below + item.name


def _fault(store: LocalStore, digest: Digest, status: os.stat_result) -> str:
    """Return what is wrong with an object, nothing if it is sound.

    Raises:
        FileNotFoundError, PermissionError: it cannot be judged.
    """
    if not stat.S_ISREG(status.st_mode):
        return "it is no file"
    try:
        fd = os.open(store.path(digest), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(fd, "rb", buffering=0) as stream:
            found = hash_sized(stream, status.st_size, digests.algorithm(digest))
    except (FileNotFoundError, PermissionError):
        raise
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if found.digest == digest:
        return ""
    return f"its {found.size:,} bytes are {found.digest}"
