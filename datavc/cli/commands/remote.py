"""`datavc remote`: add, list, modify, remove, rename, default, trust."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli import redact, render
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
from datavc.verbs import remote as verb
from datavc.verbs.config import Changed, Place, Value

app = command_app()

Name = Annotated[str, typer.Argument(metavar="NAME")]


@app.callback(
    no_args_is_help=True,
    epilog=epilog("datavc remote add -d storage s3://bucket/prefix", "datavc remote list"),
)
def remote() -> None:
    """Add, list, change and trust remotes."""


@app.command(epilog=epilog("datavc remote add -d storage s3://bucket/prefix", codes=(0, 1, 2)))
def add(
    ctx: typer.Context,
    name: Name,
    url: Annotated[str, typer.Argument(metavar="URL", help="s3://…, ssh://…, a folder, …")],
    default: Annotated[
        bool, typer.Option("-d", "--default", help="push and pull use it from here on.")
    ] = False,
    force: Annotated[
        bool, typer.Option("-f", "--force", help="Replace one of that name.")
    ] = False,
    local: Local = False,
    global_: Global = False,
    system: System = False,
    project: Project = False,
    quiet: Quiet = False,
) -> None:
    """Describe a new remote. A relative folder starts at the current one."""
    level = chosen_level(local, global_, system, project)
    with session(ctx, quiet=quiet) as out:
        place = Place(out.start, out.overrides, level)
        changed = verb.add(place, name, url, default=default, force=force)
        out.finish(
            changed, lambda _: _added(name, url, default, shared=level in (None, "project"))
        )


def _added(name: str, url: str, default: bool, *, shared: bool) -> Iterable[str]:
    shown = redact.hidden(url, redact.secrets([url]))
    yield f"Remote {name} is {shown}" + (" (default)" if default else "")
    if shared:
        yield "Next: `git commit .datavc/config.toml`, then `datavc push`"


def _rows(listing: verb.Listing) -> Iterable[str]:
    return render.table(
        (
            row.name,
            row.url,
            "(default)" if row.default else "",
            "" if row.trusted else "(not trusted)",
        )
        for row in listing.rows
    )


@app.command("list", epilog=epilog("datavc remote list", codes=(0, 1)))
def list_(
    ctx: typer.Context,
    local: Local = False,
    global_: Global = False,
    system: System = False,
    project: Project = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List remotes with their addresses."""
    level = chosen_level(local, global_, system, project)
    with session(ctx, json=json, quiet=quiet) as out:
        out.finish(verb.listing(Place(out.start, out.overrides, level)), _rows)


@app.command(
    epilog=epilog(
        "datavc remote modify storage endpointurl https://s3.example.org",
        "datavc remote modify --local storage secret_access_key …",
    )
)
def modify(
    ctx: typer.Context,
    name: Name,
    option: Annotated[str, typer.Argument(metavar="OPTION")],
    value: Annotated[str | None, typer.Argument(metavar="VALUE", show_default=False)] = None,
    unset: Unset = False,
    local: Local = False,
    global_: Global = False,
    system: System = False,
    project: Project = False,
    quiet: Quiet = False,
) -> None:
    """Set an option of a remote; secrets need --local. `datavc help config` lists options."""
    level = chosen_level(local, global_, system, project)
    if unset == (value is not None):
        raise UsageError(f"remote modify needs a value for {option}, or --unset")
    with session(ctx, quiet=quiet) as out:
        place = Place(out.start, out.overrides, level)
        out.finish(verb.modify(place, name, option, value), lambda _: None)


@app.command(epilog=epilog("datavc remote remove storage", codes=(0, 1)))
def remove(
    ctx: typer.Context,
    name: Name,
    local: Local = False,
    global_: Global = False,
    system: System = False,
    project: Project = False,
    quiet: Quiet = False,
) -> None:
    """Forget a remote. The data there stays as it is."""
    level = chosen_level(local, global_, system, project)
    with session(ctx, quiet=quiet) as out:
        removed = verb.remove(Place(out.start, out.overrides, level), name)
        out.finish(removed, lambda _: [f"Remote {name} is forgotten; its data stay"])


@app.command(epilog=epilog("datavc remote rename storage archive", codes=(0, 1)))
def rename(
    ctx: typer.Context,
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW")],
    local: Local = False,
    global_: Global = False,
    system: System = False,
    project: Project = False,
    quiet: Quiet = False,
) -> None:
    """Give a remote another name."""
    level = chosen_level(local, global_, system, project)
    with session(ctx, quiet=quiet) as out:
        out.finish(verb.rename(Place(out.start, out.overrides, level), name, new), lambda _: None)


def _default(result: Value | Changed | None) -> Iterable[str]:
    if isinstance(result, Value):
        yield result.value


@app.command(epilog=epilog("datavc remote default storage", codes=(0, 1)))
def default(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", show_default=False)] = None,
    unset: Unset = False,
    local: Local = False,
    global_: Global = False,
    system: System = False,
    project: Project = False,
    quiet: Quiet = False,
) -> None:
    """Show the remote that push and pull use, or choose it."""
    level = chosen_level(local, global_, system, project)
    with session(ctx, quiet=quiet) as out:
        place = Place(out.start, out.overrides, level)
        out.finish(verb.default(place, name, unset=unset), _default)


@app.command(epilog=epilog("datavc remote trust storage", codes=(0, 1)))
def trust(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", show_default=False)
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Agree to remotes that came with a clone, as they are described now; all if none is named."""
    with session(ctx, quiet=quiet) as out:
        agreed = verb.trust(Place(out.start, out.overrides), names or ())
        out.finish(
            agreed,
            lambda found: (
                [f"Trusted: {each}" for each in found.remotes] or ["Nothing to agree to"]
            ),
        )
