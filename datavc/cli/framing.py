"""Framing: what the command line library makes of a command that was declared without it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, get_type_hints

import typer
from typer._click.core import Context
from typer.core import TyperCommand

from datavc.cli import options
from datavc.cli.declared import Declared
from datavc.cli.options import command_app


def framed(declared: Declared, into: typer.Typer | None = None) -> typer.Typer:
    """Return the frame of the command, or put it `into` a group of them."""
    function = declared.function
    names = {
        **vars(options),
        **vars(sys.modules[function.__module__]),
        "Annotated": Annotated,
        "Caller": typer.Context,
        "typer": typer,
    }
    function.__annotations__ = get_type_hints(function, names, include_extras=True)
    frame = into or command_app()
    kind = prepared(declared.prepare) if declared.prepare else TyperCommand
    frame.command(cls=kind, epilog=declared.epilog)(function)
    return frame


def prepared(prepare: Callable[[list[str]], None]) -> type[TyperCommand]:
    """Return a kind of command that lets `prepare` change its words before it understands them."""

    class Prepared(TyperCommand):
        def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
            prepare(args)
            return super().parse_args(ctx, args)

    return Prepared
