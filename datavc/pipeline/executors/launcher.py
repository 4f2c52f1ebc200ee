"""The small process that stages are started from: datavc itself never forks, and never reaps.

One is started with the first stage and lives as long as datavc does. It hands each order to a
supervisor that is free, or forks one more: single-threaded and with everything imported, it does
so in a millisecond. When datavc ends, however it ends, its side of the socket closes; the
launcher then closes those of the supervisors, and each ends its stage. As the parent of last
resort the launcher also ends what a supervisor that was killed left behind.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
from typing import cast

from datavc.pipeline.executors import supervisor, tree, wire
from datavc.pipeline.executors.wire import Order

_IGNORED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTTOU", "SIGTTIN", "SIGTSTP")
"""They are datavc's to answer: what follows from them comes through the socket."""


class Worker:
    """A supervisor: its process, our end of its socket, and the order it works on (0: none)."""

    def __init__(self, pid: int, fd: int) -> None:
        """Know a supervisor that is free."""
        self.pid = pid
        self.fd = fd
        self.order = 0
        self.retires = False
        self.reader = wire.Reader(fd)

    def is_free(self) -> bool:
        """Tell whether it can take an order."""
        return not self.order and not self.retires


class Launcher:
    """The supervisors, by process id, and the orphans that are left alone."""

    def __init__(self, fd: int) -> None:
        """Take orders from `fd`, and send outcomes there."""
        self._fd = fd
        self._reader = wire.Reader(fd)
        self._workers: dict[int, Worker] = {}
        self._spared: set[int] = set()
        self._wakeup, self._waker = tree.wake_on_child()

    def serve(self) -> None:
        """Follow orders until datavc is gone, then end what runs."""
        while self._serve_once():
            pass
        for worker in self._workers.values():
            os.close(worker.fd)
        while self._workers:
            select.select([self._wakeup], [], [])
            self._reap(hear=False)

    def _serve_once(self) -> bool:
        workers = {worker.fd: worker for worker in self._workers.values()}
        ready = select.select([self._fd, self._wakeup, *workers], [], [])[0]
        for fd in ready:
            if fd in workers:
                self._hear(workers[fd])
        if self._wakeup in ready:
            self._reap()
        if self._fd not in ready:
            return True
        messages = self._reader.read()
        for word, *rest in messages or ():
            if word == wire.RUN:
                self._start(Order(*rest))  # type: ignore[arg-type]
            else:
                self._stop(cast(float, rest[0]))
        return messages is not None

    def _start(self, order: Order) -> None:
        free = [worker for worker in self._workers.values() if worker.is_free()]
        worker = free[0] if free else self._fork()
        worker.order = order.id
        with contextlib.suppress(OSError):  # killed meanwhile: `_reap` reports it
            wire.send(worker.fd, (wire.RUN, *order))

    def _stop(self, grace_s: float) -> None:
        for worker in self._workers.values():
            with contextlib.suppress(OSError):
                wire.send(worker.fd, (wire.STOP, grace_s))

    def _fork(self) -> Worker:
        import socket

        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            try:
                for fd in [self._fd, self._wakeup, self._waker, ours.fileno()]:
                    os.close(fd)
                for worker in self._workers.values():
                    os.close(worker.fd)
                supervisor.serve(theirs.fileno())
                os._exit(0)
            finally:
                os._exit(1)
        theirs.close()
        self._workers[pid] = Worker(pid, ours.detach())
        return self._workers[pid]

    def _hear(self, worker: Worker) -> bool:
        """Pass on what a supervisor says; False at its end."""
        try:
            messages = worker.reader.read()
        except ConnectionResetError:
            messages = None
        for retires, *outcome in messages or ():
            worker.order, worker.retires = 0, bool(retires)
            wire.send(self._fd, tuple(outcome))
        return messages is not None

    def _reap(self, *, hear: bool = True) -> None:
        os.read(self._wakeup, 4096)
        for pid, status in tree.reap():
            self._spared.discard(pid)
            if pid not in self._workers or os.WIFSTOPPED(status):
                continue
            worker = self._workers.pop(pid)
            if hear:
                while self._hear(worker):
                    pass
                os.close(worker.fd)
            if status == 0:
                self._spared.update(self._orphans())
                continue
            self._end_orphans()
            if hear and worker.order:
                wire.send(self._fd, wire.lost(worker.order))

    def _end_orphans(self) -> None:
        """End what a dead supervisor left to us, with all below it."""
        while orphans := [pid for pid in self._orphans() if pid not in self._spared]:
            tree.send(signal.SIGKILL, orphans)
            for pid in orphans:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def _orphans(self) -> list[int]:
        with contextlib.suppress(tree.NoChildrenFile):
            return [pid for pid in tree.children(os.getpid()) if pid not in self._workers]
        return []


def main(fd: int) -> None:
    """Be the launcher. Signals are blocked by whoever started us, until they are ignored here."""
    for name in _IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    tree.adopt_orphans()
    os.set_inheritable(fd, False)
    gc.freeze()
    gc.disable()
    with contextlib.suppress(BrokenPipeError):
        Launcher(fd).serve()
