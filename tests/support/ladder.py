"""How far tests of crashes and faults go: a short ladder, or the long one of `scripts/torture`."""

from __future__ import annotations

import os

KILLS = int(os.environ.get("TORTURE_KILLS", "5"))
"""How often each command is killed."""
FILES = int(os.environ.get("TORTURE_FILES", "200"))
"""Files of the tracked directory."""
SHARDS = int(os.environ.get("TORTURE_SHARDS", "1"))
"""Into how many tests the kills of a command are divided, so that several processes share them."""
LONG = "TORTURE_KILLS" in os.environ


def tell() -> None:
    """Count one more kill or mutation for whoever runs the long ladder and wants to see it."""
    if file := os.environ.get("TORTURE_TOLD"):
        with open(file, "ab") as told:
            told.write(b".")
