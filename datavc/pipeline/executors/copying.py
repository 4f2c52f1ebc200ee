"""Where a stage's output goes when it has no terminal: through a pipe into its log."""

from __future__ import annotations

import os

READ_SIZE = 1 << 16
DRAIN_READS = 32
"""More than the largest pipe that an ordinary user can have holds (1 MiB, `pipe(7)`)."""


class Log:
    """A file that takes what it can: a full disk costs the log, not the stage."""

    def __init__(self, path: str) -> None:
        """Append to the file, which datavc made."""
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self.lost = ""

    def write(self, output: bytes) -> None:
        """Append `output`; after the first failure nothing more, and `lost` says why."""
        view = memoryview(output)
        while view and not self.lost:
            try:
                view = view[os.write(self._fd, view) :]
            except OSError as error:
                self.lost = error.strerror or "unknown error"

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)


class Pipe:
    """A pipe whose reading end is copied into the log."""

    interrupts = 0

    def __init__(self, log: Log, *, keys: bool) -> None:
        """Open the pipe; with `keys` commands read this process's input, else none."""
        self._log = log
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        self._input = 0 if keys else os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def streams(self) -> tuple[int, int]:
        """Return what a command gets as input and as output."""
        return self._input, self._write

    def give(self) -> None:
        """Nothing to give: there is no terminal."""

    def readable(self) -> list[int]:
        """Return what to wait for."""
        return [self._read]

    def pump(self, ready: list[int]) -> None:
        """Copy what there is."""
        if self._read in ready:
            self._copy()

    def drain(self) -> None:
        """Copy the output that is there by now; what goes on writing does not hold us."""
        for _ in range(DRAIN_READS):
            if not self._copy():
                break

    def wants_stop(self) -> bool:
        """Nobody can press a key here."""
        return False

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self._read)
        os.close(self._write)
        if self._input:
            os.close(self._input)

    def _copy(self) -> bool:
        try:
            output = os.read(self._read, READ_SIZE)
        except BlockingIOError:
            return False
        self._log.write(output)
        return bool(output)
