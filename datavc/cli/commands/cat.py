"""`datavc cat`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from datavc.cli.context import session
from datavc.cli.options import Rev, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.verbs import cat as verb

app = command_app()


@app.command(
    epilog=epilog(
        "datavc cat data/raw.csv", "datavc cat --rev v1 images/a.png", codes=(0, 1, 2, 4)
    )
)
def cat(
    ctx: typer.Context,
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="A tracked file, also in a tracked directory.")
    ],
    rev: Rev = None,
    verbose: Verbose = 0,
) -> None:
    """Print the bytes of a tracked file, as its pointer or a revision has it.

    They come from the cache, verified; the workspace does not change.
    """
    with session(ctx, quiet=True, verbose=verbose) as out:
        for piece in verb.cat(out.repo, path, rev=rev):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
