"""What push, fetch and pull share: which versions are meant, and which remote each goes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from datavc.core.digest import Digest
from datavc.core.errors import DatavcError, PathError
from datavc.core.outputs import Failure, TrackedOutput
from datavc.core.paths import RepoPath
from datavc.core.remotes import RemoteConfig
from datavc.remote.connect import connect
from datavc.repo import consent
from datavc.repo.inventory import recorded
from datavc.repo.repo import Repo
from datavc.repo.targets import Selection, narrow, repo_path, select
from datavc.store.object_store import ObjectStore
from datavc.store.transfer import Transferred
from datavc.verbs.scanning import inventory, passed_over, unreadable
from datavc.verbs.sync_options import RevisionScope, SyncOptions

AT_ONCE = 16
"""Requests in flight by default: what a server on the other side of an ocean is kept busy by."""
AT_ONCE_IN_FOLDERS = 1
"""Threads only wait for each other there: 10,000 files of 3.5 KiB took 0.97 s by one, 2.2 by four.

A folder on a slow network may want more (`-j`, or the remote's `jobs`).
"""

NOWHERE = "is neither in the cache nor on the remote"


class SyncResult:
    """What went over: objects, bytes, entries of the run cache; `skipped` were there already.

    In a dry run `files` and `bytes` are what would go.
    """

    def __init__(self, *, dry_run: bool = False) -> None:
        """Begin with nothing sent or fetched."""
        self.files = self.bytes = self.skipped = self.runs = 0
        self.remotes: list[str] = []
        self.failures: list[Failure] = []
        self.warnings: list[str] = []
        self.dry_run = dry_run

    @property
    def exit_code(self) -> int:
        """4 if an object did not arrive, 3 if a pointer could not be read, else 0."""
        if any(failure.digest for failure in self.failures):
            return 4
        return 3 if self.failures else 0

    def to_json(self) -> dict[str, object]:
        """Return counts and failures."""
        return {
            "files": self.files,
            "bytes": self.bytes,
            "skipped": self.skipped,
            "runs": self.runs,
            "remotes": self.remotes,
            "dry_run": self.dry_run,
            "failures": [failure._asdict() for failure in self.failures],
        }

    def took(self, done: Transferred, served: dict[Digest, str]) -> None:
        """Count what was copied; name what was not by the files that it serves."""
        self.files += done.copied
        self.bytes += done.size
        for failure in done.failures:
            path = served.get(failure.digest, "")
            self.failures.append(Failure(path, failure.digest, failure.message))


class Remote(NamedTuple):
    """A remote that may be used: its settings and its store."""

    config: RemoteConfig
    store: ObjectStore

    def jobs(self, options: SyncOptions) -> int:
        """Return how many requests run at once."""
        default = AT_ONCE if "://" in self.config.url else AT_ONCE_IN_FOLDERS
        return options.jobs or self.config.jobs or default


def open_remote(repo: Repo, name: str | None, options: SyncOptions) -> Remote:
    """Connect to the remote `name`, or to the default one, once the user has agreed to it.

    Raises:
        ConfigError: there is no such remote.
        DatavcError: it came with the repository and nobody agreed to it.
    """
    config = repo.config.remote(name)
    consent.require(repo.layout, config, options.ask)
    store = connect(
        config,
        algorithm=repo.config.core.digest,
        durability=repo.config.core.durability,
        extra_protocols=frozenset(repo.config.protocols),
    )
    return Remote(config, store)


def meant(
    repo: Repo, targets: Sequence[str], options: SyncOptions, result: SyncResult
) -> list[Selection]:
    """Return the versions that a command is about: the workspace's, and those of a scope.

    Raises:
        PathError: a target names nothing in any of them.
    """
    paths = [repo_path(repo.root, repo.here, text) for text in targets]
    chosen: dict[tuple[RepoPath, Digest], Selection] = {}
    miss: DatavcError | None = None
    if options.workspace:
        known = inventory(repo)
        if paths:
            result.warnings += unreadable(known)
        else:
            result.failures += passed_over(known)
        try:
            chosen = {_key(s.output): s for s in select(known, paths)}
        except DatavcError as error:
            miss = error
    for output in versions(repo, options.scope, result) if options.scope else ():
        selection = narrow(output, paths)
        if selection is not None:
            chosen[_key(output)] = selection
    if miss is not None and not chosen:
        raise miss
    if paths and not chosen:
        raise PathError(f"{targets[0]} is tracked in none of these commits")
    return list(chosen.values())


def _key(output: TrackedOutput) -> tuple[RepoPath, Digest]:
    return output.path, output.digest


def versions(repo: Repo, scope: RevisionScope, result: SyncResult) -> list[TrackedOutput]:
    """Return every version of every output in the commits of `scope`, each pointer read once."""
    found, warnings = at_commits(repo, repo.git.commits(scope))
    result.warnings += warnings
    return found


def at_commits(repo: Repo, commits: Sequence[str]) -> tuple[list[TrackedOutput], list[str]]:
    """Return the versions that `commits` track, and warnings of pointers that cannot be read."""
    blobs = {item for commit in commits for item in repo.git.tree_blobs(commit).items()}
    texts = repo.git.read_blobs({blob for _, blob in blobs})
    found: list[TrackedOutput] = []
    warnings: list[str] = []
    for path, blob in sorted(blobs):
        try:
            found += recorded(path, texts[blob])
        except KeyError:
            warnings.append(f"{path} of an older commit is not in Git here (a shallow clone?)")
        except DatavcError as error:
            warnings.append(f"{error.message} (in an older commit); it was passed over")
    return found, warnings


def by_remote(
    chosen: Iterable[Selection], default: str | None, result: SyncResult
) -> dict[str | None, list[Selection]]:
    """Group selections by the remote that each output goes to; its own wins over `default`."""
    groups: dict[str | None, list[Selection]] = {}
    for selection in chosen:
        pointer = selection.output.pointer
        if not pointer.push or not pointer.cache:
            continue
        if default and pointer.remote and pointer.remote != default:
            result.warnings.append(
                f"{selection.output.path} belongs to remote {pointer.remote}; "
                f"{default} was not used for it"
            )
            continue
        groups.setdefault(pointer.remote or default, []).append(selection)
    return groups
