"""What must never be printed or written down: secrets of settings, environment and arguments."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress

from datavc.cli import render
from datavc.core.errors import DatavcError, NotARepository
from datavc.repo import config_files, config_remotes, layout

STARS = config_remotes.HIDDEN
SHORTEST = 4
"""Characters of a secret below which it is not looked for."""

_SECRET_WORDS = ("SECRET", "TOKEN", "PASSW", "CREDENTIAL", "PRIVATE", "_KEY", "CONNECTION_STRING")


def secrets(arguments: list[str]) -> frozenset[str]:
    """Return what may be a secret here; `arguments` are those of the command line."""
    found = {*_typed(arguments), *_set_in_files(), *_in_environment()}
    return frozenset(secret for secret in found if len(secret) >= SHORTEST)


def hidden(text: str, known: Iterable[str]) -> str:
    """Return `text` with stars in place of each of the secrets `known`."""
    for secret in sorted(known, key=len, reverse=True):
        text = text.replace(secret, STARS)
    return text


def listen(level: str, arguments: list[str]) -> None:
    """Print log lines of ours, and from `level` on of every library, without what is secret."""
    import logging

    class Formatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            text = hidden(super().format(record), known)
            return "\n".join(map(render.display, text.split("\n")))

    known = secrets(arguments)
    lines = logging.StreamHandler()
    lines.setFormatter(Formatter("%(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[lines])
    logging.getLogger("datavc").setLevel(logging.DEBUG)


def _typed(arguments: list[str]) -> Iterator[str]:
    if "modify" in arguments:
        yield from arguments[arguments.index("modify") + 3 :]
    if "config" in arguments:
        yield from arguments[arguments.index("config") + 2 :]
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals and name.startswith("remote."):
            yield value
        yield from _in_address(argument)


def _in_environment() -> Iterator[str]:
    for name, value in os.environ.items():
        if any(word in name for word in _SECRET_WORDS) or name.startswith("DATAVC_REMOTE_"):
            yield value


def _set_in_files() -> Iterator[str]:
    project = None
    with suppress(NotARepository, OSError):
        project = layout.find(os.getcwd())
    for level, file in config_files.files(project).items():
        with suppress(DatavcError):
            for name, value in config_files.read_layer(level, file, check=False).values.items():
                with suppress(DatavcError):
                    if config_remotes.is_secret(name):
                        yield str(value)
                yield from _in_address(str(value))


def _in_address(text: str) -> Iterator[str]:
    """Yield the password in a URL, if it has one."""
    if config_remotes.shown("", text) != text:
        yield text.partition("://")[2].rpartition("@")[0].partition(":")[2]
