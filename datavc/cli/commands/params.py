"""`datavc params`: diff."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli import numbers
from datavc.cli.context import session
from datavc.cli.options import Json, Quiet, command_app
from datavc.cli.pages import epilog
from datavc.verbs import params as verb
from datavc.verbs.metrics import Compared

app = command_app()


@app.callback(no_args_is_help=True, epilog=epilog("datavc params diff"))
def params() -> None:
    """Compare the parameters of two versions."""


@app.command(epilog=epilog("datavc params diff", "datavc params diff v1 --deps"))
def diff(
    ctx: typer.Context,
    a: Annotated[
        str | None, typer.Argument(metavar="[A]", show_default=False, help="A revision (HEAD).")
    ] = None,
    b: Annotated[
        str | None,
        typer.Argument(metavar="[B]", show_default=False, help="A revision (the workspace)."),
    ] = None,
    targets: Annotated[
        list[str] | None,
        typer.Option("--targets", metavar="PATH", help="Files or folders, declared or not."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what did not change.")] = False,
    deps: Annotated[bool, typer.Option("--deps", help="Only what stages use.")] = False,
    markdown: Annotated[bool, typer.Option("--md", help="Print a Markdown table.")] = False,
    no_path: Annotated[
        bool, typer.Option("--no-path", help="Leave out the column of files.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare the parameters of two revisions, or of one with the workspace."""
    with session(ctx, json=json, quiet=quiet) as out:
        named = tuple(targets or ())
        compared = verb.diff(out.repo, (a, b), named, unchanged=everything, used=deps)
        out.finish(compared, lambda found: _draw(found, markdown=markdown, no_path=no_path))


def _draw(found: Compared, *, markdown: bool, no_path: bool) -> Iterable[str]:
    if not found.deltas:
        return ["No differences"]
    first = 1 if no_path else 0
    rows = (
        [file, key, _value(delta.old), _value(delta.new)][first:]
        for file, deltas in found.deltas.items()
        for key, delta in deltas.items()
    )
    columns = ["Path", "Param", found.old, found.new]
    return numbers.table(columns[first:], rows, markdown=markdown)


def _value(value: object) -> str:
    return numbers.NOTHING if value is None else str(value)
