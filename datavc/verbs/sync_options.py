"""What a user says about a transfer: a value, so that whoever only passes it on stays light."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from datavc.repo.git_history import RevisionScope as RevisionScope


class SyncOptions(NamedTuple):
    """`remote` and `jobs` override the settings; `ask` asks for consent on a terminal.

    `run_cache` takes the results of stages along that the run cache knows.
    """

    remote: str | None = None
    jobs: int | None = None
    scope: RevisionScope | None = None
    workspace: bool = True
    dry_run: bool = False
    ask: Callable[[str], bool] | None = None
    run_cache: bool = False
