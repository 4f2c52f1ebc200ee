"""Run shelf: the run-cache entries on a remote, and what they name.

An entry goes to a remote after its objects, and is kept here after they have arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from io import BytesIO

from datavc.core.errors import FormatError
from datavc.core.outputs import LOCK_FILE, Pointer, TrackedOutput
from datavc.core.paths import RepoPath
from datavc.pipeline.runcache import FOLDER, CachedRun, RunCache, is_key, parse
from datavc.remote.store import RemoteStore
from datavc.repo.inventory import made_by
from datavc.repo.repo import Repo
from datavc.repo.targets import Selection
from datavc.store.local import LocalStore
from datavc.store.object_store import ObjectStore

_RECORD = RepoPath(LOCK_FILE)


class Shelf:
    """The entries on one remote."""

    def __init__(self, store: ObjectStore) -> None:
        """Use the remote that `store` opens."""
        self._backend = store.backend if isinstance(store, RemoteStore) else None
        self._folder = RunCache(store.root) if isinstance(store, LocalStore) else None

    def get(self, key: str) -> bytes | None:
        """Return an entry's bytes, None if it is not there."""
        if self._folder is not None:
            return self._folder.read(key)
        if self._backend is not None:
            with suppress(FileNotFoundError):
                return self._backend.get(_name(key))
        return None

    def put(self, key: str, data: bytes) -> None:
        """Store an entry, whose objects are there already."""
        if self._folder is not None:
            self._folder.put_bytes(key, data)
        elif self._backend is not None:
            self._backend.put(_name(key), BytesIO(data), len(data))

    def keys(self) -> set[str]:
        """Return the keys of all entries."""
        if self._folder is not None:
            return set(self._folder.known_keys())
        if self._backend is None:
            return set()
        found = (info.key.removeprefix(f"{FOLDER}/") for info in self._backend.list(FOLDER))
        return {key for name in found if is_key(key := name.replace("/", ""))}


def of_cache(repo: Repo) -> RunCache:
    """Return the entries of the project's cache."""
    return RunCache(repo.objects.root, shared=repo.config.cache.shared)


def made(run: CachedRun) -> list[Selection]:
    """Return what a run made, and what it wrote, as versions that can be pushed and fetched."""
    outs = [out._replace(cache=True, push=True, remote=None) for out in run.entry.outs]
    chosen = [Selection(made_by(run.stage, _RECORD, out)) for out in outs]
    if run.log is not None:
        log = Pointer(f"log of {run.stage}", "file", run.log)
        chosen.append(Selection(TrackedOutput(RepoPath(log.path), _RECORD, log, run.stage)))
    return chosen


def readable(keys: Iterable[str], read: Callable[[str], bytes | None]) -> list[CachedRun]:
    """Return the runs under `keys`; what is damaged, or gone meanwhile, is passed over."""
    found = []
    for key in keys:
        with suppress(FormatError):
            data = read(key)
            if data is not None:
                found.append(parse(data, key))
    return found


def _name(key: str) -> str:
    return f"{FOLDER}/{key[:2]}/{key[2:]}"
