"""`datavc list`, also `datavc ls`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli import render
from datavc.cli.context import session
from datavc.cli.options import Json, Quiet, Rev, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.core.errors import UsageError
from datavc.verbs import list_files as verb
from datavc.verbs.list_files import ListedFile, ListOptions, ListResult

app = command_app()


@app.command(
    "list",
    epilog=epilog(
        "datavc list -R --tracked", "datavc list images --size --rev v1", codes=(0, 1, 2, 4)
    ),
)
def list_files(
    ctx: typer.Context,
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FOLDER] [PATH]", help="A path; also a folder and a path in it."),
    ] = None,
    rev: Rev = None,
    recursive: Annotated[
        bool, typer.Option("-R", "--recursive", help="All files, at any depth.")
    ] = False,
    tree: Annotated[
        bool, typer.Option("-T", "--tree", help="Folders and files as a tree.")
    ] = False,
    level: Annotated[
        int | None, typer.Option("-L", "--level", min=1, metavar="N", help="N levels deep.")
    ] = None,
    tracked: Annotated[
        bool, typer.Option("--tracked", "--dvc-only", help="Data that datavc tracks, alone.")
    ] = False,
    size: Annotated[bool, typer.Option("--size", help="Show sizes.")] = False,
    show_hash: Annotated[bool, typer.Option("--show-hash", help="Show digests.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """List what Git tracks and what datavc tracks, side by side.

    Nothing is fetched: names, sizes and digests are known without the data.
    """
    if len(places or ()) > 2:
        raise UsageError("list takes one path, or a folder and a path in it")
    depth = level if level or recursive or tree else 1
    options = ListOptions(rev=rev, level=depth, folders=tree or not recursive, tracked=tracked)
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        result = verb.list_files(out.repo, places or (), options)
        out.finish(result, lambda r: _draw(r, tree=tree, size=size, show_hash=show_hash))


def _draw(result: ListResult, *, tree: bool, size: bool, show_hash: bool) -> Iterable[str]:
    names = _branches(result.files) if tree else [listed.path for listed in result.files]
    rows = []
    for listed, name in zip(result.files, names, strict=True):
        row = [listed.digest or "-"] if show_hash else []
        row += ["-" if listed.size is None else render.size(listed.size)] if size else []
        rows.append([*row, name])
    return render.table(rows)


def _branches(files: list[ListedFile]) -> list[str]:
    """Return each file's own name behind the lines of a tree; `files` come folder by folder."""
    last: dict[str, str] = {}
    for listed in files:
        last[listed.path.rpartition("/")[0]] = listed.path
    names = []
    for listed in files:
        parts = listed.path.split("/")
        lines = ""
        for depth in range(1, len(parts) + 1):
            is_last = last["/".join(parts[: depth - 1])] == "/".join(parts[:depth])
            corner = "└── " if is_last else "├── "
            lines += corner if depth == len(parts) else "    " if is_last else "│   "
        names.append(lines + parts[-1])
    return names
