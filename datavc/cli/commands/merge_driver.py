"""`datavc merge-driver BASE OURS THEIRS PATH`: what Git runs to merge pointer files."""

from __future__ import annotations

from collections.abc import Sequence

from datavc.cli import render
from datavc.cli.context import Session
from datavc.core.errors import UsageError
from datavc.core.progress import SILENT
from datavc.verbs import merge as verb


def main(arguments: Sequence[str]) -> int:
    """Merge into the file OURS and return what Git is told: 0 merged, 1 a conflict."""
    if len(arguments) != 4:
        raise UsageError(
            "merge-driver takes four files", "Git runs it; `datavc install` set it up"
        )
    base, ours, theirs, path = arguments
    outcome = verb.merge_driver(Session({}, SILENT).repo, base, ours, theirs, path)
    if outcome.message:
        render.complain(f"datavc: {outcome.message}")
    if outcome.hint:
        render.complain(f"Hint: {outcome.hint}")
    return outcome.exit_code
