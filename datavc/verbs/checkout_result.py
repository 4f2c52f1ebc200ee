"""What a checkout was asked for, and what it did."""

from __future__ import annotations

from typing import NamedTuple

from datavc.core.outputs import Failure
from datavc.core.paths import RepoPath


class CheckoutOptions(NamedTuple):
    """`force` replaces unsaved work after saving it, `discard` without.

    `rev` takes the data of that revision, `allow_missing` calls objects that are not here no
    failure. `hook`: Git moved the pointers of the targets (of none, if there are none) and took
    others away; nothing is forced, and what is not here is no failure. `command` is the name that
    `undo` knows the operation by.
    """

    rev: str | None = None
    force: bool = False
    discard: bool = False
    relink: bool = False
    allow_missing: bool = False
    hook: bool = False
    dry_run: bool = False
    command: str = "checkout"


class CheckoutResult:
    """Paths of files, below the project; `missing` are wanted objects that are not here.

    `saved` is work that was saved nowhere before it had to go; `undo` brings it back.
    """

    def __init__(self, *, dry_run: bool = False) -> None:
        """Begin with nothing done."""
        self.added: list[RepoPath] = []
        self.modified: list[RepoPath] = []
        self.deleted: list[RepoPath] = []
        self.saved: list[RepoPath] = []
        self.bytes = 0
        self.missing: list[Failure] = []
        self.failures: list[Failure] = []
        self.warnings: list[str] = []
        self.dry_run = dry_run

    @property
    def exit_code(self) -> int:
        """4 if data is missing or damaged, 3 if something was left alone."""
        if any(failure.digest for failure in self.failures):
            return 4
        return 3 if self.failures else 0

    @property
    def files(self) -> int:
        """How many files changed."""
        return len(self.added) + len(self.modified) + len(self.deleted)

    def to_json(self) -> dict[str, object]:
        """Return counts, paths by kind, and failures."""
        return {
            "files": self.files,
            "bytes": self.bytes,
            "removed": len(self.deleted),
            "added": self.added,
            "modified": self.modified,
            "deleted": self.deleted,
            "dry_run": self.dry_run,
            "failures": [failure._asdict() for failure in self.failures],
        }
