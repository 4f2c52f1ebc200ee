"""The processes below this one: finding, ending and adopting them.

On Linux every descendant is found, also one that left its session and lost its parent: it comes
back to the process that asked to be its subreaper. Elsewhere only process groups are known.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

_SET_CHILD_SUBREAPER = 36
_SET_PDEATHSIG = 1
"""Linux, `prctl(2)`."""


def adopt_orphans() -> None:
    """Become the parent of every process below this one that loses its own."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends."""
    _prctl(_SET_PDEATHSIG, signal.SIGKILL)


def descendants() -> list[int]:
    """Return the ids of all processes below this one; empty where /proc does not tell."""
    found: list[int] = []
    try:
        waiting = children(os.getpid())
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            waiting += children(pid)
    except NoChildrenFile:
        return _descendants_by_parent(os.getpid())
    return found


def living(groups: list[int], session: int | None = None) -> list[int]:
    """Return whom to signal to reach all processes below this one, or those of one session.

    Where the system does not tell descendants, these are the process groups that still live, as
    negative numbers.
    """
    if sys.platform != "linux":
        return [-group for group in groups if _reachable(-group)]
    return [pid for pid in descendants() if session is None or _session(pid) == session]


def send(number: int, pids: list[int]) -> None:
    """Send a signal to each of `pids`; those that are gone or not ours are passed over."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def reap() -> list[tuple[int, int]]:
    """Return (process id, wait status) of every child that ended or stopped; waits for none."""
    ended: list[tuple[int, int]] = []
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            if pid == 0:
                break
            ended.append((pid, status))
    return ended


def _reachable(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def wake_on_child() -> tuple[int, int]:
    """Return a pipe: its reading end becomes readable when a child of this process ends."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    return reading, writing


class NoChildrenFile(Exception):
    """The kernel was built without /proc/PID/task/TID/children."""


def children(pid: int) -> list[int]:
    """Return the ids of a process's own children.

    Raises:
        NoChildrenFile: this kernel does not tell.
    """
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    found: list[int] = []
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as stream:
                found += map(int, stream.readall().split())
        except OSError as error:
            if os.path.exists(f"/proc/{pid}/task/{thread}/stat"):
                raise NoChildrenFile from error
    return found


def _descendants_by_parent(top: int) -> list[int]:
    """The slower way: every process's parent."""
    below: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            pid = int(name)
            with open(f"/proc/{pid}/stat", "rb", buffering=0) as stream:
                parent = int(stream.readall().rpartition(b")")[2].split()[1])
            below.setdefault(parent, []).append(pid)
    found: list[int] = []
    waiting = below.get(top, [])
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting = waiting + below.get(pid, [])
    return found


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
