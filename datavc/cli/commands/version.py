"""`datavc version`."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from datavc.cli import render
from datavc.cli.context import session
from datavc.cli.options import Json, command_app
from datavc.cli.pages import epilog
from datavc.verbs import version as verb

app = command_app()


def _lines(found: verb.Versions) -> Iterable[str]:
    rows = [
        ("datavc", found.datavc),
        ("Python", f"{found.python} ({found.executable})"),
        ("Platform", found.platform),
        ("Git", found.git),
    ]
    return render.table([*rows, *found.packages.items()])


@app.command(epilog=epilog("datavc version", "datavc version --json", codes=(0,)))
def version(ctx: typer.Context, json: Json = False) -> None:
    """Print versions of datavc, Python, Git, and the packages datavc stands on."""
    with session(ctx, json=json) as out:
        out.finish(verb.versions(), _lines)
