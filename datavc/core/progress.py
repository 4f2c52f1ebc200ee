"""How long work reports itself; drawn by the terminal storey, silent by default."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Counts files and bytes of one phase after the other. Called from any thread."""

    def start(self, phase: str, files: int | None = None, size: int | None = None) -> None:
        """Begin a phase of `files` items and `size` bytes; None where that is not known yet."""

    def advance(self, files: int = 0, size: int = 0) -> None:
        """Count work that was done."""

    def say(self, message: str) -> None:
        """Tell the user one thing now: a lock that is waited for, a file that is read again."""


class _Silent:
    def start(self, phase: str, files: int | None = None, size: int | None = None) -> None:
        pass

    def advance(self, files: int = 0, size: int = 0) -> None:
        pass

    def say(self, message: str) -> None:
        pass


SILENT: Progress = _Silent()
