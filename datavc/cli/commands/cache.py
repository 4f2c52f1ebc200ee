"""`datavc cache`: dir, info."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli import render
from datavc.cli.context import session
from datavc.cli.options import (
    Global,
    Json,
    Local,
    Project,
    Quiet,
    System,
    Unset,
    chosen_level,
    command_app,
)
from datavc.cli.pages import epilog
from datavc.verbs import cache as verb
from datavc.verbs import config as settings
from datavc.verbs.config import Place

LEFT_BEHIND = (
    "Objects stay in the folder before: copy what is in it, or `datavc fetch` brings them"
)

app = command_app()


@app.callback(
    no_args_is_help=True,
    epilog=epilog("datavc cache info", "datavc cache dir --local /data/shared-cache"),
)
def cache() -> None:
    """Where objects are kept, and how much there is."""


@app.command("dir", epilog=epilog("datavc cache dir --local /data/shared-cache", codes=(0, 1)))
def dir_(
    ctx: typer.Context,
    path: Annotated[str | None, typer.Argument(metavar="[PATH]", show_default=False)] = None,
    unset: Unset = False,
    local: Local = False,
    global_: Global = False,
    system: System = False,
    project: Project = False,
    quiet: Quiet = False,
) -> None:
    """Show where objects are kept, or choose another folder. Objects are not moved."""
    level = chosen_level(local, global_, system, project)
    with session(ctx, quiet=quiet) as out:
        place = Place(out.start, out.overrides, level)
        if unset:
            out.finish(settings.unset(place, "cache.dir"), lambda _: None)
        elif path is not None:
            out.finish(settings.change(place, "cache.dir", path), lambda _: [LEFT_BEHIND])
        else:
            out.finish(verb.folder(out.repo), lambda folder: [folder])


def _lines(info: verb.CacheInfo) -> Iterable[str]:
    return render.table(
        (
            ("Folder", info.dir),
            ("Objects", f"{info.objects:,}"),
            ("Size", render.size(info.bytes)),
            ("Link types", ", ".join(info.types)),
            ("Shared", "by a group" if info.shared else "no"),
        )
    )


@app.command(epilog=epilog("datavc cache info --json", codes=(0, 1)))
def info(ctx: typer.Context, json: Json = False, quiet: Quiet = False) -> None:
    """Show where objects are kept, how many there are, and how much space they take."""
    with session(ctx, json=json, quiet=quiet) as out:
        out.finish(verb.info(out.repo), _lines)
