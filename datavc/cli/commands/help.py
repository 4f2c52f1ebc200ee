"""`datavc help`."""

from __future__ import annotations

import pydoc
import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli import render
from datavc.cli.context import session
from datavc.cli.options import Json, command_app
from datavc.cli.pages import epilog
from datavc.verbs import help as verb

app = command_app()


def _topics(topics: Iterable[verb.Topic]) -> Iterable[str]:
    yield "`datavc help TOPIC` shows a page, `datavc COMMAND --help` what a command takes."
    yield ""
    yield from render.table(topics)


def _page(page: verb.Page) -> Iterable[str] | None:
    """Show a page as it is: through the pager on a terminal, plain elsewhere."""
    if sys.stdout.isatty():
        pydoc.pager(page.text)
        return None
    return page.text.splitlines()


@app.command("help", epilog=epilog("datavc help questions", "datavc help config", codes=(0, 2)))
def help_(
    ctx: typer.Context,
    topic: Annotated[str | None, typer.Argument(metavar="[TOPIC]", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Read the documentation; without a topic, list the topics."""
    with session(ctx, json=json) as out:
        found = verb.page(topic) if topic else verb.topics()
        if isinstance(found, verb.Page):
            out.finish(found, _page)
        else:
            out.finish(found, _topics)
