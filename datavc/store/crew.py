"""Crew: processes that take over a share of the work on many small files.

Such work is system calls between short stretches of Python, which threads of one process do one
after the other. The processes are forked, so they know all that this one does; what they are given
and give back is plain values. They end with the process that they work for, however it ends.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast

from datavc.core.errors import DataError

if TYPE_CHECKING:
    import socket

T = TypeVar("T")
R = TypeVar("R")

WORTH_IT = 1024
"""Items from which two processes (some 3 ms to fork) are sooner done than one."""
MOST = 4
"""More processes than this wait for the one that hands out the work."""
_PORTION = 32
"""Items of a message: with the longest of paths still less than a message may have (200 KiB)."""
_MESSAGE = 1 << 20
"""Bytes of the largest message."""
_PATIENCE_S = 1.0
"""How long nothing may come back before it is asked whether all are still there."""


def hands() -> int:
    """Return how many processes are of use here: 0 where one does all."""
    if sys.platform != "linux":  # to fork is safe nowhere else once system libraries are in use
        return 0
    processors = len(os.sched_getaffinity(0))
    return min(processors, MOST) if processors > 1 else 0


def gather(work: Callable[[Sequence[T]], R], items: int) -> Crew[T, R] | None:
    """Return a crew for so many items; None where one process is enough, or all there can be."""
    size = hands() if items >= WORTH_IT else 0
    try:
        return Crew(work, size) if size else None
    except OSError:
        return None


class Crew(Generic[T, R]):
    """Processes that call `work` with lists of items, and hand back what it returns.

    Items and results are what `marshal` knows: numbers, texts, bytes, plain tuples and lists.
    """

    def __init__(self, work: Callable[[Sequence[T]], R], size: int) -> None:
        """Fork `size` processes, or as many as the system allows.

        `work` must touch neither locks nor threads of this one.

        Raises:
            OSError: it allows none.
        """
        import socket

        self._requests, requests = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._answers, answers = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._buffer = memoryview(bytearray(_MESSAGE))
        self._count = 0
        self._queue: deque[tuple[int, list[T]]] = deque()
        self._done: dict[int, R] = {}
        self._pids: list[int] = []
        boss = os.getpid()
        with requests, answers:
            for _ in range(size):
                try:
                    pid = os.fork()
                except OSError:
                    if self._pids:
                        break
                    self.close()
                    raise
                if not pid:
                    self._requests.close()
                    self._answers.close()
                    _serve(work, requests, answers, boss)
                self._pids.append(pid)
        self._requests.setblocking(False)

    def begin(self, items: Sequence[T]) -> Iterator[R]:
        """Hand out `items`, in portions; iterate to wait for their results, in this order.

        Raises (the iterator):
            DataError: a process of the crew came to its end.
        """
        first = self._count
        for start in range(0, len(items), _PORTION):
            self._queue.append((self._count, [*items[start : start + _PORTION]]))
            self._count += 1
        self._hand_out()
        numbers = range(first, self._count)
        return map(self._result, numbers)

    def close(self) -> None:
        """Wait until all have ended; what was begun and not waited for may be left undone."""
        self._requests.close()
        self._answers.close()
        for pid in self._pids:
            os.waitpid(pid, 0)
        self._pids.clear()

    def _hand_out(self) -> None:
        while self._queue:
            try:
                self._requests.send(marshal.dumps(cast(Any, self._queue[0])))
            except BlockingIOError:
                return
            self._queue.popleft()

    def _result(self, number: int) -> R:
        while number not in self._done:
            wanted = [self._requests] if self._queue else []
            ready, _, _ = select.select([self._answers], wanted, [], _PATIENCE_S)
            if ready:
                size = self._answers.recv_into(self._buffer)
                found, result = marshal.loads(self._buffer[:size])
                self._done[found] = result
            elif not all(map(_is_running, self._pids)):
                raise DataError("a process that helped was ended", "repeat the command")
            self._hand_out()
        return self._done.pop(number)


def _is_running(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _serve(
    work: Callable[[Any], Any], requests: socket.socket, answers: socket.socket, boss: int
) -> NoReturn:
    """Work until there is nothing more to do, or nobody to do it for; does not return."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who hands out work decides
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        while (message := requests.recv(_MESSAGE)) and os.getppid() == boss:
            number, items = marshal.loads(message)
            answers.send(marshal.dumps((number, work(items))))
        status = 0
    finally:
        os._exit(status)
