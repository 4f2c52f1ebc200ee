"""`datavc doctor`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli import render
from datavc.cli.context import session
from datavc.cli.options import Json, Quiet, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.verbs import doctor as verb
from datavc.verbs.doctor import DoctorOptions, DoctorResult
from datavc.verbs.health import Check

app = command_app()


@app.command(epilog=epilog("datavc doctor", "datavc doctor --cloud --fix", codes=(0, 1, 2)))
def doctor(
    ctx: typer.Context,
    cloud: Annotated[
        bool, typer.Option("-c", "--cloud", help="Ask whether the remotes answer.")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Remove leftovers and bring stale hooks up to date.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Look for what is wrong in the set-up, and say the way out of each.

    Works without a project, too. Nothing is changed without --fix.
    """
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        options = DoctorOptions(cloud=cloud, fix=fix)
        out.finish(verb.doctor(out.start, out.overrides, options), _draw)


def _draw(result: DoctorResult) -> Iterable[str]:
    yield from render.table((c.state, c.name, _said(c)) for c in result.checks)


def _said(check: Check) -> str:
    return f"{check.message}: {check.hint}" if check.hint else check.message
