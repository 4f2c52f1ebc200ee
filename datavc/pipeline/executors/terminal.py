"""The terminal that a stage's commands see, and its copy in the log.

The commands get a terminal of their own (a pty); keys go from the real one to it, its output to
the real one and to the log. So progress bars and a debugger's prompt work and the log is whole.
Runs in a stage's supervisor, never in datavc's own process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import termios
import time
import tty

from datavc.pipeline.executors.copying import DRAIN_READS, READ_SIZE, Log

_STDIN, _STDOUT = 0, 1
_CTRL_C = b"\x03"
_PRESSES, _WITHIN_S = 3, 2.0
"""So many Ctrl-C in so many seconds end a command that takes no notice of the first."""


class Terminal:
    """A pty between the real terminal and the commands."""

    def __init__(self, log: Log, *, keys: bool) -> None:
        """Open the pty and make it this session's terminal; `keys` are forwarded if asked."""
        self._log = log
        self._master, self._slave = os.openpty()
        os.set_blocking(self._master, False)
        self._before = termios.tcgetattr(_STDIN) if keys else None
        if self._before:
            termios.tcsetattr(self._slave, termios.TCSANOW, self._before)
            tty.setraw(_STDIN, termios.TCSANOW)
        fcntl.ioctl(self._slave, termios.TIOCSCTTY, 0)
        self._size = b""
        self._typed = b""
        self._presses: list[float] = []
        self.interrupts = 0
        self.resize()

    def streams(self) -> tuple[int, int]:
        """Return what a command gets as input and as output."""
        return (self._slave if self._before else _STDIN), self._slave

    def give(self) -> None:
        """Make this process's group the one that the terminal belongs to."""
        with contextlib.suppress(OSError):
            os.tcsetpgrp(self._slave, os.getpgrp())

    def readable(self) -> list[int]:
        """Return what to wait for."""
        return [self._master, _STDIN] if self._before else [self._master]

    def pump(self, ready: list[int]) -> None:
        """Copy what there is, both ways."""
        self.resize()
        if _STDIN in ready and self._before:
            self._forward_keys()
        if self._typed:
            with contextlib.suppress(BlockingIOError):
                self._typed = self._typed[os.write(self._master, self._typed) :]
        if self._master in ready:
            self._copy()

    def drain(self) -> None:
        """Copy the output that is there by now; what goes on writing does not hold us."""
        for _ in range(DRAIN_READS):
            if not self._copy():
                break

    def wants_stop(self) -> bool:
        """Tell whether somebody pressed Ctrl-C again and again."""
        now = time.monotonic()
        self._presses = [at for at in self._presses if now - at < _WITHIN_S]
        return len(self._presses) >= _PRESSES

    def resize(self) -> None:
        """Give the pty the size of the real terminal, if that changed."""
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(_STDOUT, termios.TIOCGWINSZ, bytes(8))
            if size != self._size:
                fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)
                self._size = size

    def close(self) -> None:
        """Leave the real terminal as it was, and let go of the pty."""
        if self._before:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(_STDIN, termios.TCSADRAIN, self._before)
        os.close(self._slave)
        os.close(self._master)

    def _forward_keys(self) -> None:
        try:
            keys = os.read(_STDIN, 4096)
        except OSError:
            keys = b""
        if not keys:  # the terminal is gone
            self._before = None
            return
        self._typed += keys
        if _CTRL_C in keys and termios.tcgetattr(self._master)[3] & termios.ISIG:
            self.interrupts += 1
            self._presses += [time.monotonic()] * keys.count(_CTRL_C)

    def _copy(self) -> bool:
        try:
            output = os.read(self._master, READ_SIZE)
        except OSError:  # nothing now, or nobody holds the other side
            return False
        self._log.write(output)
        with contextlib.suppress(OSError):
            view = memoryview(output)
            while view:
                view = view[os.write(_STDOUT, view) :]
        return bool(output)
