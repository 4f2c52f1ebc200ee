"""`datavc install`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli import render
from datavc.cli.context import session
from datavc.cli.options import DryRun, Json, Quiet, command_app
from datavc.cli.pages import epilog
from datavc.verbs import install as verb
from datavc.verbs.install import InstallResult, UninstallResult

app = command_app()


@app.command(epilog=epilog("datavc install", "datavc install --uninstall", codes=(0, 1, 2)))
def install(
    ctx: typer.Context,
    uninstall: Annotated[
        bool, typer.Option("--uninstall", help="Take hooks and merge driver out again.")
    ] = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make data follow Git in this clone, and agree to the remotes that came with it.

    Puts hooks beside those that exist and registers the merge driver of pointer files. What it
    shows of remotes is what push and pull may use from here on.
    """
    with session(ctx, json=json, quiet=quiet) as out:
        if uninstall:
            out.finish(verb.uninstall(out.repo, dry_run=dry_run), _removed)
        else:
            out.finish(verb.install(out.repo, dry_run=dry_run), _installed)


def _installed(result: InstallResult) -> Iterable[str]:
    would = "Would put in" if result.dry_run else "Put in"
    if result.hooks.written:
        number = render.count(len(result.hooks.written), "hook")
        yield f"{would} {number}: data follows Git from here on"
    else:
        yield "The hooks are in place: data follows Git"
    if result.hooks.chained:
        yield f"Hooks that were there still run: {', '.join(result.hooks.chained)}"
    for remote in result.agreed:
        yield f"{'Would agree' if result.dry_run else 'Agreed'} to {remote}"


def _removed(result: UninstallResult) -> Iterable[str]:
    if not result.hooks.removed:
        yield "There are no hooks of datavc here"
        return
    would = "Would take out" if result.dry_run else "Took out"
    yield f"{would} {render.count(len(result.hooks.removed), 'hook')}: data no longer follows Git"
    if result.hooks.restored:
        yield f"Put back as they were: {', '.join(result.hooks.restored)}"
