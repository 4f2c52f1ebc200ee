"""push: send what a remote lacks, files before the trees that name them."""

from __future__ import annotations

from collections.abc import Sequence

from datavc.core.outputs import Failure
from datavc.core.progress import SILENT, Progress
from datavc.core.trace import trace
from datavc.pipeline import runcache
from datavc.repo.repo import Repo
from datavc.store.transfer import Transferred, copy
from datavc.verbs.needing import Needs, needs
from datavc.verbs.sync_options import SyncOptions
from datavc.verbs.syncing import NOWHERE, Remote, SyncResult, by_remote, meant, open_remote

DAMAGED = "is damaged in the cache and was set aside"


def push(
    repo: Repo,
    targets: Sequence[str] = (),
    options: SyncOptions = SyncOptions(),
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
    if options.run_cache and not options.dry_run:
        _push_runs(repo, result, (options, progress))
    return result


def _push_runs(repo: Repo, result: SyncResult, how: tuple[SyncOptions, Progress]) -> None:
    """Send the run-cache entries that the remote lacks, after all that they name.

    An entry whose objects are not here any more stays here.
    """
    from datavc.verbs import run_shelf

    remote = open_remote(repo, how[0].remote, how[0])
    shelf = run_shelf.Shelf(remote.store)
    runs = run_shelf.of_cache(repo)
    sending = run_shelf.readable(set(runs.known_keys()) - shelf.keys(), runs.read)
    whole = [run for run in sending if not repo.objects.missing(list(run.objects()))]
    needed = needs(repo, [selection for run in whole for selection in run_shelf.made(run)])
    failed = len(result.failures)
    _push_to(repo, remote, needed, result, how)
    lost = {failure.digest for failure in result.failures[failed:]}
    for run in whole:
        if lost.isdisjoint(needs(repo, run_shelf.made(run)).served()):
            shelf.put(run.key, runcache.render(run))
            result.runs += 1


def _push_to(
    repo: Repo,
    remote: Remote,
    needed: Needs,
    result: SyncResult,
    how: tuple[SyncOptions, Progress],
) -> None:
    options, progress = how
    progress.start(f"Asking {remote.config.name}")
    unread = needed.ask(remote.store, remote.jobs(options))
    served = needed.served()
    lacking = remote.store.missing(served.keys())
    result.failures += [failure for failure in unread if failure.digest not in lacking]
    result.skipped += len(served) - len(lacking)
    absent = repo.objects.missing(lacking)
    for digest in sorted(absent):
        result.failures.append(Failure(served[digest], digest, NOWHERE))
    sending = lacking - absent
    trace(
        __name__,
        "%s lacks %d of %d objects, %d of them are not here either",
        *(remote.config.name, len(lacking), len(served), len(absent)),
    )
    files = [(d, size) for d, (_, size) in needed.files.items() if d in sending]
    parts = [(d, None) for d in needed.trees if d in sending]
    size = sum(size or 0 for _, size in files)
    if options.dry_run:
        result.files += len(files) + len(parts)
        result.bytes += size
        return
    progress.start(f"Pushing to {remote.config.name}", len(files) + len(parts), size)
    jobs = remote.jobs(options)
    for batch in (files, parts):
        done = copy(repo.objects, remote.store, batch, jobs=jobs, progress=progress)
        result.took(_blamed(repo, done), served)


def _blamed(repo: Repo, done: Transferred) -> Transferred:
    """Set aside objects that were not sent because they are damaged here, and say so."""
    failures = tuple(
        failure if repo.objects.holds(failure.digest) else failure._replace(message=DAMAGED)
        for failure in done.failures
    )
    return done._replace(failures=failures)
