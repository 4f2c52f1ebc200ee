"""Git settings: the few of a repository's own that datavc writes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

SETTINGS = ("merge.datavc.name", "merge.datavc.driver", "merge.datavc.recursive")
"""The keys that may be written."""


class Ask(Protocol):
    """Puts a question to Git."""

    def __call__(self, *args: str, ok: Sequence[int]) -> bytes:
        """Return what Git prints, if it ends with one of the codes `ok`."""


class GitSettings(NamedTuple):
    """Reads and writes `SETTINGS`; `walk` runs a command that changes something."""

    ask: Ask
    walk: Callable[[Sequence[str]], bytes]

    def get(self, key: str) -> str | None:
        """Return a value, None if it is not set."""
        out = self.ask("config", "--local", "-z", "--get", _checked(key), ok=(0, 1))
        return os.fsdecode(out.rstrip(b"\0")) if out else None

    def set(self, key: str, value: str) -> None:
        """Write a value."""
        self.walk(["config", "--local", "--replace-all", "--end-of-options", _checked(key), value])

    def unset(self, key: str) -> None:
        """Remove a value; one that is not there is passed over."""
        self.ask("config", "--local", "--unset-all", _checked(key), ok=(0, 5))


def _checked(key: str) -> str:
    if key not in SETTINGS:
        raise ValueError(f"{key} is not a setting that datavc touches")
    return key
