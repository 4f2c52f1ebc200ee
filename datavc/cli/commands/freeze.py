"""`datavc freeze`, and what `datavc unfreeze` has in common with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli.context import session
from datavc.cli.options import Json, Quiet, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.verbs import freeze as verb
from datavc.verbs.freeze import Frozen

app = command_app()

Stages = Annotated[list[str], typer.Argument(metavar="STAGE...", help="Stages, or FILE:STAGE.")]


@app.command(epilog=epilog("datavc freeze prepare", codes=(0, 1, 2, 5)))
def freeze(
    ctx: typer.Context,
    stages: Stages,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Leave stages as they are: `repro` uses their outputs and looks at nothing they need."""
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        out.finish(verb.freeze(out.repo, stages, frozen=True, progress=out.progress), drawn)


def drawn(result: Frozen) -> Iterable[str]:
    """Yield what became of each stage."""
    state = "frozen" if result.frozen else "not frozen"
    for named in result.stages:
        word = "was" if named in result.already else "is now"
        yield f"{named.name} ({named.file}) {word} {state}"
