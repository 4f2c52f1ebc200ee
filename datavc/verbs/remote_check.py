"""Remote check: download and hash what the workspace needs of each remote, without keeping it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from datavc.core import digest as digests
from datavc.core.digest import Digest
from datavc.core.errors import DataError
from datavc.core.hashing import hash_stream
from datavc.core.progress import Progress
from datavc.repo.repo import Repo
from datavc.store.object_store import ObjectStore
from datavc.store.parallel import each
from datavc.store.transfer import copy
from datavc.verbs.needing import needs
from datavc.verbs.sync_options import SyncOptions
from datavc.verbs.syncing import Remote, SyncResult, by_remote, meant, open_remote


@dataclass(slots=True)
class RemoteDamage:
    """A damaged object on a remote, a file that it serves, and whether it was sent again."""

    remote: str
    digest: Digest
    path: str
    reason: str
    resent: bool = False


@dataclass(slots=True)
class RemoteCheck:
    """What was read on remotes, and what of it is damaged."""

    checked: int = 0
    bytes: int = 0
    damaged: list[RemoteDamage] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check_remotes(
    repo: Repo, options: SyncOptions, *, resend: bool, progress: Progress
) -> RemoteCheck:
    """Verify the objects of the workspace's pointers on their remotes.

    With `resend`, damaged ones of which the cache has sound bytes are replaced there.

    Raises:
        ConfigError, RemoteError: no remote, no consent, or it cannot be reached.
    """
    result, notes = RemoteCheck(), SyncResult()
    groups = by_remote(meant(repo, (), options, notes), options.remote, notes)
    for name, chosen in groups.items():
        remote = open_remote(repo, name, options)
        needed = needs(repo, chosen)
        result.warnings += [
            f"the list of files in {unread.path} is neither here nor on {remote.config.name}, so "
            "its files were not verified"
            for unread in needed.ask(remote.store, remote.jobs(options))
        ]
        _check(repo, remote, needed.served(), result, (options, progress, resend))
    result.warnings += notes.warnings
    return result


def _check(
    repo: Repo,
    remote: Remote,
    served: Mapping[Digest, str],
    result: RemoteCheck,
    how: tuple[SyncOptions, Progress, bool],
) -> None:
    options, progress, resend = how
    name, jobs = remote.config.name, remote.jobs(options)
    progress.start(f"Asking {name}")
    lacking = remote.store.missing(served.keys())
    if lacking:
        result.warnings.append(
            f"{len(lacking)} objects are not on {name}; `datavc push` sends them"
        )
    damaged: list[RemoteDamage] = []
    lock = threading.Lock()

    def look(digest: Digest) -> None:
        size, reason = _read(remote.store, digest)
        with lock:
            result.checked += 1
            result.bytes += size
            if reason:
                damaged.append(RemoteDamage(name, digest, served[digest], reason))
        progress.advance(1, size)

    present = sorted(served.keys() - lacking)
    progress.start(f"Verifying {name}", len(present))
    each(look, present, jobs)
    damaged.sort(key=lambda one: one.path)
    if resend:
        sound = [(one.digest, None) for one in damaged if repo.objects.holds(one.digest)]
        done = copy(repo.objects, remote.store, sound, jobs=jobs, progress=progress).done
        for one in damaged:
            one.resent = one.digest in done
    result.damaged += damaged


def _read(store: ObjectStore, digest: Digest) -> tuple[int, str]:
    """Return bytes read and what is wrong with the object, nothing if it is sound."""
    try:
        with store.open(digest) as stream:
            found = hash_stream(stream, digests.algorithm(digest))
    except DataError as error:
        return 0, error.message
    if found.digest == digest:
        return found.size, ""
    return found.size, f"its {found.size:,} bytes are {found.digest}"
