"""`datavc data status`: the name under which users of other tools know `status`."""

from __future__ import annotations

from datavc.cli.commands import status
from datavc.cli.framing import framed
from datavc.cli.options import command_app
from datavc.cli.pages import epilog

app = command_app()


@app.callback(no_args_is_help=True, epilog=epilog("datavc data status --granular"))
def data() -> None:
    """`datavc data status` answers as `datavc status`."""


framed(status.COMMAND, app)
