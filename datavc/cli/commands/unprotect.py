"""`datavc unprotect`."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from datavc.cli import render
from datavc.cli.context import session
from datavc.cli.options import DryRun, Json, Quiet, SomeTargets, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.verbs import unprotect as verb
from datavc.verbs.unprotect import UnprotectResult

app = command_app()


@app.command(epilog=epilog("datavc unprotect images/a.png", codes=(0, 1, 2, 3)))
def unprotect(
    ctx: typer.Context,
    targets: SomeTargets,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Make files that are links to the cache private copies, which can be edited in place."""
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        result = verb.unprotect(out.repo, targets, dry_run=dry_run, progress=out.progress)
        out.finish(result, _draw)


def _draw(result: UnprotectResult) -> Iterable[str]:
    if not result.files:
        yield "No linked files: all can be edited as they are"
        return
    would = "would be " if result.dry_run else ""
    noun = "a private copy" if result.files == 1 else "private copies"
    count = render.count(result.files, "linked file")
    yield f"{count} {would}made {noun}, {render.size(result.bytes)}"
