"""Session: what a command gets from the terminal, and how its result goes back there.

    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        result = add_verb.add(out.repo, targets, progress=out.progress)
        out.finish(result, draw)

The only file of the terminal that opens the repository.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from datavc.cli import progress as drawn
from datavc.cli import redact, render
from datavc.cli.declared import Caller
from datavc.cli.ending import Exit
from datavc.cli.globals import Globals
from datavc.core.progress import SILENT, Progress
from datavc.repo.repo import Repo

PARTLY = 3
"""Exit code of a result with failures; one that knows better has an `exit_code`."""

Result = TypeVar("Result")
Draw = Callable[[Result], Iterable[str] | None]
"""Returns the lines that show a result; they are made safe for the terminal when printed."""


class Session:
    """One command's terminal. `repo` is opened when it is first asked for."""

    def __init__(self, before: Globals, progress: Progress, *, json: bool, quiet: bool) -> None:
        """Begin, with the options that stood `before` the command."""
        self.overrides = before.overrides
        self.progress = progress
        self.json = json
        self.quiet = quiet
        self._repo: Repo | None = None
        self._started = time.monotonic()

    @property
    def repo(self) -> Repo:
        """The repository that contains the current folder.

        Raises:
            NotARepository: there is none.
        """
        if self._repo is None:
            self._repo = Repo.open(os.getcwd(), self.overrides)
            self.warn(self._repo.config.warnings)
        return self._repo

    @property
    def start(self) -> str:
        """The folder that the command works from, absolute."""
        return os.getcwd()

    def elapsed(self) -> str:
        """Return for how long the command has run, for people."""
        return render.duration(time.monotonic() - self._started)

    def warn(self, warnings: Iterable[str]) -> None:
        """Print warnings to standard error, unless quiet."""
        if not self.quiet:
            for warning in warnings:
                self.progress.say(f"Warning: {warning}")

    def ask(self, question: str) -> bool:
        """Return the user's answer; False where nobody can be asked."""
        if self.json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return False
        drawn.end(self.progress)  # a bar would be drawn over the question
        sys.stderr.write(f"{render.display(question)} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    @property
    def asks(self) -> Callable[[str], bool] | None:
        """`ask`, or None where nobody can be asked."""
        terminal = sys.stdin.isatty() and sys.stderr.isatty() and not self.json
        return self.ask if terminal else None

    def finish(self, result: Result, draw: Draw[Result]) -> None:
        """Show the result, its warnings and its failures; with those, exit with 3 or its own code.

        Raises:
            Exit: the exit code is not 0.
        """
        drawn.end(self.progress)
        if self.json:
            sys.stdout.write(render.json_text(result) + "\n")
        elif not self.quiet:
            for text in draw(result) or ():
                render.line(text)
        sys.stdout.flush()
        self.warn(getattr(result, "warnings", ()))
        failures = getattr(result, "failures", ())
        for failure in failures:
            render.complain(f"Error: {_sentence(failure)}")
        code = getattr(result, "exit_code", PARTLY if failures else 0)
        if code:
            raise Exit(code)


def _sentence(failure: object) -> str:
    """Return a failure as one sentence: `path: message`, or the text itself."""
    path, message = getattr(failure, "path", ""), getattr(failure, "message", "")
    if not message:
        return str(failure)
    named = re.search(rf"(?<![\w/.-]){re.escape(path)}(?![\w/-])", message)
    return f"{path}: {message}" if path and not named else message


@contextmanager
def session(
    ctx: Caller, *, json: bool = False, quiet: bool = False, verbose: int = 0
) -> Iterator[Session]:
    """Yield the terminal of one command, with the options before the command taken in."""
    before = ctx.find_object(Globals) or Globals({})
    quiet, verbose = quiet or before.quiet, max(verbose, before.verbose)
    if verbose:
        redact.listen("DEBUG" if verbose > 1 else "INFO", sys.argv[1:])
    progress = SILENT if quiet else drawn.choose()
    try:
        yield Session(before, progress, json=json, quiet=quiet)
    finally:
        drawn.end(progress)
