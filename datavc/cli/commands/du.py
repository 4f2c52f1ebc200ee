"""`datavc du`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli.context import session
from datavc.cli.options import Json, Quiet, Rev, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.core.errors import UsageError
from datavc.verbs import du as verb
from datavc.verbs.du import DuOptions, DuResult

KIBI = 1024
UNITS = ("", "k", "M", "G", "T", "P")

app = command_app()


@app.command(epilog=epilog("datavc du", "datavc du images --rev v1.0", codes=(0, 1, 2, 4)))
def du(
    ctx: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH]", help="A folder or tracked path; `. PATH` too.", show_default=False
        ),
    ] = None,
    summary: Annotated[
        bool, typer.Option("-s", "--summary", "--summarize", help="The total alone.")
    ] = False,
    rev: Rev = None,
    cache: Annotated[
        bool,
        typer.Option("--cache", help="Count what is in the cache, shared bytes once."),
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Show how much space tracked data takes, in this version or another.

    The data itself need not be here. Sizes are in bytes, with k, M and G powers of 1024.
    """
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        result = verb.du(out.repo, _target(paths or []), DuOptions(rev=rev, cache=cache))
        out.finish(result, lambda result: _draw(result, summary=summary))


def _target(paths: list[str]) -> str:
    """Return the one path that is meant; scripts name this repository, `.`, before it."""
    chosen = paths[1:] if len(paths) > 1 and paths[0] in (".", "./") else paths
    if len(chosen) > 1:
        raise UsageError("du measures one path at a time", "`datavc du PATH`")
    return chosen[0] if chosen else ""


def _draw(result: DuResult, *, summary: bool) -> Iterable[str]:
    rows = [*(() if summary else result.entries), result.total]
    sizes = [_size(row.bytes) for row in rows]
    columns = max(map(len, sizes))
    for size, row in zip(sizes, rows, strict=True):
        yield f"{size.rjust(columns)}  {row.path}"


def _size(count: int) -> str:
    """Return `2`, `999`, `1.5k`, `20M`: at most four digits and a point."""
    amount = float(count)
    for unit in UNITS:
        if amount < KIBI or unit == UNITS[-1]:
            break
        amount /= KIBI
    if not unit:
        return str(count)
    return f"{amount:.1f}".removesuffix(".0") + unit
