"""Stage view: what a run of stages says while it runs, line by line, and rows of what runs now."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from datavc.cli import render
from datavc.verbs.stage_words import why

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from datavc.verbs.stage_words import Finding, Outcome, Stage

TAIL = 20
"""Lines of a failed command's output that are shown again."""
REFRESH_S = 0.2


class StageView:
    """Tells of stages on standard output, or on standard error where that is for a program.

    `several` stages run at once: then their lines are prefixed, and on a terminal a row shows
    each that runs.
    """

    def __init__(self, *, several: bool, json: bool, quiet: bool) -> None:
        """Say nothing yet."""
        self._several = several
        self._quiet = quiet
        self._out = sys.stderr if json else sys.stdout
        self._since: dict[str, float] = {}
        self._last: dict[str, str] = {}
        self._live: Live | None = None

    def begins(self, stage: Stage, findings: Sequence[Finding]) -> None:
        """Say that a command starts, and why."""
        self._since[stage.address] = time.monotonic()
        if not self._quiet:
            self._print(f"Running {stage.address} ({why(findings)})")
            if not self._several:
                for command in stage.cmd:
                    self._print(f"> {command}")
        self._draw()

    def says(self, stage: str, line: str) -> None:
        """Hand on a line of a command's output."""
        self._last[stage] = line
        if not self._quiet:
            self._print(f"{stage} | {line}" if self._several else line)

    def ends(self, outcome: Outcome) -> None:
        """Say what became of a stage; nothing of one that needed nothing."""
        self._since.pop(outcome.stage.address, None)
        self._last.pop(outcome.stage.address, None)
        if outcome.state == "failed":
            self._failed(outcome)
        elif outcome.action == "restore" and not self._quiet:
            source = "the run cache" if outcome.from_cache else "the cache"
            reason = why(outcome.findings)
            self._print(f"Restored {outcome.stage.address} from {source} ({reason})")

    def warns(self, message: str) -> None:
        """Say something that is worth a line."""
        if not self._quiet:
            self._complain(f"Warning: {message}")

    def close(self) -> None:
        """Take the rows off the screen."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _failed(self, outcome: Outcome) -> None:
        if self._quiet and outcome.log:  # else they stand above already
            for line in _tail(outcome.log):
                self._complain(f"{outcome.stage.address} | {line}")
        name = outcome.stage.address
        said = name in outcome.error.split()
        self._complain(f"Error: {outcome.error if said else f'{name}: {outcome.error}'}")
        if outcome.hint:
            self._complain(f"Hint: {outcome.hint}")

    def _complain(self, text: str) -> None:
        if self._live is not None:
            self._live.console.print(render.display(text), markup=False, highlight=False)
        else:
            render.complain(text)

    def _print(self, text: str) -> None:
        if self._live is not None:
            self._live.console.print(render.display(text), markup=False, highlight=False)
            return
        self._out.write(render.display(text) + "\n")
        self._out.flush()

    def _draw(self) -> None:
        """Show what runs now, where there is a terminal to show it on."""
        if not self._several or self._quiet or self._live is not None or not self._out.isatty():
            return
        from rich.console import Console
        from rich.live import Live

        self._live = Live(
            console=Console(file=self._out),
            get_renderable=self._rows,
            refresh_per_second=1 / REFRESH_S,
            transient=True,
        )
        self._live.start()

    def _rows(self) -> Table:
        """Return a row for each stage that runs: its name, how long it has run, its last line."""
        from rich.table import Table
        from rich.text import Text

        now = time.monotonic()
        table = Table.grid(padding=(0, 2))
        for _ in range(2):
            table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", style="dim")
        for name, since in list(self._since.items()):
            said = Text(render.display(self._last.get(name, "")))
            table.add_row(Text(render.display(name)), render.duration(now - since), said)
        return table


def _tail(log: str) -> Iterable[str]:
    """Return the last lines of a command's output."""
    try:
        with open(log, encoding="utf-8", errors="replace") as stream:
            return stream.read().splitlines()[-TAIL:]
    except OSError:
        return ()
