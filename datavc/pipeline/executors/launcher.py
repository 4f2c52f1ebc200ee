"""The small process that starts every stage: datavc itself never forks, and never reaps.

One is started with the first stage and lives as long as datavc does. It forks a supervisor for
each stage: small, single-threaded and with everything imported, it does so in well under a
millisecond. When datavc ends, however it ends, its side of the socket closes: the launcher then
closes each supervisor's control pipe and so ends every stage. As the parent of last resort it
also ends what a supervisor that was killed left behind.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
from typing import cast

from datavc.pipeline.executors import tree, wire
from datavc.pipeline.executors.supervisor import Supervisor
from datavc.pipeline.executors.wire import Order, Outcome

_IGNORED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTTOU", "SIGTTIN", "SIGTSTP")
"""They are datavc's to answer: what follows from them comes through the socket."""


class Launcher:
    """The supervisors that run, by process id: their order's id and the way to stop them."""

    def __init__(self, socket: int) -> None:
        """Take orders from, and have outcomes sent to, `socket`."""
        self._socket = socket
        self._reader = wire.Reader(socket)
        self._running: dict[int, tuple[int, int]] = {}
        self._spared: set[int] = set()
        self._wakeup = _wake_on_child()

    def serve(self) -> None:
        """Follow orders until datavc is gone, then end what runs."""
        while self._take_orders():
            pass
        for _order, control in self._running.values():
            os.close(control)
        while self._running:
            select.select([self._wakeup], [], [])
            self._reap()

    def _take_orders(self) -> bool:
        ready = select.select([self._socket, self._wakeup], [], [])[0]
        if self._wakeup in ready:
            self._reap()
        if self._socket not in ready:
            return True
        messages = self._reader.read()
        for word, *rest in messages or ():
            if word == wire.RUN:
                self._start(Order(*rest))  # type: ignore[arg-type]
            else:
                self._stop(cast(float, rest[0]))
        return messages is not None

    def _start(self, order: Order) -> None:
        control, ours = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._supervise(order, control, ours)
        os.close(control)
        self._running[pid] = order.id, ours

    def _supervise(self, order: Order, control: int, ours: int) -> None:
        """In the child: run the order, tell datavc, and end."""
        code = 1
        try:
            for _order, other in self._running.values():
                os.close(other)
            os.close(ours)
            os.setsid()
            tree.adopt_orphans()
            wire.send(self._socket, Supervisor(order, control, _wake_on_child()).run())
            code = 0
        finally:
            os._exit(code)

    def _stop(self, grace_s: float) -> None:
        for _order, control in self._running.values():
            with contextlib.suppress(BrokenPipeError):
                os.write(control, repr(grace_s).encode())

    def _reap(self) -> None:
        os.read(self._wakeup, 4096)
        for pid, status in tree.reap():
            self._spared.discard(pid)
            if pid not in self._running or os.WIFSTOPPED(status):
                continue
            order, control = self._running.pop(pid)
            with contextlib.suppress(OSError):
                os.close(control)
            if status == 0:
                self._spared.update(self._orphans())
            else:
                self._end_orphans()
                self._report_loss(order)

    def _report_loss(self, order: int) -> None:
        with contextlib.suppress(OSError):
            wire.send(self._socket, Outcome(order, failed=0, note="its supervisor was killed"))

    def _end_orphans(self) -> None:
        """End what a dead supervisor left to us, with all below it."""
        while orphans := [pid for pid in self._orphans() if pid not in self._spared]:
            tree.send(signal.SIGKILL, orphans)
            for pid in orphans:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def _orphans(self) -> list[int]:
        with contextlib.suppress(tree.NoChildrenFile):
            return [pid for pid in tree.children(os.getpid()) if pid not in self._running]
        return []


def _wake_on_child() -> int:
    """Return a descriptor that becomes readable when a child of this process ends."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    return reading


def main(socket: int) -> None:
    """Be the launcher. Signals are blocked by whoever started us, until they are ignored here."""
    for name in _IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    tree.adopt_orphans()
    os.set_inheritable(socket, False)
    gc.freeze()
    gc.disable()
    Launcher(socket).serve()
