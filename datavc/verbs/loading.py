"""Loading metrics and parameter files of one version; a bad file costs no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from datavc.core.errors import DatavcError
from datavc.core.paths import RepoPath
from datavc.core.stage import Value
from datavc.metrics import read
from datavc.repo.repo import Repo
from datavc.repo.targets import repo_path
from datavc.verbs import declared_numbers
from datavc.verbs.declared_numbers import Declared
from datavc.verbs.moments import Moment
from datavc.verbs.reading import Reader, shown

KINDS = (".json", ".yaml", ".yml", ".toml", ".csv", ".tsv")
"""What is read in a folder; a file that is named may have any name."""


class Unread(NamedTuple):
    """Why one file gave no values: the kind of error, as programs know it, and a sentence."""

    type: str
    msg: str

    @property
    def is_absent(self) -> bool:
        """Whether the file is just not there."""
        return self.type == FileNotFoundError.__name__


class Loaded(NamedTuple):
    """Values of one version by path as the user sees it; what cannot be read has an `Unread`."""

    moment: Moment
    values: dict[str, Value]
    unread: dict[str, Unread]
    warnings: tuple[str, ...] = ()


Wanted = Callable[[Declared], Iterable[RepoPath]]
"""Chooses from what a version declares the files to load."""


def load(repo: Repo, moment: Moment, targets: Iterable[str], wanted: Wanted) -> Loaded:
    """Return the values of `targets`, paths as the user wrote them, else of what is `wanted`.

    Folders stand for the files in them. What is not there is `unread`.

    Raises:
        PathError: a target lies outside the project.
    """
    reader = Reader(repo, moment.commit)
    asked = [repo_path(repo.root, repo.here, text) for text in targets]
    warnings: tuple[str, ...] = ()
    paths: Iterable[RepoPath] = asked
    if not asked:
        found, warnings = declared_numbers.at(repo, reader)
        paths = wanted(found)
    loaded = Loaded(moment, {}, {}, warnings)
    for path in dict.fromkeys(paths):
        _take(repo, reader, path, loaded)
    return loaded


def _take(repo: Repo, reader: Reader, path: RepoPath, loaded: Loaded) -> None:
    """Put the values at `path`, a file or a folder, into `loaded`."""
    name = shown(repo, path)
    try:
        files = reader.below(path)
    except DatavcError as error:
        loaded.unread[name] = _unread(error)
        return
    if not files:
        at = "" if loaded.moment.commit is None else f" at {loaded.moment.name}"
        message = f"{name} is not there{at}"
        loaded.unread[name] = Unread(FileNotFoundError.__name__, message)
    for file in files:
        if file == path or read.suffix(file) in KINDS:
            _take_file(reader, file, shown(repo, file), loaded)


def _take_file(reader: Reader, path: RepoPath, name: str, loaded: Loaded) -> None:
    try:
        data = reader.read(path)
        if data is not None:
            loaded.values[name] = read.parse(data, name)
    except DatavcError as error:
        loaded.unread[name] = _unread(error)


def in_either(old: Loaded, new: Loaded, *, named: bool) -> list[str]:
    """Return the warnings of a comparison, in which one side may lack what the other has.

    Both may, unless the user `named` it: a stage may never have run.
    """

    def kept(side: Loaded, other: Loaded) -> Loaded:
        unread = {
            path: why
            for path, why in side.unread.items()
            if not why.is_absent or (named and path not in other.values)
        }
        return side._replace(unread=unread)

    return complaints((kept(old, new), kept(new, old)))


def _unread(error: DatavcError) -> Unread:
    hint = f" ({error.hint})" if error.hint else ""
    return Unread(type(error).__name__, error.message + hint)


def complaints(sides: Iterable[Loaded]) -> list[str]:
    """Return a warning for each file that could not be read, and what its versions warned of."""
    found: dict[str, None] = {}
    for side in sides:
        found |= dict.fromkeys(side.warnings)
        found |= dict.fromkeys(why.msg for why in side.unread.values())
    return list(found)
