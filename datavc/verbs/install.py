"""install: make data follow Git in this clone, and agree to the remotes that came with it."""

from __future__ import annotations

from typing import NamedTuple

from datavc.pipeline.editor import write_schema
from datavc.repo import consent, hooks
from datavc.repo.hooks import Installed, Uninstalled
from datavc.repo.repo import Repo


class InstallResult(NamedTuple):
    """What was put in, or would be; `agreed` are sentences, one a remote now consented to."""

    hooks: Installed
    agreed: tuple[str, ...]
    dry_run: bool

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of the folder of hooks."""
        return self.hooks.warnings

    def to_json(self) -> dict[str, object]:
        """Return names of hooks, lines for Git's attributes, and remotes."""
        return {
            "folder": self.hooks.folder,
            "hooks": self.hooks.written,
            "chained": self.hooks.chained,
            "attributes": self.hooks.attributes,
            "merge_driver": self.hooks.driver,
            "remotes": self.agreed,
            "dry_run": self.dry_run,
        }


class UninstallResult(NamedTuple):
    """What was taken out, or would be."""

    hooks: Uninstalled
    dry_run: bool

    def to_json(self) -> dict[str, object]:
        """Return names of hooks."""
        return {
            "folder": self.hooks.folder,
            "removed": self.hooks.removed,
            "restored": self.hooks.restored,
            "dry_run": self.dry_run,
        }


def install(repo: Repo, *, dry_run: bool = False) -> InstallResult:
    """Put in hooks and merge driver, and record consent to the remotes of the tracked config.

    What is in order stays; running it again mends the rest.

    Raises:
        DatavcError: the folder of hooks cannot be used; nothing was changed.
    """
    installed = hooks.install(repo.git, dry_run=dry_run)
    remotes = consent.pending(repo.layout, repo.config)
    if not dry_run:
        write_schema(repo.layout)
    if remotes and not dry_run:
        consent.agree(repo.layout, remotes)
    return InstallResult(installed, tuple(map(consent.sentence, remotes)), dry_run)


def uninstall(repo: Repo, *, dry_run: bool = False) -> UninstallResult:
    """Take out hooks and merge driver; those of others stand as they stood before."""
    return UninstallResult(hooks.uninstall(repo.git, dry_run=dry_run), dry_run)
