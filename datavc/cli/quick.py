"""Quick: runs the commands of every day without importing the command line library.

That takes 45 ms, a third of what `datavc status` has to do. Which words a command understands is
not stated a second time: `quick_table.py` is written from the same declarations, and a test fails
where the two differ. What the table does not hold (help, mistakes, a short option and its value or
others in one word, a value that looks like an option) is left to the library, so every message is
its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib import import_module

from datavc.cli.declared import FLAG, NUMBER, Quick
from datavc.cli.ending import Exit, end_on_terminate
from datavc.cli.globals import COMPLETING, Globals
from datavc.cli.quick_table import TABLE

Parameters = dict[str, object]

_NUMBER = re.compile("[1-9][0-9]{0,8}")


class _NothingBefore:
    """A command line without options before the command's name."""

    def find_object(self, object_type: type[Globals]) -> Globals | None:
        """Return None: there are none."""


def run(arguments: list[str]) -> int | None:
    """Run one command line and return its exit code; None if it must be left to the library.

    Raises:
        DatavcError: the command cannot do it.
    """
    if not arguments or COMPLETING in os.environ:
        return None
    command = TABLE.get(arguments[0])
    parameters = None if command is None else parse(command, arguments[1:])
    if parameters is None:
        return None
    end_on_terminate()
    declared = import_module(f"datavc.cli.commands.{arguments[0]}").COMMAND
    try:
        declared.function(_NothingBefore(), **parameters)
    except Exit as stop:
        return stop.code
    return 0


def parse(command: Quick, words: list[str]) -> Parameters | None:
    """Return what `words` set, None if anything about them is out of the ordinary."""
    found: Parameters = {}
    targets: list[str] = []
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            targets.append(word)
        elif not _take(command, word, rest, found):
            return None
    if targets and command.targets:
        found[command.targets] = targets
        return found
    return None if targets or command.needs_target else found


def _take(command: Quick, word: str, rest: Iterator[str], found: Parameters) -> bool:
    """Add what one option sets; False if it is not a plain one."""
    name, equals, value = word.partition("=")
    if name not in command.options or (equals and not name.startswith("--")):
        return False
    parameter, kind = command.options[name]
    if kind == FLAG:
        found[parameter] = True
        return not equals
    value = value if equals else next(rest, "")
    if not value or value.startswith("-"):
        return False
    if kind == NUMBER and _NUMBER.fullmatch(value) is None:
        return False
    found[parameter] = int(value) if kind == NUMBER else value
    return True
