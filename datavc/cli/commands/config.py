"""`datavc config`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

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
from datavc.core.errors import UsageError
from datavc.verbs import config as verb
from datavc.verbs.config import Place, Value

app = command_app()

Listed = Annotated[bool, typer.Option("-l", "--list", help="Show everything that is set.")]
Origin = Annotated[bool, typer.Option("--show-origin", help="Show where it is set.")]
Name = Annotated[str | None, typer.Argument(metavar="[NAME]", show_default=False)]
NewValue = Annotated[str | None, typer.Argument(metavar="[VALUE]", show_default=False)]


def _lines(values: Iterable[Value], origin: bool, full: bool) -> Iterable[str]:
    for value in values:
        text = f"{value.name}={value.value}" if full else value.value
        yield f"{value.origin}\t{text}" if origin else text


@app.command(
    epilog=epilog(
        "datavc config cache.type hardlink,symlink",
        "datavc config --local remote.storage.profile me",
        "datavc config --list --show-origin",
        codes=(0, 1, 2),
    )
)
def config(
    ctx: typer.Context,
    name: Name = None,
    value: NewValue = None,
    unset: Unset = False,
    listed: Listed = False,
    show_origin: Origin = False,
    local: Local = False,
    global_: Global = False,
    system: System = False,
    project: Project = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show the setting NAME, or set it to VALUE. `datavc help config` lists all settings."""
    level = chosen_level(local, global_, system, project)
    with session(ctx, json=json, quiet=quiet) as out:
        place = Place(out.start, out.overrides, level)
        if listed:
            if name is not None or unset:
                raise UsageError("--list stands alone")
            out.finish(verb.listing(place), lambda all_: _lines(all_, show_origin, full=True))
        elif name is None:
            raise UsageError("config needs the name of a setting", "`datavc config --list`")
        elif unset or value is not None:
            if unset and value is not None:
                raise UsageError("--unset takes no value")
            changed = verb.unset(place, name) if value is None else verb.change(place, name, value)
            out.finish(changed, lambda _: None)
        else:
            found = verb.get(place, name)
            values = [found] if found else []
            out.finish(found, lambda _: _lines(values, show_origin, full=False))
