"""Runs at the start of every Python of a traced stage: notes the files of the project it touches.

It belongs to the stage's Python, not to ours: any version since 3.8, none of our modules, and no
error of it may reach the stage. A note is a letter (r read, w written, l listed), the absolute
path and a NUL. Whatever `sitecustomize` the stage would have had is run afterwards.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

_USES = {
    "os.listdir": ("l", 0),
    "os.scandir": ("l", 0),
    "os.mkdir": ("w", 0),
    "os.rename": ("w", 1),
    "os.link": ("w", 1),
    "os.symlink": ("w", 1),
    "os.truncate": ("w", 0),
    "sqlite3.connect": ("r", 0),
}
"""Audit events by what they do to a path, and its position among their arguments."""

_MAY_WRITE = os.O_WRONLY | os.O_RDWR


class Notes:
    """A file that each use of a file of the project is noted in once."""

    def __init__(self, folder: str, root: str) -> None:
        """Open the file in `folder`; only what lies below `root` is noted."""
        name = os.path.join(folder, f"py.{os.getpid()}")
        self._fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._prefix = root.rstrip("/") + "/"
        self._seen: set[tuple[str, str]] = set()

    def take(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note what an audit event tells; an event that has another shape than ours is passed."""
        try:
            if event == "open":
                self._opened(*arguments)
            elif event in _USES:
                kind, position = _USES[event]
                path = "." if arguments[position] is None else arguments[position]
                if event != "os.mkdir" or not os.path.lexists(path):
                    self._note(kind, path)
        except (OSError, TypeError, ValueError):
            return

    def _opened(self, path: str | bytes | int, _mode: object, flags: int) -> None:
        if flags & os.O_ACCMODE != os.O_WRONLY and not flags & os.O_TRUNC:
            self._note("r", path)
        if flags & _MAY_WRITE:
            self._note("w", path)

    def _note(self, kind: str, path: str | bytes | os.PathLike[str] | int) -> None:
        if isinstance(path, int):
            return
        full = os.path.abspath(os.fsdecode(path))
        if full.startswith(self._prefix) and (kind, full) not in self._seen:
            self._seen.add((kind, full))
            os.write(self._fd, kind.encode() + os.fsencode(full) + b"\0")


def _run_the_next() -> None:
    """Run the `sitecustomize` that this one stands before."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    ours = sys.modules.pop("sitecustomize")
    try:
        importlib.import_module("sitecustomize")
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = ours


if "DATAVC_TRACE_TO" in os.environ:
    try:
        notes = Notes(os.environ["DATAVC_TRACE_TO"], os.environ["DATAVC_TRACE_ROOT"])
        sys.addaudithook(notes.take)
    except OSError as error:
        sys.stderr.write(f"datavc: this Python is not traced: {error}\n")
_run_the_next()
