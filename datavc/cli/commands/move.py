"""`datavc move`, also `datavc mv`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli.context import session
from datavc.cli.options import DryRun, Json, Quiet, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.verbs import move as verb
from datavc.verbs.move import MoveResult

app = command_app()


@app.command(
    epilog=epilog(
        "datavc move raw.csv data/raw.csv", "datavc move images data/", codes=(0, 1, 2, 5)
    )
)
def move(
    ctx: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Tracked data, or its pointer file.")
    ],
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="The new name, or a folder to move it into.")
    ],
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Rename tracked data, with its pointer file and its ignore line. Nothing is overwritten.

    Data that is not here stays where it is: its pointer alone moves.
    """
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        result = verb.move(out.repo, source, target, dry_run=dry_run, progress=out.progress)
        out.finish(result, _draw)


def _draw(result: MoveResult) -> Iterable[str]:
    would = "Would move" if result.dry_run else "Moved"
    alone = "" if result.data else " (its data is not here)"
    yield f"{would} {result.old} to {result.new}{alone}"
