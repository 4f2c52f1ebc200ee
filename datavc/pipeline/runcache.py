"""Run cache: what a command made of the same inputs, here or on another machine of the team.

An entry lies at `runs/<2>/<key>` of the cache and, once pushed, of a remote: one JSON document
with all that went into the key, so that a hit can be checked and a miss explained. The key says
nothing of the stage's name: a stage that was renamed finds its results again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from datavc.core import digest as digests
from datavc.core.digest import Digest
from datavc.core.errors import DatavcError, FormatError
from datavc.core.hashing import hash_bytes
from datavc.core.lock import LockEntry
from datavc.core.outputs import LOCK_FILE
from datavc.core.paths import RepoPath
from datavc.core.stage import Stage
from datavc.formats import lockfile
from datavc.pipeline.plan import always_runs
from datavc.store import atomic

FOLDER = "runs"
FORMAT = 1
ENTRY_LIMIT = 1 << 24
"""Bytes of the largest entry that is read."""
UNCACHED_LIMIT = 16 << 20
"""Bytes of outputs with `cache: false` up to which a run is remembered: for metrics, not for data
that somebody chose not to store."""

_ROOT = RepoPath(LOCK_FILE)
_HEX = frozenset("0123456789abcdef")


class CachedRun(NamedTuple):
    """One run: its entry, how long it took (s), and the object that holds its output, if any."""

    stage: str
    entry: LockEntry
    seconds: float
    log: Digest | None = None

    @property
    def key(self) -> str:
        """The key of what went in, and of the paths of what came out."""
        return key_of(self.entry)

    def objects(self) -> Iterator[Digest]:
        """Yield files and trees that it needs."""
        for out in self.entry.outs:
            yield out.digest
        if self.log is not None:
            yield self.log


def is_remembered(stage: Stage) -> bool:
    """Tell whether a stage's runs can be answered by older ones."""
    return not always_runs(stage) and not any(out.persist for out in stage.outs)


def key_of(entry: LockEntry) -> str:
    """Return the hex digest (BLAKE3) of everything that may influence a run, and of its paths.

    `outs` of the entry count by their paths alone.
    """
    import json

    asked = {
        "cmd": entry.cmd,
        "wdir": entry.wdir,
        "deps": sorted((dep.path, dep.digest) for dep in entry.deps),
        "params": {file: dict(values) for file, values in entry.params.items()},
        "env": dict(entry.env),
        "outs": sorted(out.path for out in entry.outs),
    }
    data = json.dumps(asked, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return hash_bytes(data, "blake3").digest.partition(":")[2]


def render(run: CachedRun) -> bytes:
    """Return the bytes of an entry."""
    import json

    lock = json.loads(lockfile.render({run.stage: run.entry}, _ROOT))
    said = {"datavc run": FORMAT, "lock": lock, "seconds": round(run.seconds, 3), "log": run.log}
    return json.dumps(said, ensure_ascii=False).encode() + b"\n"


def parse(data: bytes, key: str) -> CachedRun:
    """Return the run that an entry's bytes, which lay under `key`, tell of.

    Raises:
        FormatError: it is no entry, one of a newer format, or not that of this key.
    """
    import json

    try:
        found = json.loads(data)
        if len(data) > ENTRY_LIMIT or found["datavc run"] != FORMAT:
            raise FormatError("the entry is of a newer format")
        lock = lockfile.parse(json.dumps(found["lock"]).encode(), _ROOT)
        ((stage, entry),) = lock.items()
        log, seconds = found["log"], float(found["seconds"])
        if not 0 <= seconds < float("inf"):
            raise FormatError("nothing takes that long")
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, DatavcError) as error:
        raise FormatError(f"the run-cache entry {key} is damaged") from error
    run = CachedRun(stage, entry, seconds, log if digests.is_digest(log) else None)
    if run.key != key:
        raise FormatError(f"the run-cache entry {key} tells of other inputs than its name says")
    return run


class RunCache:
    """The entries of one cache, below its `root`."""

    def __init__(self, root: str, *, shared: bool = False) -> None:
        """Keep entries in the cache at `root`."""
        self.folder = os.path.join(root, FOLDER)
        self._shared = shared

    def get(self, key: str) -> CachedRun | None:
        """Return the run under `key`, None if there is none; a damaged entry is removed.

        One that is used is kept from being dropped as old.
        """
        file = self._file(key)
        try:
            with open(file, "rb") as stream:
                data = stream.read(ENTRY_LIMIT + 1)
        except OSError:
            return None
        try:
            run = parse(data, key)
        except FormatError:
            self.remove(key)
            return None
        with suppress(OSError):
            os.utime(file)
        return run

    def put(self, run: CachedRun) -> None:
        """Keep `run`, in place of one with the same key. Its objects are durable already."""
        self.put_bytes(run.key, render(run))

    def put_bytes(self, key: str, data: bytes) -> None:
        """Keep an entry that came from a remote, and was checked."""
        file = self._file(key)
        folder = os.path.dirname(file)
        os.makedirs(folder, exist_ok=True)
        if self._shared:
            with suppress(OSError):
                os.chmod(self.folder, 0o2770)
                os.chmod(folder, 0o2770)
        atomic.write_bytes(file, data, durable=False, mode=0o660 if self._shared else 0o644)

    def read(self, key: str) -> bytes | None:
        """Return an entry as it is kept."""
        with suppress(OSError), open(self._file(key), "rb") as stream:
            return stream.read(ENTRY_LIMIT + 1)
        return None

    def remove(self, key: str) -> None:
        """Drop an entry."""
        with suppress(OSError):
            os.unlink(self._file(key))

    def known_keys(self) -> list[str]:
        """Return the keys of all entries."""
        found: list[str] = []
        with suppress(OSError):
            for fan in os.listdir(self.folder):
                with suppress(OSError):
                    found += [
                        fan + name
                        for name in os.listdir(os.path.join(self.folder, fan))
                        if is_key(fan + name)
                    ]
        return sorted(found)

    def unused_s(self, key: str) -> float:
        """Return for how many seconds an entry was neither made nor used."""
        try:
            return time.time() - os.stat(self._file(key)).st_mtime
        except OSError:
            return 0.0

    def _file(self, key: str) -> str:
        if not is_key(key):
            raise FormatError(f"{key!r} is no key of the run cache")
        return os.path.join(self.folder, key[:2], key[2:])


def is_key(text: str) -> bool:
    """Tell whether `text` can be the name of an entry."""
    return len(text) == 64 and _HEX.issuperset(text)  # noqa: PLR2004 - BLAKE3 in hex


def as_declared(run: CachedRun, stage: Stage, entry: LockEntry) -> LockEntry:
    """Return what the lock records of a stage that `run` answers for; `entry` has its inputs."""
    made = {out.path: out for out in run.entry.outs}
    outs = tuple(
        made[out.path]._replace(cache=out.cache, push=out.push, remote=out.remote)
        for out in stage.outs
    )
    return entry._replace(outs=outs)
