"""`datavc hook NAME [ARG]...`: what the hooks of Git run. Loads no command line library."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence

from datavc.cli import render
from datavc.core.errors import DatavcError
from datavc.verbs import hook as verb


def main(arguments: Sequence[str]) -> int:
    """Run the hook that Git called; only pre-push returns anything but 0."""
    if not arguments:
        return 0
    name, *rest = arguments
    updates: Iterable[str] = sys.stdin if name == "pre-push" else ()
    try:
        result = verb.run(os.getcwd(), name, rest, updates)
    except (DatavcError, OSError) as error:
        if name == "pre-push" and isinstance(error, DatavcError):
            raise
        render.complain(f"datavc: {error}")
        return 0
    for line in result.lines:
        render.complain(f"datavc: {line}")
    return result.exit_code if name == "pre-push" else 0
