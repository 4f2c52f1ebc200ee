"""`datavc completion`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from typer._completion_shared import get_completion_script

from datavc.cli.context import session
from datavc.cli.options import command_app
from datavc.cli.pages import epilog
from datavc.core.errors import UsageError

app = command_app()


class Shell(StrEnum):
    """Shells that there is a script for."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"
    powershell = "powershell"


@app.command(
    epilog=epilog(
        "datavc completion bash > ~/.local/share/bash-completion/completions/datavc",
        'datavc completion zsh > "${fpath[1]}/_datavc"',
        "datavc completion fish > ~/.config/fish/completions/datavc.fish",
        codes=(0, 2),
    )
)
def completion(
    ctx: typer.Context,
    shell: Annotated[Shell | None, typer.Argument(show_default=False)] = None,
    named: Annotated[
        Shell | None, typer.Option("-s", "--shell", help="The shell, as an option.")
    ] = None,
) -> None:
    """Print the script that lets a shell complete commands and options."""
    chosen = shell or named
    if chosen is None:
        raise UsageError("completion needs a shell", "for example `datavc completion bash`")
    script = get_completion_script(
        prog_name="datavc", complete_var="_DATAVC_COMPLETE", shell=chosen.value
    )
    with session(ctx) as out:
        out.finish(script, lambda text: text.splitlines())
