"""pull: fetch, then checkout; what turns out damaged on the way is fetched once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from datavc.core.digest import Digest
from datavc.core.outputs import Failure
from datavc.core.progress import SILENT, Progress
from datavc.repo.inventory import Inventory, load
from datavc.repo.repo import Repo
from datavc.repo.snapshot import at_commit
from datavc.repo.targets import Selection
from datavc.verbs.checkout import CheckoutOptions, CheckoutResult, checkout
from datavc.verbs.fetch import again, fetch
from datavc.verbs.scanning import inventory
from datavc.verbs.sync_options import SyncOptions
from datavc.verbs.syncing import SyncResult, by_remote


class PullResult(NamedTuple):
    """What came from remotes, and what it did to the workspace."""

    fetched: SyncResult
    checked_out: CheckoutResult

    @property
    def failures(self) -> list[Failure]:
        """What is missing, was left alone or not read, each once."""
        lost = {failure.digest for failure in self.fetched.failures}
        later = [f for f in self.checked_out.failures if not f.digest or f.digest not in lost]
        return list(dict.fromkeys([*self.fetched.failures, *later]))

    @property
    def warnings(self) -> list[str]:
        """Warnings of both halves, each once."""
        return list(dict.fromkeys([*self.fetched.warnings, *self.checked_out.warnings]))

    @property
    def exit_code(self) -> int:
        """The graver of the two."""
        return max(self.fetched.exit_code, self.checked_out.exit_code)

    def to_json(self) -> dict[str, object]:
        """Return the checkout's shape, with what was fetched beside it."""
        return {
            **self.checked_out.to_json(),
            "fetched": {"files": self.fetched.files, "bytes": self.fetched.bytes},
            "failures": [failure._asdict() for failure in self.failures],
        }


def pull(
    repo: Repo,
    targets: Sequence[str] = (),
    options: SyncOptions = SyncOptions(),
    into: CheckoutOptions = CheckoutOptions(),
    *,
    progress: Progress = SILENT,
) -> PullResult:
    """Bring data from remotes into the cache and from there into the workspace.

    Raises:
        ConfigError, RemoteError: no remote, no consent, or it cannot be reached.
        PathError: a target names nothing tracked.
    """
    into = into._replace(command="pull")
    fetched = fetch(repo, targets, options, progress=progress)
    if into.allow_missing:
        fetched.warnings += [f"{failure.path}: {failure.message}" for failure in fetched.failures]
        fetched.failures = []
    checked_out = checkout(repo, targets, into, progress=progress)
    if options.dry_run:
        checked_out.missing = []
        checked_out.failures = [f for f in checked_out.failures if not f.digest]
        return PullResult(fetched, checked_out)
    asked = {failure.digest for failure in fetched.failures}
    found = (*checked_out.missing, *checked_out.failures)
    lost = {Digest(f.digest): f.path for f in found if f.digest and f.digest not in asked}
    if not lost:
        return PullResult(fetched, checked_out)
    came = 0
    for name, digests in _owners(_known(repo, into), lost, options).items():
        second = again(repo, digests, lost, options._replace(remote=name), progress)
        came += second.files
        fetched.files += second.files
        fetched.bytes += second.bytes
        fetched.failures += [] if into.allow_missing else second.failures
    if not came:
        return PullResult(fetched, checked_out)
    retried = checkout(repo, targets, into, progress=progress)
    retried.added[:0] = checked_out.added
    retried.modified[:0] = checked_out.modified
    retried.deleted[:0] = checked_out.deleted
    retried.bytes += checked_out.bytes
    return PullResult(fetched, retried)


def _known(repo: Repo, into: CheckoutOptions) -> Inventory:
    if into.rev is None:
        return inventory(repo)
    return load(at_commit(repo.git, repo.git.resolve(into.rev)))


def _owners(
    known: Inventory, lost: Mapping[Digest, str], options: SyncOptions
) -> dict[str | None, list[Digest]]:
    """Return which remote each lost object is to be asked for; what is never pushed, of none."""
    groups: dict[str | None, list[Digest]] = {}
    for digest, path in lost.items():
        output = known.containing(path)
        if output is not None:
            chosen = by_remote([Selection(output)], options.remote, SyncResult())
            for name in chosen:
                groups.setdefault(name, []).append(digest)
    return groups
