"""One stage's supervisor: starts its commands, copies their output, and ends all of its processes.

It is a process of its own, forked by the launcher, in a session of its own, and the parent of
whatever the stage leaves behind. It ends the stage when it is told to, when the time is up, and
when the launcher is gone. One stage done, it takes the next, unless something was left to run.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from typing import cast

from datavc.pipeline.executors import tree, wire
from datavc.pipeline.executors.copying import Log, Pipe
from datavc.pipeline.executors.starting import start
from datavc.pipeline.executors.terminal import Terminal
from datavc.pipeline.executors.wire import Order, Outcome

TICK_S = 0.25
"""How often the window's size and the clock are looked at while nothing else happens."""

_GRACE_S = 5.0
_LINGER_S = 3.0
"""What runs beside a command that ended well may finish in this time: `tee >(gzip > log.gz)`."""
_KILL_ROUND_S = 0.005
_KILL_PATIENCE_S = 10.0
"""A process that does not end by KILL in this time waits for a device; it is given up."""


class Supervisor:
    """The life of one order. The launcher may say stop; if it is gone, that means the same."""

    def __init__(self, order: Order, launcher: wire.Reader, wakeup: int) -> None:
        """Take the order; `wakeup` becomes readable when a child ended."""
        self._order = order
        self._launcher = launcher
        self._abandoned = False
        self._wakeup = wakeup
        self._started = time.monotonic()
        limit = order.timeout_s
        self._limit = None if limit is None else self._started + limit
        self._status: int | None = None
        self._groups: list[int] = []
        self._grace_s: float | None = None
        self._timed_out = False

    def run(self) -> Outcome:
        """Run the commands to their end and return how that was."""
        order = self._order
        try:
            os.chdir(order.folder)
            log = Log(order.log)
            kind = Terminal if order.terminal else Pipe
            self._output: Terminal | Pipe = kind(log, keys=order.keys)
        except OSError as error:
            return self._not_started(error)
        try:
            outcome = self._run_commands()
        except OSError as error:
            outcome = self._not_started(error)
        finally:
            self._output.drain()
            self._output.close()
            log.close()
        if log.lost:
            outcome = outcome._replace(note=f"the log is incomplete: {log.lost}")
        return outcome._replace(seconds=time.monotonic() - self._started)

    def stop(self, grace_s: float) -> None:
        """End everything from now on; said a second time, with no grace, it is done at once."""
        self._grace_s = grace_s

    def left_something(self) -> bool:
        """Tell whether processes of the stage go on, by their own wish."""
        return bool(self._everything())

    def _run_commands(self) -> Outcome:
        for position, command in enumerate(self._order.commands):
            self._status = None
            self._groups.append(start(self._order, command, self._output))
            self._pump_until(lambda: self._status is not None, None)
            if self._must_stop():
                self._end(self._everything, self._grace_s or 0.0)
            if self._status != 0 or self._grace_s is not None:
                self._end(self._background, _GRACE_S)
                return self._failure(position)
        return Outcome(self._order.id, exit_code=0, note=self._finish())

    def _finish(self) -> str:
        """Give what runs in the background time to finish, then end it and say so."""
        self._pump_until(self._is_alone_or_stopped, time.monotonic() + _LINGER_S)
        if not self._background():
            return ""
        self._end(self._background, _GRACE_S)
        return "what still ran in its background was ended"

    def _not_started(self, error: OSError) -> Outcome:
        return Outcome(self._order.id, failed=0, note=f"{error.filename}: {error.strerror}")

    def _failure(self, position: int) -> Outcome:
        code = None if self._status is None else os.waitstatus_to_exitcode(self._status)
        return Outcome(
            self._order.id,
            exit_code=code if code is not None and code >= 0 else None,
            signal=-code if code is not None and code < 0 else None,
            timed_out=self._timed_out,
            interrupted=self._output.interrupts > 0 and not self._timed_out,
            failed=position,
            note="stopped" if self._grace_s is not None else "",
        )

    def _must_stop(self) -> bool:
        """Tell whether to end everything: the launcher said so, the time is up, or Ctrl-C."""
        if self._grace_s is None:
            if self._limit is not None and time.monotonic() >= self._limit:
                self._timed_out, self._grace_s = True, _GRACE_S
            elif self._output.wants_stop():
                self._grace_s = _GRACE_S
        return self._grace_s is not None

    def _pump_until(self, over: Callable[[], bool], deadline: float | None) -> None:
        """Copy output and take notice of ended children until `over` or the deadline.

        Without a deadline, only until everything must stop.
        """
        while not over():
            if deadline is None and self._must_stop():
                return
            patience = self._patience(deadline if deadline is not None else self._limit)
            if patience <= 0:
                return
            watched = [self._wakeup, *self._output.readable()]
            if not self._abandoned:
                watched.append(self._launcher.fd)
            ready = select.select(watched, [], [], patience)[0]
            if self._wakeup in ready:
                os.read(self._wakeup, 4096)
                self._reap()
            if self._launcher.fd in ready:
                self._listen()
            self._output.pump(ready)

    def _listen(self) -> None:
        messages = self._launcher.read()
        self._abandoned = messages is None
        for _word, grace_s in messages or [(wire.STOP, 0.0)]:
            self.stop(cast(float, grace_s))

    @staticmethod
    def _patience(deadline: float | None) -> float:
        return TICK_S if deadline is None else min(TICK_S, deadline - time.monotonic())

    def _reap(self) -> None:
        for pid, status in tree.reap():
            if os.WIFSTOPPED(status):
                tree.send(signal.SIGCONT, [-pid])  # nobody else could wake it
            elif pid == self._groups[-1]:
                self._status = status

    def _end(self, which: Callable[[], list[int]], grace_s: float) -> None:
        """End processes: TERM, so much time, then KILL until none is left."""
        if not which():
            return
        tree.send(signal.SIGTERM, which())
        tree.send(signal.SIGCONT, which())
        self._pump_until(lambda: not which() or self._grace_s == 0, time.monotonic() + grace_s)
        patience = time.monotonic() + _KILL_PATIENCE_S
        while which() and time.monotonic() < patience:
            tree.send(signal.SIGKILL, which())
            self._pump_until(lambda: not which(), time.monotonic() + _KILL_ROUND_S)

    def _is_alone_or_stopped(self) -> bool:
        return self._grace_s is not None or not self._background()

    def _everything(self) -> list[int]:
        return tree.living(self._groups)

    def _background(self) -> list[int]:
        """What was left running beside the commands; what made its own session meant to stay."""
        return tree.living(self._groups, session=os.getpid())


def serve(fd: int) -> None:
    """Be a supervisor: follow the orders that come from the launcher at `fd` until it is gone."""
    os.setsid()
    tree.adopt_orphans()
    wakeup, _ = tree.wake_on_child()
    launcher = wire.Reader(fd)
    while (messages := launcher.read()) is not None:
        life = None
        for word, *rest in messages:
            if word == wire.RUN:
                life = Supervisor(Order(*rest), launcher, wakeup)  # type: ignore[arg-type]
            elif life:
                life.stop(cast(float, rest[0]))
        if life:
            outcome = life.run()
            retires = life.left_something()
            wire.send(fd, (retires, *outcome))
            if retires:
                break  # what goes on must not be taken for a part of the next stage
