"""`datavc run-cache`: info."""

from __future__ import annotations

import time
from collections.abc import Iterable

import typer

from datavc.cli import render
from datavc.cli.context import session
from datavc.cli.options import Json, Quiet, command_app
from datavc.cli.pages import epilog
from datavc.verbs import run_cache as verb

app = command_app()


@app.callback(no_args_is_help=True, epilog=epilog("datavc run-cache info"))
def run_cache() -> None:
    """What stages made of which inputs, so that nobody makes it twice."""


@app.command(epilog=epilog("datavc run-cache info --json", codes=(0, 1)))
def info(ctx: typer.Context, json: Json = False, quiet: Quiet = False) -> None:
    """Show which runs are known, when each was last asked for, and the time that it saves."""
    with session(ctx, json=json, quiet=quiet) as out:
        out.finish(verb.info(out.repo), _draw)


def _draw(found: verb.RunCacheInfo) -> Iterable[str]:
    rows = [
        (
            run.stage,
            time.strftime("%Y-%m-%d %H:%M", time.localtime(run.used)),
            render.duration(run.seconds),
            render.size(run.bytes),
            "" if run.present else "results gone",
        )
        for run in found.runs
    ]
    yield from render.table(rows)
    size = render.size(sum(run.bytes for run in found.runs))
    took = render.duration(sum(run.seconds for run in found.runs))
    yield f"{render.count(len(rows), 'run')}, {size}, {took} of work"
