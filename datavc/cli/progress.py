"""core.progress drawn: a bar on a terminal, else nothing but a sign of life every half minute.

Everything goes to standard error. The bar appears when a phase has lasted a moment, so that short
commands never pay for drawing it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from datavc.cli import render
from datavc.core.progress import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PATIENCE_S = 0.4
"""A phase shorter than this is not drawn: importing rich alone takes 55 ms."""
SIGN_OF_LIFE_S = 30.0


class Counted:
    """Counts one phase; `_tick` is called every `period_s` while it lasts."""

    def __init__(self, period_s: float) -> None:
        """Count nothing yet."""
        self._period_s = period_s
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._phase = ""
        self._files = self._size = 0
        self._all_files: int | None = None
        self._all_size: int | None = None
        self._began = 0.0

    def start(self, phase: str, files: int | None = None, size: int | None = None) -> None:
        """Begin a phase."""
        self.end()
        with self._lock:  # a phase names outputs, and rich lets escapes through
            phase = render.display(phase)
            self._phase, self._all_files, self._all_size = phase, files, size
            self._files = self._size = 0
            self._began = time.monotonic()
            self._over = threading.Event()
        threading.Thread(target=self._watch, args=(self._over,), daemon=True).start()

    def advance(self, files: int = 0, size: int = 0) -> None:
        """Count work."""
        with self._lock:
            self._files += files
            self._size += size

    def say(self, message: str) -> None:
        """Print a line."""
        render.complain(message)

    def end(self) -> None:
        """End the phase, if there is one."""
        self._over.set()

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(self._period_s):
            self._tick()

    def _tick(self) -> None:
        files = render.count(self._files, "file")
        if self._all_files is not None:
            files = f"{self._files:,} of {render.count(self._all_files, 'file')}"
        lasted = render.duration(time.monotonic() - self._began)
        self.say(f"{self._phase}: {files}, {render.size(self._size)} in {lasted} so far")


class Drawn(Counted):
    """A bar with files, bytes, rate and time left, gone when the phase ends."""

    def __init__(self) -> None:
        """Draw nothing yet."""
        super().__init__(PATIENCE_S / 2)
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def say(self, message: str) -> None:
        """Print a line above the bar."""
        with self._lock:
            if self._bar is not None:
                self._bar.console.print(render.display(message), markup=False, highlight=False)
                return
        super().say(message)

    def end(self) -> None:
        """End the phase and take the bar away."""
        super().end()
        with self._lock:
            if self._bar is not None:
                self._bar.stop()
                self._bar = None

    def _tick(self) -> None:
        if time.monotonic() - self._began < PATIENCE_S:
            return
        with self._lock:
            if self._over.is_set():
                return
            by_size = self._all_size is not None
            done, total = (
                (self._size, self._all_size) if by_size else (self._files, self._all_files)
            )
            if self._bar is None:
                self._bar = _bar(by_size=by_size)
                self._task = self._bar.add_task(self._phase, total=total, files="0")
                self._bar.start()
            files = f"{self._files:,}" + (f"/{self._all_files:,}" if self._all_files else "")
            if self._task is not None:
                self._bar.update(self._task, completed=done, total=total, files=files)


def _bar(*, by_size: bool) -> Bar:
    from rich import progress as parts
    from rich.console import Console

    columns: list[parts.ProgressColumn] = [
        parts.TextColumn("{task.description}", markup=False),
        parts.BarColumn(),
        parts.TextColumn("{task.fields[files]} files", markup=False),
    ]
    if by_size:
        columns += [parts.DownloadColumn(binary_units=True), parts.TransferSpeedColumn()]
    columns.append(parts.TimeRemainingColumn())
    console = Console(stderr=True, no_color="NO_COLOR" in os.environ or None)
    return parts.Progress(*columns, console=console, transient=True)


def choose() -> Progress:
    """Return what suits standard error: a bar, or lines."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return Drawn()
    return Counted(SIGN_OF_LIFE_S)


def end(progress: Progress) -> None:
    """End whatever phase `progress` is in."""
    if isinstance(progress, Counted):
        progress.end()
