"""Declared: a command as its module states it, for the command line library or without it.

The modules of the commands of every day import no typer. What their parameters are stands in the
annotations of one function, which are evaluated where the library is needed: for help, mistakes
and completion (`app.py`). `quick.py` calls the function without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from datavc.cli.globals import Globals


class Caller(Protocol):
    """What a command asks of the command line."""

    def find_object(self, object_type: type[Globals]) -> Globals | None:
        """Return the options that stood before the command's name, None if there were none."""


class Declared(NamedTuple):
    """A command's function and the end of its help page.

    `prepare` changes the list of the command's words in place, before they are understood.
    """

    function: Callable[..., None]
    epilog: str
    prepare: Callable[[list[str]], None] | None = None


FLAG, TEXT, NUMBER = "flag", "text", "number"
"""What an option takes: nothing, one word, or a number from 1 on."""


class Quick(NamedTuple):
    """Which words a command understands: option → parameter and what it takes.

    `targets` is the parameter of all other words, None if there is no such.
    """

    options: Mapping[str, tuple[str, str]]
    targets: str | None
    needs_target: bool
