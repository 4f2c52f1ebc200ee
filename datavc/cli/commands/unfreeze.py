"""`datavc unfreeze`."""

from __future__ import annotations

import typer

from datavc.cli.commands.freeze import Stages, drawn
from datavc.cli.context import session
from datavc.cli.options import Json, Quiet, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.verbs import freeze as verb

app = command_app()


@app.command(epilog=epilog("datavc unfreeze prepare", codes=(0, 1, 2, 5)))
def unfreeze(
    ctx: typer.Context,
    stages: Stages,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Take stages up again: `repro` looks at what they need."""
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        out.finish(verb.freeze(out.repo, stages, frozen=False, progress=out.progress), drawn)
