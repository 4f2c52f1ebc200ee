"""`datavc remove`, also `datavc rm`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli import render
from datavc.cli.changes import drawn_paths
from datavc.cli.context import session
from datavc.cli.options import DryRun, Json, Quiet, SomeTargets, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.verbs import remove as verb
from datavc.verbs.remove import RemoveOptions, RemoveResult

app = command_app()


@app.command(
    epilog=epilog(
        "datavc remove data/raw.csv", "datavc remove --outs images", codes=(0, 1, 2, 3, 5)
    )
)
def remove(
    ctx: typer.Context,
    targets: SomeTargets,
    outs: Annotated[
        bool, typer.Option("--outs", help="Delete the data from the workspace too.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("-f", "--force", help="With --outs: delete unsaved changes, saving them."),
    ] = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Stop tracking data: its pointer file and its ignore line go.

    The data stays where it is, and its objects stay in the cache, so older commits keep theirs.
    `datavc undo` takes it back.
    """
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        options = RemoveOptions(outs=outs, force=force, dry_run=dry_run)
        result = verb.remove(out.repo, targets, options, progress=out.progress)
        out.finish(result, _draw)


def _draw(result: RemoveResult) -> Iterable[str]:
    yield from drawn_paths("D", result.deleted)
    would = "Would stop tracking" if result.dry_run else "Stopped tracking"
    yield f"{would} {', '.join(result.outputs)}"
    if result.deleted:
        deleted = "would be deleted" if result.dry_run else "deleted"
        count = render.count(len(result.deleted), "file")
        yield f"{count} {deleted}, {render.size(result.bytes)}"
    for path in result.visible:
        yield f"{path} is an ordinary path for Git now: `git status` shows it"
