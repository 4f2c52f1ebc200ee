"""How a command ends before its last line: with a code, or because it was told to."""

from __future__ import annotations

import signal

TERMINATED = 143


class Exit(Exception):
    """The command is over, and all is said."""

    def __init__(self, code: int) -> None:
        """End with this exit code."""
        super().__init__(code)
        self.code = code


def end_on_terminate() -> None:
    """From here on, a TERM signal ends the command as an exit would: what is open is closed."""
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(_signal: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(TERMINATED)
