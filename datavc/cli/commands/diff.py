"""`datavc diff`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from datavc.cli import render
from datavc.cli.context import session
from datavc.cli.declared import Caller, Declared
from datavc.cli.ending import Exit
from datavc.cli.pages import epilog
from datavc.core import digest as digests
from datavc.verbs import diff as verb
from datavc.verbs.diff import DiffEntry, DiffOptions, DiffResult

if TYPE_CHECKING:
    from typing import Annotated

    import typer

    from datavc.cli.options import Json, Quiet, Verbose

DIFFERENCES = 7
KINDS = ("added", "deleted", "modified", "renamed", "not_in_cache")


def diff(
    ctx: Caller,
    a: Annotated[
        str | None, typer.Argument(metavar="[A]", show_default=False, help="A revision (HEAD).")
    ] = None,
    b: Annotated[
        str | None,
        typer.Argument(metavar="[B]", show_default=False, help="A revision (the workspace)."),
    ] = None,
    targets: Annotated[
        list[str] | None, typer.Option("--targets", metavar="PATH", help="Only what is below.")
    ] = None,
    show_hash: Annotated[bool, typer.Option("--show-hash", help="Show digests.")] = False,
    markdown: Annotated[bool, typer.Option("--md", help="Print a Markdown table.")] = False,
    hide_missing: Annotated[
        bool, typer.Option("--hide-missing", help="Leave out what is not in the cache.")
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 7 if anything differs.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Compare the data of two revisions, or of one with the workspace, file by file."""
    options = DiffOptions(a, b, tuple(targets or ()), show_hash)
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        result = verb.diff(out.repo, options, progress=out.progress)
        if hide_missing:
            result.not_in_cache.clear()
        out.finish(result, _markdown if markdown else _draw)
        if exit_code and result.differs:
            raise Exit(DIFFERENCES)


COMMAND = Declared(
    diff, epilog("datavc diff", "datavc diff v1 v2 --targets images --md", codes=(0, 1, 2, 7))
)


def _draw(result: DiffResult) -> Iterable[str]:
    for kind in KINDS:
        entries: list[DiffEntry] = getattr(result, kind)
        if entries:
            yield f"{kind.replace('_', ' ').capitalize()}:"
            rows = [("  " + _path(entry), *_hashes(entry, result.show_hash)) for entry in entries]
            yield from render.table(rows)
    if not any(getattr(result, kind) for kind in KINDS):
        yield "No differences, except for the warnings" if result.warnings else "No differences"


def _markdown(result: DiffResult) -> Iterable[str]:
    columns = ["Status", "Hash", "Path"] if result.show_hash else ["Status", "Path"]
    rows = [
        [
            kind.replace("_", " "),
            *_hashes(entry, result.show_hash),
            _path(entry).replace("|", "\\|"),
        ]
        for kind in KINDS
        for entry in getattr(result, kind)
    ]
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    yield _row(columns, widths)
    yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    for row in rows:
        yield _row(row, widths)


def _row(cells: list[str], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _path(entry: DiffEntry) -> str:
    return f"{entry.old_path} -> {entry.path}" if entry.old_path is not None else entry.path


def _hashes(entry: DiffEntry, shown: bool) -> list[str]:
    if not shown:
        return []
    sides = [
        digests.short(digests.Digest(side)) if digests.is_digest(side) else str(side)
        for side in (entry.old, entry.new)
        if side is not None
    ]
    return ["..".join(sides)]
