"""What an executor is: it takes actions, and says how each one ended.

`local` runs them on this machine; another place is one more class with the same three verbs.
An action is fully resolved: nothing in it is looked up again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple, Protocol

GRACE_S = 5.0
"""Seconds between asking a stage's processes to end (TERM) and ending them (KILL)."""

LIST = "list:"
"""Stands before a path of which folders may be listed, but no file read: no absolute path does."""


class Confinement(NamedTuple):
    """What a stage may touch: absolute paths; a directory stands for all below it.

    `read` may be read and executed, `write` also changed and made anew. Of a path in `read` that
    stands behind `LIST`, only the names in its folders may be read. Paths that are not there are
    left out.
    """

    read: tuple[str, ...]
    write: tuple[str, ...]


class Action(NamedTuple):
    """Commands to run, one after the other, each in its own shell; the first failure ends it.

    `folder` and `log` are absolute; the log is written anew. `environment` is added to this
    process's own. With `terminal` the commands have the terminal, where datavc itself has one:
    only one such action may run at a time, and nobody else may write to the terminal meanwhile.
    `timeout_s` is for all commands together.
    """

    stage: str
    commands: tuple[str, ...]
    folder: str
    environment: Mapping[str, str]
    log: str
    shell: tuple[str, ...]
    timeout_s: float | None = None
    terminal: bool = False
    confine: Confinement | None = None


class Ended(NamedTuple):
    """How an action ended; it went well if `succeeded`.

    Exactly one of `exit_code` and `signal` is set for a command that ended; neither, if none was
    started. `interrupted` tells that somebody pressed Ctrl-C in its terminal and it failed.
    `note` says in a few words what neither number says ("timed out after 5 s").
    """

    stage: str
    exit_code: int | None
    signal: int | None
    seconds: float
    timed_out: bool = False
    interrupted: bool = False
    failed_command: str | None = None
    note: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether every command ended with 0, in time."""
        return self.exit_code == 0 and self.failed_command is None


class Executor(Protocol):
    """Where actions run. The names of the actions that run at the same time are unique."""

    def submit(self, action: Action) -> None:
        """Start `action`; returns at once."""

    def wait(self, timeout_s: float | None = None) -> list[Ended]:
        """Return what has ended, at least one; empty after `timeout_s`, or if nothing runs."""

    def stop(self, grace_s: float = GRACE_S) -> list[Ended]:
        """End all that runs, every process of it, and return how it ended."""

    def close(self) -> None:
        """Let go of everything; what still runs is ended."""


def default_shell() -> tuple[str, ...]:
    """Return the words that stand before a command: bash without its start files, else sh."""
    for folder in os.get_exec_path():
        bash = os.path.join(folder, "bash")
        if os.path.isabs(bash) and os.access(bash, os.X_OK):
            return bash, "--norc", "--noprofile", "-c"
    return "/bin/sh", "-c"
