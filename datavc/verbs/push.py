"""push: send what a remote lacks, files before the trees that name them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from datavc.core.digest import Digest
from datavc.core.errors import DatavcError
from datavc.core.outputs import Failure
from datavc.core.progress import SILENT, Progress
from datavc.repo.repo import Repo
from datavc.repo.targets import Selection, require_matches
from datavc.store import trees
from datavc.store.transfer import copy
from datavc.verbs.syncing import Remote, SyncOptions, SyncResult, by_remote, meant, open_remote

NOWHERE = "is neither in the cache nor on the remote"


@dataclass(slots=True)
class Needs:
    """Objects of some versions, with a file that each serves and its size, if recorded.

    `unknown` are trees that are not here: what they name cannot be told.
    """

    files: dict[Digest, tuple[str, int | None]] = field(default_factory=dict)
    trees: dict[Digest, str] = field(default_factory=dict)
    unknown: dict[Digest, str] = field(default_factory=dict)

    def served(self) -> dict[Digest, str]:
        """Return a path for each object."""
        return {**self.trees, **self.unknown, **{d: path for d, (path, _) in self.files.items()}}


def push(
    repo: Repo,
    targets: Sequence[str] = (),
    options: SyncOptions = SyncOptions(),  # noqa: B008 - frozen
    *,
    progress: Progress = SILENT,
) -> SyncResult:
    """Send the data of the workspace's pointers, and of a scope, to their remotes.

    What a remote has is asked of it now. What can be sent is sent; an object that is neither
    here nor there is a failure.

    Raises:
        ConfigError, RemoteError: no remote, no consent, or it cannot be reached.
    """
    result = SyncResult(dry_run=options.dry_run)
    groups = by_remote(meant(repo, targets, options, result), options.remote, result)
    if not groups:
        open_remote(repo, options.remote, options)
    for name, chosen in groups.items():
        remote = open_remote(repo, name, options)
        result.remotes.append(remote.config.name)
        _push_to(repo, remote, needs(repo, chosen), result, (options, progress))
    return result


def needs(repo: Repo, chosen: Sequence[Selection]) -> Needs:
    """Return the objects that the chosen versions are made of."""
    found = Needs()
    for selection in chosen:
        output = selection.output
        if not output.is_directory:
            found.files[output.digest] = output.path, output.pointer.size
            continue
        try:
            entries = list(trees.entries(repo.objects, output.digest))
            parts = list(trees.tree_objects(repo.objects, output.digest))
        except DatavcError:
            repo.objects.holds(output.digest)  # sets a damaged one aside
            found.unknown[output.digest] = output.path
            continue
        if not selection.whole:
            require_matches(selection, (entry.path for entry in entries))
        # Segments first: whoever finds the root finds what it lists.
        found.trees.update((digest, output.path) for digest in reversed(parts))
        for entry in entries:
            digest = entry.digest
            if digest is not None and selection.covers(entry.path):
                found.files[digest] = f"{output.path}/{entry.path}", entry.size
    return found


def _push_to(
    repo: Repo,
    remote: Remote,
    needed: Needs,
    result: SyncResult,
    how: tuple[SyncOptions, Progress],
) -> None:
    options, progress = how
    served = needed.served()
    progress.start(f"Asking {remote.config.name}")
    lacking = remote.store.missing(served.keys())
    result.skipped += len(served) - len(lacking)
    absent = repo.objects.missing(lacking)
    for digest in sorted(absent):
        result.failures.append(Failure(served[digest], digest, NOWHERE))
    files = [(d, size) for d, (_, size) in needed.files.items() if d in lacking - absent]
    parts = [(d, None) for d in needed.trees if d in lacking - absent]
    size = sum(size or 0 for _, size in files)
    if options.dry_run:
        result.files += len(files) + len(parts)
        result.bytes += size
        return
    progress.start(f"Pushing to {remote.config.name}", len(files) + len(parts), size)
    jobs = remote.jobs(options)
    for batch in (files, parts):
        done = copy(repo.objects, remote.store, batch, jobs=jobs, progress=progress)
        result.took(done, served)
