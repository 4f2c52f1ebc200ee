"""The report that a bug leaves behind, for a person to paste: versions, arguments, traceback."""

from __future__ import annotations

import os
import platform
import secrets
import shlex
import time
import traceback
from collections.abc import Iterable

from datavc import __version__
from datavc.core.errors import NotARepository
from datavc.repo import config_remotes, layout

_SECRET_WORDS = ("SECRET", "TOKEN", "PASSW", "CREDENTIAL", "PRIVATE", "_KEY", "CONNECTION_STRING")
_STARS = config_remotes.HIDDEN
SHORTEST = 4
"""Characters of a secret below which it is not looked for in the traceback."""


def _folder() -> str:
    try:
        return layout.find(os.getcwd()).logs
    except (NotARepository, OSError):
        import platformdirs

        return os.path.join(platformdirs.user_cache_dir("datavc", appauthor=False), "logs")


def _secrets(arguments: list[str]) -> Iterable[str]:
    """Yield what may be a secret on the command line or in the environment."""
    if "modify" in arguments:
        yield from arguments[arguments.index("modify") + 3 :]
    if "config" in arguments:
        yield from arguments[arguments.index("config") + 2 :]
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals and name.startswith("remote."):
            yield value
        if config_remotes.shown("", argument) != argument:
            yield argument.partition("://")[2].partition("@")[0].partition(":")[2]
    for name, value in os.environ.items():
        if any(word in name for word in _SECRET_WORDS) or name.startswith("DATAVC_REMOTE_"):
            yield value


def _text(error: Exception, arguments: list[str]) -> str:
    lines = [
        f"datavc {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"arguments: {shlex.join(arguments)}",
        "",
        *traceback.format_exception(error),
    ]
    text = "\n".join(lines)
    for secret in sorted(set(_secrets(arguments)), key=len, reverse=True):
        if len(secret) >= SHORTEST:
            text = text.replace(secret, _STARS)
    return text


def report(error: Exception, arguments: list[str]) -> str:
    """Write the report and return the one sentence that names it."""
    name = f"crash-{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(2)}.txt"
    what = f"datavc met a bug ({type(error).__name__})"
    try:
        folder = _folder()
        os.makedirs(folder, mode=0o700, exist_ok=True)
        file = os.path.join(folder, name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(file, flags, 0o600), "w", encoding="utf-8", errors="replace") as stream:
            stream.write(_text(error, arguments))
    except OSError as failure:
        return f"{what}, and its report cannot be written: {failure.strerror}"
    return f"{what}; {file} says what a report of it needs"
