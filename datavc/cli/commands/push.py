"""`datavc push`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datavc.cli.changes import drawn_sync
from datavc.cli.context import session
from datavc.cli.declared import Caller, Declared
from datavc.cli.pages import epilog
from datavc.cli.scopes import scope_of
from datavc.verbs import push as verb
from datavc.verbs.sync_options import SyncOptions

if TYPE_CHECKING:
    from datavc.cli.options import (
        AllBranches,
        AllCommits,
        AllTags,
        DryRun,
        Glob,
        Jobs,
        Json,
        Quiet,
        Recursive,
        RemoteName,
        Rev,
        RunCache,
        Targets,
        Verbose,
    )


def push(
    ctx: Caller,
    targets: Targets = None,
    remote: RemoteName = None,
    jobs: Jobs = None,
    all_branches: AllBranches = False,
    all_tags: AllTags = False,
    all_commits: AllCommits = False,
    rev: Rev = None,
    recursive: Recursive = False,
    glob: Glob = False,
    run_cache: RunCache = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Send data to a remote: what it says it lacks, and nothing else.

    Without options that is the data of the pointer files as they are in the workspace.
    """
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        options = SyncOptions(
            remote=remote,
            jobs=jobs,
            scope=scope_of(all_branches, all_tags, all_commits, rev),
            workspace=rev is None,
            dry_run=dry_run,
            ask=out.asks,
            run_cache=run_cache,
        )
        result = verb.push(out.repo, targets or (), options, progress=out.progress)
        out.finish(result, lambda result: drawn_sync(result, "pushed", out.elapsed()))


COMMAND = Declared(
    push, epilog("datavc push", "datavc push -r backup -a images", codes=(0, 1, 2, 4, 6))
)
