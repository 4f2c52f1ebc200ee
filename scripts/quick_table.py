"""Prints the table of words that `datavc.cli.quick` understands, as the commands declare them."""

from __future__ import annotations

from importlib import import_module

import typer
from typer._click.core import Parameter
from typer._click.types import IntRange, StringParamType
from typer.core import TyperOption

from datavc.cli.framing import framed

COMMANDS = ("status", "add", "checkout", "push", "pull", "fetch", "commit", "diff", "repro")
HEAD = '''"""What the commands of every day understand. Written by `scripts/quick_table`."""

from __future__ import annotations

from datavc.cli.declared import FLAG, NUMBER, TEXT, Quick

TABLE = {
'''


def kind(param: Parameter) -> str | None:
    """Return what an option takes, None if it is more than the table can say."""
    if not isinstance(param, TyperOption) or param.multiple or param.count or param.secondary_opts:
        return None
    if param.is_eager or param.callback or param.envvar or param.prompt:
        return None
    if param.is_flag:
        return "FLAG"
    if isinstance(param.type, IntRange):
        return "NUMBER" if (param.type.min, param.type.max) == (1, None) else None
    return "TEXT" if isinstance(param.type, StringParamType) else None


def row(name: str) -> str:
    """Return the table's lines of one command."""
    declared = import_module(f"datavc.cli.commands.{name}").COMMAND
    params = typer.main.get_command(framed(declared)).params
    options = {
        word: f'("{param.name}", {takes})'
        for param in params
        if (takes := kind(param))
        for word in param.opts
    }
    arguments = [param for param in params if not isinstance(param, TyperOption)]
    lists = [param for param in arguments if param.nargs == -1]
    targets = lists[0].name if lists and len(arguments) == 1 else None
    needs = any(param.required for param in arguments)
    lines = "".join(f'"{word}": {takes},\n' for word, takes in options.items())
    return f'"{name}": Quick({{\n{lines}}}, {targets and repr(targets)}, {needs}),\n'


def text() -> str:
    """Return the whole module, not formatted."""
    return HEAD + "".join(map(row, COMMANDS)) + "}\n"


if __name__ == "__main__":
    print(text(), end="")
