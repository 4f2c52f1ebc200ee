"""The options that name commits, as one value."""

from __future__ import annotations

from datavc.verbs.sync_options import RevisionScope


def scope_of(
    all_branches: bool, all_tags: bool, all_commits: bool, rev: str | None
) -> RevisionScope | None:
    """Return which commits `-a`, `-T`, `-A` and `--rev` mean; None for the workspace alone."""
    if not (all_branches or all_tags or all_commits or rev):
        return None
    return RevisionScope(all_branches, all_tags, all_commits, (rev,) if rev else ())
