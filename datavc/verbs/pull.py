"""pull: fetch, then checkout; what turns out damaged on the way is fetched once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from datavc.core.digest import Digest
from datavc.core.outputs import Failure
from datavc.core.progress import SILENT, Progress
from datavc.repo.repo import Repo
from datavc.verbs.checkout import CheckoutOptions, CheckoutResult, checkout
from datavc.verbs.fetch import again, fetch
from datavc.verbs.syncing import SyncOptions, SyncResult


@dataclass(frozen=True, slots=True)
class PullResult:
    """What came from remotes, and what it did to the workspace."""

    fetched: SyncResult
    checked_out: CheckoutResult

    @property
    def failures(self) -> list[Failure]:
        """What is missing or was left alone, each object once."""
        lost = {failure.digest for failure in self.fetched.failures}
        later = [f for f in self.checked_out.failures if not f.digest or f.digest not in lost]
        return [*self.fetched.failures, *later]

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
    options: SyncOptions = SyncOptions(),  # noqa: B008 - frozen
    into: CheckoutOptions = CheckoutOptions(),  # noqa: B008 - frozen
    *,
    progress: Progress = SILENT,
) -> PullResult:
    """Bring data from remotes into the cache and from there into the workspace.

    Raises:
        ConfigError, RemoteError: no remote, no consent, or it cannot be reached.
        PathError: a target names nothing tracked.
    """
    fetched = fetch(repo, targets, options, progress=progress)
    checked_out = checkout(repo, targets, into, progress=progress)
    if options.dry_run:
        return PullResult(fetched, replace(checked_out, missing=[], failures=[]))
    lost = {failure.digest for failure in fetched.failures}
    damaged = {Digest(f.digest): f.path for f in checked_out.missing if f.digest not in lost}
    damaged |= {
        Digest(f.digest): f.path for f in checked_out.failures if f.digest and f.digest not in lost
    }
    if not damaged:
        return PullResult(fetched, checked_out)
    second = again(repo, damaged.keys(), damaged, options, progress)
    fetched.files += second.files
    fetched.bytes += second.bytes
    fetched.failures += second.failures
    retried = checkout(repo, targets, into, progress=progress)
    retried.added[:0] = checked_out.added
    retried.modified[:0] = checked_out.modified
    retried.deleted[:0] = checked_out.deleted
    retried.bytes += checked_out.bytes
    return PullResult(fetched, retried)
