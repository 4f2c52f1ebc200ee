"""The report that a bug leaves behind, for a person to paste: versions, arguments, traceback."""

from __future__ import annotations

import os
import platform
import secrets
import shlex
import time
import traceback
from contextlib import suppress

from datavc import __version__
from datavc.cli import redact
from datavc.core.errors import NotARepository
from datavc.repo import layout


def _folder() -> str:
    """Return where reports go: to the project, unless a link there leads elsewhere."""
    with suppress(NotARepository, OSError):
        logs = layout.find(os.getcwd()).logs
        if os.path.realpath(logs) == logs:
            return logs
    import platformdirs

    return os.path.join(platformdirs.user_cache_dir("datavc", appauthor=False), "logs")


def _text(error: Exception, arguments: list[str]) -> str:
    lines = [
        f"datavc {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"arguments: {shlex.join(arguments)}",
        "",
        *traceback.format_exception(error),
    ]
    return redact.hidden("\n".join(lines), redact.secrets(arguments))


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
