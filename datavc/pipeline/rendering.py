"""Rendering: how values become text in commands, as settings have it."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Rendering(NamedTuple):
    """How a map in a command becomes options: settings `parsing.bool` and `parsing.list`."""

    bool: Literal["store_true", "boolean_optional"] = "store_true"
    list: Literal["nargs", "append"] = "nargs"


USUAL = Rendering()
"""What the settings are by default."""
