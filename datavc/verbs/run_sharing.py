"""Run sharing: asks the remote for what a stage makes of its inputs, before it is run here."""

from __future__ import annotations

from collections.abc import Callable

from datavc.core.errors import ConfigError, DatavcError, RemoteError
from datavc.core.progress import SILENT
from datavc.pipeline.runcache import CachedRun, parse
from datavc.repo.repo import Repo
from datavc.verbs import run_shelf
from datavc.verbs.fetch import bring
from datavc.verbs.sync_options import SyncOptions
from datavc.verbs.syncing import Remote, SyncResult, open_remote

PATIENCE_S = 3.0
"""Seconds for a connection to a remote that may know a run."""


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
        self._remote = self._remote or open_remote(_impatient(self._repo), None, self._options)
        run = known
        if run is None:
            data = run_shelf.Shelf(self._remote.store).get(key)
            if data is None:
                return None
            run = parse(data, key)
        if problem := bring_objects(self._repo, run, self._options):
            self._warn(f"a run of {run.stage} is known, but {problem}")
            return None
        if known is None:
            run_shelf.of_cache(self._repo).put(run)
        return run


def _impatient(repo: Repo) -> Repo:
    """Return the repository with a default remote that is given up soon.

    Nobody waits long for an answer that may be no: without a network the stage runs instead.
    """
    remote = repo.config.remote()._replace(retries=0, connect_timeout_s=PATIENCE_S)
    remotes = {**repo.config.remotes, remote.name: remote}
    return repo._replace(config=repo.config._replace(remotes=remotes))


def bring_objects(repo: Repo, run: CachedRun, options: SyncOptions) -> str:
    """Fetch what a run made; return why not, empty if all is here."""
    result = SyncResult()
    bring(repo, run_shelf.made(run), result, (options, SILENT))
    for failure in result.failures:
        return f"{failure.path} {failure.message}"
    return ""
