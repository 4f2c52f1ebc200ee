"""Run sharing: run-cache entries that lie on a remote, and what they name.

An entry goes to a remote after its objects, and is kept here after they have arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from io import BytesIO

from datavc.core.errors import ConfigError, DatavcError, FormatError, RemoteError
from datavc.core.outputs import LOCK_FILE
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT
from datavc.pipeline.runcache import FOLDER, CachedRun, RunCache, is_key, parse
from datavc.remote.store import RemoteStore
from datavc.repo.inventory import made_by
from datavc.repo.repo import Repo
from datavc.repo.targets import Selection
from datavc.store.local import LocalStore
from datavc.store.object_store import ObjectStore
from datavc.verbs.fetch import again, bring
from datavc.verbs.sync_options import SyncOptions
from datavc.verbs.syncing import Remote, SyncResult, open_remote

_LOCK_PATH = RepoPath(LOCK_FILE)


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
            return set(self._folder.keys())
        if self._backend is None:
            return set()
        found = (info.key.removeprefix(f"{FOLDER}/") for info in self._backend.list(FOLDER))
        return {key for name in found if is_key(key := name.replace("/", ""))}


class SharedRuns:
    """Asks the default remote for runs, once the user agreed to it; silent where there is none.

    A remote that cannot be reached is said so once, and not asked again.
    """

    def __init__(self, repo: Repo, warn: Callable[[str], None], options: SyncOptions) -> None:
        """Ask nobody yet."""
        self._repo = repo
        self._warn = warn
        self._options = options
        self._remote: Remote | None = None
        self._given_up = False

    def fetch(self, key: str, known: CachedRun | None) -> CachedRun | None:
        """Return the run under `key` with its objects in the cache, None if it cannot be had.

        `known` is the entry here, if there is one whose objects are gone.
        """
        if self._given_up:
            return None
        try:
            return self._fetch(key, known)
        except (ConfigError, RemoteError) as error:
            self._given_up = True
            self._warn(f"the run cache of the remote cannot be asked: {error.message}")
        except DatavcError as error:
            self._given_up = self._remote is None
            self._warn(error.message)
        return None

    def _fetch(self, key: str, known: CachedRun | None) -> CachedRun | None:
        self._remote = self._remote or open_remote(self._repo, None, self._options)
        run = known
        if run is None:
            data = Shelf(self._remote.store).get(key)
            if data is None:
                return None
            run = parse(data, key)
        if problem := bring_objects(self._repo, run, self._options):
            self._warn(f"a run of {run.stage} is known, but {problem}")
            return None
        if known is None:
            keep(self._repo, run)
        return run


def bring_objects(repo: Repo, run: CachedRun, options: SyncOptions) -> str:
    """Fetch what a run made; return why not, empty if all is here."""
    result = SyncResult()
    outs = [out._replace(cache=True, push=True) for out in run.entry.outs]
    chosen = [Selection(made_by(run.stage, _LOCK_PATH, out)) for out in outs]
    bring(repo, chosen, result, (options, SILENT))
    for failure in result.failures:
        return f"{failure.path} {failure.message}"
    if run.log is not None:
        again(repo, [run.log], {}, options, SILENT)
    return ""


def keep(repo: Repo, run: CachedRun) -> None:
    """Keep a run that was fetched."""
    RunCache(repo.objects.root, shared=repo.config.cache.shared).put(run)


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
