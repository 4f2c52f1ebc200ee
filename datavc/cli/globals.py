"""What holds for all commands: the options that stand before the name of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

COMPLETING = "_DATAVC_COMPLETE"
"""Set by the script of `datavc completion`: a shell asks what may come next."""


class Globals(NamedTuple):
    """The options that stand before the command."""

    overrides: Mapping[str, str]
    quiet: bool = False
    verbose: int = 0
