"""`datavc undo`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli import render
from datavc.cli.changes import drawn_paths
from datavc.cli.context import session
from datavc.cli.options import DryRun, Json, Quiet, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.verbs import undo as verb
from datavc.verbs.undo import UndoList, UndoResult

app = command_app()


@app.command(
    epilog=epilog("datavc undo --list", "datavc undo --dry-run", codes=(0, 1, 2, 3, 4, 5))
)
def undo(
    ctx: typer.Context,
    list_: Annotated[
        bool, typer.Option("--list", "-l", help="Show what can be taken back, newest first.")
    ] = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Take back the last operation of this workspace; again, the one before it.

    Works as long as everything is as that operation left it; else says what differs and changes
    nothing. What push, gc and Git's hooks did is no operation.
    """
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        if list_:
            out.finish(verb.operations(out.repo), _draw_list)
            return
        result = verb.undo(out.repo, dry_run=dry_run, progress=out.progress)
        out.finish(result, _draw)


def _draw_list(found: UndoList) -> Iterable[str]:
    if not found.operations:
        yield "There is no operation to take back"
    yield from render.table(
        (
            operation.id,
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(operation.time)),
            operation.command,
            render.count(operation.files, "file"),
            render.size(operation.bytes),
        )
        for operation in found.operations
    )


def _draw(result: UndoResult) -> Iterable[str]:
    yield from drawn_paths("P", result.pointers)
    yield from drawn_paths("A", result.restored)
    yield from drawn_paths("D", result.deleted)
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(result.operation.time))
    what = f"`datavc {result.operation.command}` of {moment}"
    if result.dry_run:
        yield f"Would take back {what}"
    elif not result.failures:
        yield f"Took back {what}"
