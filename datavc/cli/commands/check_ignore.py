"""`datavc check-ignore`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from datavc.cli.context import session
from datavc.cli.options import Json, Quiet, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.core.errors import UsageError
from datavc.verbs import check_ignore as verb
from datavc.verbs.check_ignore import CheckIgnoreResult

app = command_app()


@app.command("check-ignore", epilog=epilog("datavc check-ignore -d images/a.tmp", codes=(0, 1, 2)))
def check_ignore(
    ctx: typer.Context,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", help="Paths to ask about.")
    ] = None,
    details: Annotated[
        bool, typer.Option("-d", "--details", help="Show file, line and pattern.")
    ] = False,
    non_matching: Annotated[
        bool, typer.Option("-n", "--non-matching", help="With -d: show other paths too.")
    ] = False,
    every: Annotated[
        bool, typer.Option("-a", "--all", help="With -d: show all lines that match.")
    ] = False,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read paths from standard input, one a line.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Tell which paths .datavcignore excludes from tracked directories.

    The exit code is 0 if one of them is excluded, 1 if none is.
    """
    if (non_matching or every) and not details:
        raise UsageError(f"{'--non-matching' if non_matching else '--all'} needs --details")
    if stdin == bool(paths):
        raise UsageError("name paths, or read them with --stdin" + (", not both" * stdin))
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        result = verb.check_ignore(out.repo, _lines() if stdin else paths or ())
        draw = _details if details else _paths
        out.finish(result, lambda r: draw(r, every=every, non_matching=non_matching))


def _lines() -> Iterator[str]:
    for line in sys.stdin.buffer:
        yield os.fsdecode(line.rstrip(b"\r\n"))


def _paths(result: CheckIgnoreResult, *, every: bool, non_matching: bool) -> Iterable[str]:
    return (found.path for found in result.checked if found.ignored)


def _details(result: CheckIgnoreResult, *, every: bool, non_matching: bool) -> Iterable[str]:
    for found in result.checked:
        if found.ignored:
            for rule in found.rules if every else found.rules[-1:]:
                yield f"{rule.file}:{rule.line}:{rule.pattern}\t{found.path}"
        elif non_matching:
            yield f"::\t{found.path}"
