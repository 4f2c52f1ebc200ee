"""Stages as processes of this machine.

datavc talks to one launcher; the launcher forks a supervisor for each stage; the supervisor alone
starts, kills and reaps. Nothing here forks, has a thread or handles a signal. What holds when
something is killed with KILL: datavc, every stage ends at once; the launcher, likewise; a
supervisor, its stage ends and is reported. Only all of them at the same moment leave something.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import datavc
from datavc.core.errors import PathError
from datavc.pipeline.executors import wire
from datavc.pipeline.executors.base import GRACE_S, Action, Ended
from datavc.pipeline.executors.lines import Follower
from datavc.pipeline.executors.wire import Order, Outcome

OnLine: TypeAlias = Callable[[str, str], None]
"""Is given a stage's name and one line of its output."""

_TICK_S = 0.05
"""How long a line may wait until it is shown."""

_SOCKET = 3
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from datavc.pipeline.executors.launcher import main; main(int(sys.argv[2]))"
)
_STOP_PATIENCE_S = 15.0
_NOT_FOUND, _CANNOT_EXECUTE, _BY_SIGNAL = 127, 126, 128
"""Exit codes of a shell (POSIX, 2.8.2)."""


class LocalExecutor:
    """Runs actions as processes here. Lines go to `on_line` while `wait` waits."""

    def __init__(self, on_line: OnLine | None = None) -> None:
        """Hand the output of actions without a terminal to `on_line`, besides their logs."""
        self._on_line = on_line
        self._actions: dict[int, Action] = {}
        self._followers: dict[int, Follower] = {}
        self._settings: dict[int, list[Any]] = {}
        self._next_id = 0
        self._pid = 0
        self._fd = -1

    def prepare(self) -> None:
        """Start the launcher, so that the first stage need not wait for it (some 40 ms)."""
        if self._pid:
            return
        import socket

        _open_streams()
        ours, theirs = socket.socketpair()
        self._pid = _spawn(theirs.fileno())
        theirs.close()
        self._fd = ours.detach()
        self._reader = wire.Reader(self._fd)

    def submit(self, action: Action) -> None:
        """Start `action`; returns at once.

        Raises:
            PathError: its log cannot be written.
        """
        self.prepare()
        _begin(action.log)
        self._next_id += 1
        order = _order(self._next_id, action)
        self._actions[order.id] = action
        if order.terminal and order.keys:
            self._settings[order.id] = termios.tcgetattr(0)
        if self._on_line and not order.terminal:
            self._followers[order.id] = Follower(action.log)
        with contextlib.suppress(BrokenPipeError):  # `wait` finds that the launcher is gone
            wire.send(self._fd, (wire.RUN, *order))

    def wait(self, timeout_s: float | None = None) -> list[Ended]:
        """Return what has ended, at least one; empty after `timeout_s`, or if nothing runs."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while self._actions:
            self._follow()
            patience = None if deadline is None else max(0.0, deadline - time.monotonic())
            if self._followers:
                patience = min(_TICK_S, patience if patience is not None else _TICK_S)
            if select.select([self._fd], [], [], patience)[0]:
                if ended := self._read():
                    return ended
            elif deadline is not None and time.monotonic() >= deadline:
                break
        return []

    def stop(self, grace_s: float = GRACE_S) -> list[Ended]:
        """End all that runs, every process of it, and return how it ended."""
        ended: list[Ended] = []
        if not self._actions:
            return ended
        with contextlib.suppress(BrokenPipeError):
            wire.send(self._fd, (wire.STOP, float(grace_s)))
        deadline = time.monotonic() + grace_s + _STOP_PATIENCE_S
        while self._actions and (left := deadline - time.monotonic()) > 0:
            ended += self.wait(left)
        return ended

    def close(self) -> None:
        """Let the launcher go; what still runs is ended before this returns."""
        if self._pid:
            os.close(self._fd)
            os.waitpid(self._pid, 0)
            self._pid, self._fd = 0, -1

    def _read(self) -> list[Ended]:
        try:
            messages = self._reader.read()
        except ConnectionResetError:
            messages = None
        if messages is None:
            self.close()
            return [self._ended(wire.lost(id)) for id in list(self._actions)]
        return [self._ended(Outcome(*message)) for message in messages]  # type: ignore[arg-type]

    def _ended(self, outcome: Outcome) -> Ended:
        action = self._actions.pop(outcome.id)
        if follower := self._followers.pop(outcome.id, None):
            self._tell(action.stage, follower.read(ended=True))
        if settings := self._settings.pop(outcome.id, None):  # its supervisor may have been killed
            with contextlib.suppress(termios.error):
                termios.tcsetattr(0, termios.TCSANOW, settings)
        return Ended(
            stage=action.stage,
            exit_code=outcome.exit_code,
            signal=outcome.signal,
            seconds=outcome.seconds,
            timed_out=outcome.timed_out,
            interrupted=outcome.interrupted,
            failed_command=action.commands[outcome.failed] if outcome.failed >= 0 else None,
            note=_note(action, outcome),
        )

    def _follow(self) -> None:
        for id, follower in self._followers.items():
            self._tell(self._actions[id].stage, follower.read())

    def _tell(self, stage: str, lines: list[str]) -> None:
        if self._on_line:
            for line in lines:
                self._on_line(stage, line)


def _spawn(socket: int) -> int:
    """Start the launcher with our streams and its socket; signals wait until it is ready."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(datavc.__file__)))
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", "-c", _START, root, str(_SOCKET)],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, socket, _SOCKET)],
        setsigmask=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT],
    )


def _open_streams() -> None:
    """Open the streams that our caller closed, lest a file of ours be taken for one."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _begin(log: str) -> None:
    try:
        os.makedirs(os.path.dirname(log), exist_ok=True)
        os.close(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666))
    except OSError as error:
        raise PathError(f"{log} cannot be written: {error.strerror}") from error


def _order(id: int, action: Action) -> Order:
    terminal = action.terminal and _owns_terminal()
    typed = os.isatty(0)
    return Order(
        id=id,
        commands=action.commands,
        folder=action.folder,
        environment=dict(action.environment),
        log=action.log,
        shell=action.shell,
        timeout_s=action.timeout_s,
        terminal=terminal,
        keys=typed if terminal else action.terminal and not typed,
        confine=None if action.confine is None else (action.confine.read, action.confine.write),
    )


def _owns_terminal() -> bool:
    """Tell whether we write to a terminal, and are not in its background."""
    try:
        return os.isatty(1) and os.tcgetpgrp(1) == os.getpgrp()
    except OSError:
        return False


def _note(action: Action, outcome: Outcome) -> str:
    """What the numbers alone do not say."""
    if outcome.timed_out:
        return f"timed out after {action.timeout_s:g} s"
    if outcome.note or outcome.interrupted:
        return outcome.note or "interrupted"
    if outcome.signal is not None:
        return f"ended by {_signal_name(outcome.signal)}"
    if outcome.exit_code is None:
        return ""
    if outcome.exit_code > _BY_SIGNAL and (name := _signal_name(outcome.exit_code - _BY_SIGNAL)):
        return f"a program in it was ended by {name}"
    return {_NOT_FOUND: "command not found", _CANNOT_EXECUTE: "command cannot be executed"}.get(
        outcome.exit_code, ""
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}" if number < signal.NSIG else ""
