"""`datavc init`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli import render
from datavc.cli.context import session
from datavc.cli.options import DryRun, Json, Quiet, command_app
from datavc.cli.pages import epilog
from datavc.verbs import init as verb
from datavc.verbs.init import InitOptions, InitResult

app = command_app()


def _lines(result: InitResult) -> Iterable[str]:
    if result.dry_run:
        yield f"Would make {result.root} a datavc project"
        yield from (f"  would write {file}" for file in result.files)
        yield f"  would put in {render.count(len(result.hooks), 'Git hook')}"
        return
    yield f"{result.root} is a datavc project; data follows Git here"
    if result.files:
        yield f"Staged for your next commit: {', '.join(result.files)}"
    yield (
        "Next: `datavc add FILE` tracks data, "
        "`datavc remote add -d NAME URL` says where to share it"
    )


@app.command(epilog=epilog("git init && datavc init"))
def init(
    ctx: typer.Context,
    folder: Annotated[
        str, typer.Argument(metavar="[DIR]", help="Where.", show_default=False)
    ] = ".",
    digest: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="How data is named: blake3 (default), xxh128 or sha256.",
            show_default=False,
        ),
    ] = "",
    subdir: Annotated[
        bool, typer.Option("--subdir", help="Begin below the top of the Git repository.")
    ] = False,
    force: Annotated[
        bool, typer.Option("-f", "--force", help="Put back what is missing in a project.")
    ] = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a datavc project in a Git repository. Nothing that is there is replaced."""
    with session(ctx, json=json, quiet=quiet) as out:
        options = InitOptions(digest, subdir=subdir, force=force, dry_run=dry_run)
        out.finish(verb.init(os.path.join(out.start, folder), options), _lines)
