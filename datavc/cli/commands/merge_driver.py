"""`datavc merge-driver BASE OURS THEIRS PATH`: what Git runs to merge pointer files."""

from __future__ import annotations

import os
from collections.abc import Sequence

from datavc.cli import render
from datavc.core.errors import UsageError
from datavc.verbs import merge as verb


def main(arguments: Sequence[str]) -> int:
    """Merge into the file OURS and return what Git is told: 0 merged, 1 a conflict."""
    if len(arguments) != 4:
        raise UsageError(
            "merge-driver takes four files", "Git runs it; `datavc install` set it up"
        )
    base, ours, theirs, path = arguments
    outcome = verb.run(os.getcwd(), base, ours, theirs, path)
    if outcome.message:
        render.complain(f"datavc: {outcome.message}")
    if outcome.hint:
        render.complain(f"Hint: {outcome.hint}")
    return outcome.exit_code
