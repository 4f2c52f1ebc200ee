"""metrics: the numbers in metrics files, of the workspace and of commits, and what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from datavc.core.paths import RepoPath
from datavc.core.stage import Value
from datavc.metrics.compare import Deltas, compare
from datavc.metrics.read import flat, measures
from datavc.repo.repo import Repo
from datavc.verbs.declared_numbers import Declared
from datavc.verbs.loading import Loaded, complaints, in_either, load
from datavc.verbs.moments import Scope, pair, within


class Shown(NamedTuple):
    """The metrics of each version, the workspace first. `alone` if nothing else was asked for."""

    versions: tuple[Loaded, ...]
    alone: bool

    @property
    def warnings(self) -> list[str]:
        """What could not be read."""
        return complaints(self.versions)

    def to_json(self) -> dict[str, object]:
        """Return version → `data` → file → `data` or `error`."""
        return {
            "" if self.alone else version.moment.name: {
                "data": {
                    **{file: {"data": value} for file, value in version.values.items()},
                    **{file: {"error": why} for file, why in version.unread.items()},
                }
            }
            for version in self.versions
        }


class Compared(NamedTuple):
    """What differs between two versions, and what they are called."""

    old: str
    new: str
    deltas: Deltas
    warnings: list[str]

    def to_json(self) -> Deltas:
        """Return file → key → old, new and diff."""
        return self.deltas


def show(repo: Repo, targets: tuple[str, ...], scope: Scope) -> Shown:
    """Return the metrics of the workspace, and of the commits in `scope`.

    The workspace is left out where branches were asked for and it is like the current one.

    Raises:
        PathError: a target lies outside the project.
    """
    moments = within(repo, scope)
    versions = [_metrics(load(repo, moment, targets, _declared)) for moment in moments]
    if scope.all_branches:
        branch, now = repo.git.branch(), versions[0]
        twins = [other for other in versions[1:] if branch in other.moment.name.split(",")]
        if any((twin.values, twin.unread) == (now.values, now.unread) for twin in twins):
            del versions[0]
    return Shown(tuple(versions), not any(scope))


def diff(
    repo: Repo, revs: tuple[str | None, str | None], targets: tuple[str, ...], *, unchanged: bool
) -> Compared:
    """Return what changed in metrics between two revisions: by default HEAD and the workspace.

    With `unchanged` also what did not.

    Raises:
        DatavcError: a revision does not exist.
        PathError: a target lies outside the project.
    """
    old, new = (_metrics(load(repo, moment, targets, _declared)) for moment in pair(repo, *revs))
    deltas = compare(old.values, new.values, unchanged=unchanged)
    return Compared(
        old.moment.name, new.moment.name, deltas, in_either(old, new, named=bool(targets))
    )


def keys(values: Mapping[str, Value]) -> dict[str, dict[str, Value]]:
    """Return file → dotted key → value."""
    return {file: {} if value == {} else flat(value) for file, value in values.items()}


def _declared(found: Declared) -> tuple[RepoPath, ...]:
    return found.metrics


def _metrics(loaded: Loaded) -> Loaded:
    values: dict[str, Value] = {file: measures(value) for file, value in loaded.values.items()}
    return loaded._replace(values=values)
