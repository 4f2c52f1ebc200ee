"""Cloud: what remotes lack of some versions, told by path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from datavc.core.paths import RepoPath
from datavc.repo.repo import Repo
from datavc.repo.targets import Selection
from datavc.verbs.needing import needs
from datavc.verbs.sync_options import SyncOptions
from datavc.verbs.syncing import SyncResult, by_remote, open_remote


class Lacking(NamedTuple):
    """Paths that a remote lacks something of, directories with a slash, and warnings."""

    paths: list[str]
    warnings: list[str]


def lacking(
    repo: Repo, chosen: Sequence[Selection], options: SyncOptions, *, granular: bool
) -> Lacking:
    """Ask each remote what it lacks of the chosen versions; `granular` tells it by file.

    Raises:
        ConfigError, RemoteError: no remote, no consent, or it cannot be reached.
    """
    notes = SyncResult()
    paths: list[str] = []
    for name, selections in by_remote(chosen, options.remote, notes).items():
        remote = open_remote(repo, name, options)
        needed = needs(repo, selections)
        unread = needed.ask(remote.store, remote.jobs(options))
        served = needed.served()
        found = {served[digest] for digest in remote.store.missing(served.keys())}
        found |= {failure.path for failure in unread}
        folders = {s.output.path: f"{s.output.path}/" for s in selections if s.output.is_directory}
        paths += sorted({_shown(path, folders, granular=granular) for path in found})
    return Lacking(paths, notes.warnings)


def _shown(path: str, folders: dict[RepoPath, str], *, granular: bool) -> str:
    if path in folders:
        return folders[RepoPath(path)]
    inside = () if granular else folders.values()
    return next((folder for folder in inside if path.startswith(folder)), path)
