"""params: what changed in parameter files between two versions."""

from __future__ import annotations

from datavc.core.paths import RepoPath
from datavc.metrics.compare import Deltas, compare
from datavc.repo.repo import Repo
from datavc.verbs import declared_numbers
from datavc.verbs.declared_numbers import Declared
from datavc.verbs.loading import Wanted, in_either, load
from datavc.verbs.metrics import Compared
from datavc.verbs.moments import Moment, pair
from datavc.verbs.reading import Reader, shown


def diff(
    repo: Repo,
    revs: tuple[str | None, str | None],
    targets: tuple[str, ...],
    *,
    unchanged: bool,
    used: bool,
) -> Compared:
    """Return what changed in parameters between two revisions: by default HEAD and the workspace.

    With `unchanged` also what did not; with `used` only the keys that stages declare.

    Raises:
        DatavcError: a revision does not exist.
        PathError: a target lies outside the project.
    """
    moments = pair(repo, *revs)
    old, new = (load(repo, moment, targets, _files(used)) for moment in moments)
    deltas = compare(old.values, new.values, unchanged=unchanged)
    if used:
        deltas = _only(deltas, _keys(repo, moments))
    return Compared(
        old.moment.name, new.moment.name, deltas, in_either(old, new, named=bool(targets))
    )


def _files(used: bool) -> Wanted:
    def wanted(found: Declared) -> tuple[RepoPath, ...]:
        return tuple(dep.file for dep in found.used) if used else found.params

    return wanted


def _keys(repo: Repo, moments: tuple[Moment, ...]) -> dict[str, set[str]]:
    """Return file → the keys that stages use at any of `moments`; none for the whole file."""
    keys: dict[str, set[str]] = {}
    for moment in moments:
        found, _ = declared_numbers.at(repo, Reader(repo, moment.commit))
        for dep in found.used:
            keys.setdefault(shown(repo, dep.file), set()).update(dep.keys or ("",))
    return keys


def _only(deltas: Deltas, keys: dict[str, set[str]]) -> Deltas:
    kept = {
        file: {key: delta for key, delta in found.items() if _covered(key, keys.get(file, set()))}
        for file, found in deltas.items()
    }
    return {file: found for file, found in kept.items() if found}


def _covered(key: str, keys: set[str]) -> bool:
    """Tell whether `key`, or a map that it stands in, is one of `keys`; the empty key is all."""
    return bool(keys & {"", key}) or any(key.startswith(each + ".") for each in keys)
