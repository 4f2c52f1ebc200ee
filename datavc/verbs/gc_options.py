"""What a collection is told: scopes, ages, and the user's word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from datavc.core.errors import UsageError
from datavc.repo.config_keys import seconds
from datavc.verbs.sync_options import RevisionScope

SCOPES = (
    "-w keeps the data of the workspace, -a of all branches, -T of all tags, -A of all commits, "
    "--rev REV [-n N] of a commit and those before it, --date DATE of all commits since then"
)


@dataclass(frozen=True, slots=True)
class GcOptions:
    """What is kept, and how sure the user is.

    `scope` adds commits to what is always kept; `newer_than_s` keeps objects of that age; `forget`
    are workspaces that cannot be read; `ask` puts a question on a terminal, None without one.
    """

    workspace: bool = False
    scope: RevisionScope | None = None
    newer_than_s: float = 0.0
    unpushed: bool = False
    forget: tuple[str, ...] = ()
    expire_undo: bool = False
    dry_run: bool = False
    force: bool = False
    ask: Callable[[str], bool] | None = None

    def check(self) -> None:
        """Refuse to collect without a scope, or without anybody's word.

        Raises:
            UsageError: one of them is missing.
        """
        if not self.workspace and self.scope is None:
            raise UsageError("gc must be told what to keep: nothing was removed", SCOPES)
        if not (self.force or self.dry_run or self.ask):
            raise UsageError(
                "gc asks before it removes, and there is no terminal to ask on",
                "`--dry-run` shows what would go, `-f` removes it without asking",
            )


def gc_scope(
    everything: tuple[bool, bool, bool], revs: Sequence[str], num: int | None, date: str | None
) -> RevisionScope | None:
    """Return which commits `-a`, `-T`, `-A` (`everything`), `--rev`, `-n` and `--date` mean.

    Raises:
        UsageError: `-n` without a revision to count from, or nothing to count.
    """
    if num is not None and (not revs or num == 0 or num < -1):
        raise UsageError(
            "-n says how many commits from --rev on count, that one among them",
            "`--rev main -n 10` keeps ten, `-n -1` all of them",
        )
    if not (any(everything) or revs or date):
        return None
    return RevisionScope(*everything, tuple(revs), 1 if num is None else num, date)


def parse_age(text: str | None) -> float:
    """Return a duration such as 30d in seconds, 0 for None.

    Raises:
        UsageError: it is none.
    """
    try:
        return 0.0 if text is None else seconds(text)
    except ValueError as error:
        raise UsageError(f"--newer-than takes {error}, not {text!r}") from error
