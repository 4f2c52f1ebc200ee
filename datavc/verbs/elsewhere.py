"""Elsewhere: which remote still has an object that is to go from the cache."""

from __future__ import annotations

import os
from collections.abc import Mapping

from datavc.core.digest import Digest
from datavc.core.errors import DatavcError, RemoteError
from datavc.core.progress import Progress
from datavc.repo import consent
from datavc.repo.repo import Repo
from datavc.store.local import LocalStore
from datavc.store.object_store import ObjectStore
from datavc.verbs.sync_options import SyncOptions
from datavc.verbs.syncing import open_remote


def elsewhere(
    repo: Repo, wanted: Mapping[Digest, int], *, must_answer: bool, progress: Progress
) -> tuple[dict[Digest, str], list[str]]:
    """Return a remote for each of `wanted` that one has, as they say now; and warnings.

    An object of another size than the one here (its value in `wanted`) is no copy of it. The
    default remote is asked first, the others for what is still to be found.

    Raises:
        RemoteError: with `must_answer`, where a remote cannot be asked.
    """
    found: dict[Digest, str] = {}
    warnings: list[str] = []
    default = repo.config.core.remote
    for name in sorted(repo.config.remotes, key=lambda name: (name != default, name)):
        left = wanted.keys() - found.keys()
        if not left:
            break
        if not consent.is_agreed(repo.layout, repo.config.remotes[name]):
            warnings.append(
                f"remote {name} was not asked, because you have not agreed to it "
                f"(`datavc remote trust {name}`)"
            )
            continue
        progress.start(f"Asking {name}")
        try:
            store = open_remote(repo, name, SyncOptions()).store
            if _is_cache(store, repo):
                warnings.append(f"remote {name} is the cache itself, so it is no copy")
                continue
            there = store.sizes(left)
            whole = [digest for digest, size in there.items() if size == wanted[digest]]
            found.update(dict.fromkeys(whole, name))
            if len(whole) < len(there):
                warnings.append(
                    f"remote {name} has {len(there) - len(whole)} damaged objects, which are no "
                    f"copies (`datavc fsck -c -r {name}` names them)"
                )
        except DatavcError as error:
            sentence = f"remote {name} does not say what it has: {error.message}"
            if must_answer:
                raise RemoteError(
                    sentence,
                    "repeat when it can be reached; `--unpushed` removes also what no remote has",
                ) from error
            warnings.append(sentence)
    return found, warnings


def _is_cache(store: ObjectStore, repo: Repo) -> bool:
    """Tell whether a remote keeps its objects in the very folder of the cache."""
    if not isinstance(store, LocalStore):
        return False
    folders = (os.path.join(root, "objects") for root in (store.root, repo.objects.root))
    try:
        return os.path.samefile(*folders)
    except FileNotFoundError:
        return False
