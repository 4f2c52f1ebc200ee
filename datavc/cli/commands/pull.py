"""`datavc pull`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from datavc.cli.changes import drawn_checkout, drawn_sync
from datavc.cli.context import session
from datavc.cli.declared import Caller, Declared
from datavc.cli.pages import epilog
from datavc.cli.scopes import scope_of
from datavc.verbs import pull as verb
from datavc.verbs.checkout import CheckoutOptions
from datavc.verbs.pull import PullResult
from datavc.verbs.sync_options import SyncOptions

if TYPE_CHECKING:
    from typing import Annotated

    import typer

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


def pull(
    ctx: Caller,
    targets: Targets = None,
    remote: RemoteName = None,
    jobs: Jobs = None,
    force: Annotated[
        bool,
        typer.Option("-f", "--force", help="Replace unsaved changes too; they are saved first."),
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Replace unsaved changes and give them up.")
    ] = False,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Data that no remote has is no failure.")
    ] = False,
    all_branches: AllBranches = False,
    all_tags: AllTags = False,
    all_commits: AllCommits = False,
    rev: Rev = None,
    summary: Annotated[bool, typer.Option("--summary", help="Show the counts alone.")] = False,
    recursive: Recursive = False,
    glob: Glob = False,
    run_cache: RunCache = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Fetch data from a remote and put it into the workspace.

    Work that was never added is left alone and named; everything else is brought back.
    """
    into = CheckoutOptions(
        rev=rev, force=force, discard=discard, allow_missing=allow_missing, dry_run=dry_run
    )
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
        result = verb.pull(out.repo, targets or (), options, into, progress=out.progress)
        out.finish(result, lambda result: _draw(result, out.elapsed(), summary))


COMMAND = Declared(
    pull, epilog("datavc pull", "datavc pull 'images/*.png'", codes=(0, 1, 2, 3, 4, 5, 6))
)


def _draw(result: PullResult, elapsed: str, summary: bool) -> Iterable[str]:
    if result.fetched.files:
        yield from drawn_sync(result.fetched, "fetched", elapsed)
    yield from drawn_checkout(result.checked_out, elapsed, summary=summary)
