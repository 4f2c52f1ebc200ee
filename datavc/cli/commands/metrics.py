"""`datavc metrics`: show, diff."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from datavc.cli import numbers
from datavc.cli.context import session
from datavc.cli.options import AllBranches, AllCommits, AllTags, Json, Quiet, command_app
from datavc.cli.pages import epilog
from datavc.verbs import metrics as verb
from datavc.verbs.metrics import Compared, Shown
from datavc.verbs.moments import Scope

app = command_app()

Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TARGET]...", show_default=False, help="Files or folders, declared or not."
    ),
]
Named = Annotated[
    list[str] | None,
    typer.Option("--targets", metavar="PATH", help="Files or folders, declared or not."),
]
Old = Annotated[
    str | None, typer.Argument(metavar="[A]", show_default=False, help="A revision (HEAD).")
]
New = Annotated[
    str | None,
    typer.Argument(metavar="[B]", show_default=False, help="A revision (the workspace)."),
]
Everything = Annotated[bool, typer.Option("--all", help="Also what did not change.")]
Markdown = Annotated[bool, typer.Option("--md", help="Print a Markdown table.")]
NoPath = Annotated[bool, typer.Option("--no-path", help="Leave out the column of files.")]
Folders = Annotated[
    bool, typer.Option("-R", "--recursive", help="Look into folders; they always are.")
]
Precision = Annotated[
    int,
    typer.Option("--precision", min=0, max=17, metavar="N", help="Digits behind the point."),
]


@app.callback(
    no_args_is_help=True,
    epilog=epilog("datavc metrics show", "datavc metrics diff", "datavc help metrics"),
)
def metrics() -> None:
    """Show the numbers that runs left, and compare them."""


@app.command(epilog=epilog("datavc metrics show -T", "datavc metrics show results.json"))
def show(
    ctx: typer.Context,
    targets: Files = None,
    all_branches: AllBranches = False,
    all_tags: AllTags = False,
    all_commits: AllCommits = False,
    recursive: Folders = False,
    markdown: Markdown = False,
    precision: Precision = numbers.PRECISION,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show the metrics of the workspace, and of other versions beside it."""
    with session(ctx, json=json, quiet=quiet) as out:
        scope = Scope(all_branches, all_tags, all_commits)
        shown = verb.show(out.repo, tuple(targets or ()), scope)
        out.finish(shown, lambda found: _shown(found, precision, markdown=markdown))


def _shown(found: Shown, precision: int, *, markdown: bool) -> Iterable[str]:
    versions = [(version.moment.name, version.values) for version in found.versions]
    rows = [
        (name, file, {key: numbers.number(value, precision) for key, value in keys.items()})
        for name, values in versions
        for file, keys in verb.keys(values).items()
    ]
    if not any(keys for _, _, keys in rows):
        return ["No metrics: declare files under `metrics:` in datavc.yaml, or name them here"]
    if found.alone:
        lines = ((file, key, value) for _, file, keys in rows for key, value in keys.items())
        return numbers.table(("Path", "Metric", "Value"), lines, markdown=markdown)
    columns = sorted({key for _, _, keys in rows for key in keys})
    wide = ((n, f, *(keys.get(c, numbers.NOTHING) for c in columns)) for n, f, keys in rows)
    return numbers.table(("Revision", "Path", *columns), wide, markdown=markdown)


@app.command(epilog=epilog("datavc metrics diff", "datavc metrics diff v1 v2 --md"))
def diff(
    ctx: typer.Context,
    a: Old = None,
    b: New = None,
    targets: Named = None,
    recursive: Folders = False,
    everything: Everything = False,
    markdown: Markdown = False,
    no_path: NoPath = False,
    precision: Precision = numbers.PRECISION,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare the metrics of two revisions, or of one with the workspace."""
    with session(ctx, json=json, quiet=quiet) as out:
        named = tuple(targets or ())
        compared = verb.diff(out.repo, (a, b), named, unchanged=everything)
        out.finish(
            compared,
            lambda found: (
                numbers.table(*_compared(found, precision, no_path=no_path), markdown=markdown)
                if found.deltas
                else ["No differences"]
            ),
        )


def _compared(
    found: Compared, precision: int, *, no_path: bool
) -> tuple[list[str], Iterator[list[str]]]:
    first = 1 if no_path else 0
    columns = ["Path", "Metric", found.old, found.new, "Change"]
    rows = (
        [
            file,
            key,
            numbers.number(delta.old, precision),
            numbers.number(delta.new, precision),
            numbers.signed(delta.change, precision),
        ][first:]
        for file, deltas in found.deltas.items()
        for key, delta in deltas.items()
    )
    return columns[first:], rows
