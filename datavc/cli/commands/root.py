"""`datavc root`."""

from __future__ import annotations

import os

import typer

from datavc.cli.context import session
from datavc.cli.options import Json, command_app
from datavc.cli.pages import epilog

app = command_app()


@app.command(epilog=epilog("datavc root", codes=(0, 1)))
def root(ctx: typer.Context, json: Json = False) -> None:
    """Print where the project begins, as seen from here."""
    with session(ctx, json=json) as out:
        out.finish(os.path.relpath(out.repo.layout.root), lambda path: [path])
