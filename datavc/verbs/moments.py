"""Moments: which versions a command looks at side by side, and what people call them."""

from __future__ import annotations

from typing import NamedTuple

from datavc.repo.git_history import RevisionScope
from datavc.repo.repo import Repo

WORKSPACE = "workspace"


class Moment(NamedTuple):
    """One version: its name for people, and its full commit id, None for the workspace."""

    name: str
    commit: str | None = None


class Scope(NamedTuple):
    """Which versions besides the workspace."""

    all_branches: bool = False
    all_tags: bool = False
    all_commits: bool = False


def workspace() -> Moment:
    """Return the moment that is now."""
    return Moment(WORKSPACE)


def named(repo: Repo, rev: str) -> Moment:
    """Return the moment of a revision as the user wrote it.

    Raises:
        DatavcError: there is no such commit here.
    """
    return Moment(rev, repo.git.resolve(rev))


def within(repo: Repo, scope: Scope) -> list[Moment]:
    """Return the workspace and the commits of `scope`, each once.

    A commit bears the names that led to it, `main,v1`, or its id where none did.
    """
    names: dict[str, list[str]] = {}
    for wanted, pattern in ((scope.all_branches, "heads"), (scope.all_tags, "tags")):
        for commit, name in repo.git.named_commits(pattern) if wanted else ():
            names.setdefault(commit, []).append(name)
    commits = dict.fromkeys(names)
    if scope.all_commits:
        commits |= dict.fromkeys(repo.git.commits(RevisionScope(all_commits=True)))
    return [
        workspace(),
        *(Moment(",".join(names.get(commit, [commit])), commit) for commit in commits),
    ]


def pair(repo: Repo, old: str | None, new: str | None) -> tuple[Moment, Moment]:
    """Return the two moments of a comparison: by default HEAD and the workspace.

    Raises:
        DatavcError: there is no such commit here.
    """
    return named(repo, old or "HEAD"), workspace() if new is None else named(repo, new)
