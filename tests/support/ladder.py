"""How far tests of crashes and faults go: a short ladder, or the long one of `scripts/torture`."""

from __future__ import annotations

import os

KILLS = int(os.environ.get("TORTURE_KILLS", "5"))
"""How often each command is killed."""
FILES = int(os.environ.get("TORTURE_FILES", "200"))
"""Files of the tracked directory."""
LONG = "TORTURE_KILLS" in os.environ
