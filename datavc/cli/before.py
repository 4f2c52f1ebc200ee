"""The options that stand before any command."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from datavc import __version__
from datavc.cli.globals import Globals
from datavc.cli.options import Quiet, Verbose
from datavc.core.errors import UsageError


def _settings(pairs: list[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"-c {pair} is not KEY=VALUE", "for example `-c core.jobs=4`")
        found[key] = value
    return found


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def _change_folder(folder: str) -> str:
    if folder:
        os.chdir(folder)
    return folder


Folder = Annotated[
    str,
    typer.Option(
        "--cd", metavar="DIR", callback=_change_folder, help="Work as if started in DIR."
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("-c", metavar="KEY=VALUE", help="Set a setting for this command."),
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Fail at once if another datavc is at work.")
]
Version = Annotated[
    bool,
    typer.Option(
        "-V", "--version", is_eager=True, callback=_show_version, help="Print the version."
    ),
]


def before_command(
    ctx: typer.Context,
    setting: Settings = None,
    cd: Folder = "",
    no_wait: NoWait = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
    version: Version = False,
) -> None:
    """Versions of data, kept with Git."""
    overrides = _settings(setting or [])
    if no_wait:
        overrides["core.lock_timeout"] = "0"
    ctx.obj = Globals(overrides, quiet=quiet, verbose=verbose)
