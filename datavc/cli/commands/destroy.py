"""`datavc destroy`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli import progress as drawn
from datavc.cli import render
from datavc.cli.changes import drawn_paths
from datavc.cli.context import Session, session
from datavc.cli.options import DryRun, Force, Json, Quiet, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.verbs import destroy as verb
from datavc.verbs.destroy import DestroyOptions, DestroyResult

app = command_app()


@app.command(
    epilog=epilog("datavc destroy --dry-run", "datavc destroy --force", codes=(0, 1, 2, 4, 5))
)
def destroy(
    ctx: typer.Context,
    no_checkout: Annotated[
        bool,
        typer.Option("--no-checkout", help="Do not put data there that is only in the cache."),
    ] = False,
    force: Force = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Leave datavc: tracked data become plain files.

    Pointer files, ignore lines, hooks, settings and the cache go, and with them all versions but
    the one in the workspace. Git's history and the remotes stay as they are.
    """
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        ask = (lambda question: _ask(out, question)) if out.asks else None
        options = DestroyOptions(force=force, checkout=not no_checkout, dry_run=dry_run, ask=ask)
        result = verb.destroy(out.repo, options, progress=out.progress)
        out.finish(result, _draw)


def _ask(out: Session, question: str) -> bool:
    drawn.end(out.progress)
    return out.ask(question)


def _draw(result: DestroyResult) -> Iterable[str]:
    yield from drawn_paths("A", result.placed)
    yield from drawn_paths("D", result.removed)
    would = "would be " if result.dry_run else ""
    count = render.count(len(result.outputs), "tracked output")
    yield f"{count} {would}made plain files, {render.count(result.copied, 'link')} copied"
    if result.cache:
        yield f"The cache in {result.cache} stays: it is not in this project"
    if not result.dry_run:
        yield "datavc is gone from this repository; `git status` shows what to commit"
