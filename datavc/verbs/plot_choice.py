"""Which plots a command is about: those of the stage files, or files that were named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from datavc.core.errors import DatavcError
from datavc.core.paths import RepoPath, is_inside
from datavc.core.stage import PlotDefinition
from datavc.metrics import read
from datavc.metrics.page import MEDIA
from datavc.repo.repo import Repo
from datavc.repo.targets import repo_path
from datavc.verbs import declared_numbers
from datavc.verbs.loading import KINDS
from datavc.verbs.reading import Reader, shown


class Asked(NamedTuple):
    """Which plots, all if none is named, and what the user wants otherwise than declared."""

    targets: tuple[str, ...] = ()
    template: str | None = None
    x: str | None = None
    y: str | None = None
    title: str | None = None
    x_label: str | None = None
    y_label: str | None = None
    header: bool = True


class Plot(NamedTuple):
    """One plot of one version: its name for people, and which of that name it is."""

    id: str
    number: int
    definition: PlotDefinition


class _Entry(NamedTuple):
    """A definition with the stage file that it stands in, empty for a file that was named."""

    file: str
    id: str
    definition: PlotDefinition

    @property
    def full(self) -> str:
        """The name that is unique among stage files."""
        return f"{self.file}::{self.id}"


def chosen(repo: Repo, reader: Reader, asked: Asked) -> tuple[list[Plot], tuple[str, ...]]:
    """Return the plots of one version, a directory's one by one, and warnings.

    Raises:
        PathError: a target lies outside the project.
    """
    found, warnings = declared_numbers.at(repo, reader)
    entries = [
        entry
        for file, definition in found.plots
        for entry in _single(repo, reader, shown(repo, file), definition)
    ]
    if asked.targets:
        picked = (each for text in asked.targets for each in _named(repo, reader, entries, text))
        entries = list(dict.fromkeys(picked))
    owners: dict[str, set[str]] = {}
    for entry in entries:
        owners.setdefault(entry.id, set()).add(entry.file)
    plots: list[Plot] = []
    numbers: dict[str, int] = {}
    for entry in entries:
        id_ = entry.full if len(owners[entry.id]) > 1 else entry.id
        numbers[id_] = numbers.get(id_, -1) + 1
        plots.append(Plot(id_, numbers[id_], _changed(entry.definition, asked)))
    return plots, warnings


def _single(
    repo: Repo, reader: Reader, stage_file: str, definition: PlotDefinition
) -> Iterable[_Entry]:
    """Yield a definition, or one for each file of the directory that it shows."""
    path = definition.path
    if path is None:
        yield _Entry(stage_file, definition.id, definition)
        return
    try:
        files = reader.below(path) or [path]
    except DatavcError:
        files = [path]  # reading it will say why
    for file in files:
        if file == path or read.suffix(file) in (*KINDS, *MEDIA):
            x = tuple((file if each == path else each, field) for each, field in definition.x)
            y = tuple((file if each == path else each, field) for each, field in definition.y)
            own = definition._replace(id=file, x=x, y=y, path=file)
            yield _Entry(stage_file, shown(repo, file), own)


def _named(repo: Repo, reader: Reader, entries: Iterable[_Entry], text: str) -> Iterable[_Entry]:
    """Return what a target names: plots by id or by path, else files that nobody declared."""
    by_id = [entry for entry in entries if text in (entry.id, entry.full)]
    if by_id:
        return by_id
    path = repo_path(repo.root, repo.here, text)
    inside = [entry for entry in entries if _lies(entry.definition.path, path)]
    return inside or _single(repo, reader, "", PlotDefinition(path, path=path))


def _lies(path: RepoPath | None, folder: RepoPath) -> bool:
    return path is not None and is_inside(path, folder)


def _changed(definition: PlotDefinition, asked: Asked) -> PlotDefinition:
    """Return a definition as the user wants it drawn."""
    wanted = {
        "template": asked.template,
        "title": asked.title,
        "x_label": asked.x_label,
        "y_label": asked.y_label,
    }
    said = {name: text for name, text in wanted.items() if text is not None}
    header = definition.properties.header and asked.header
    properties = definition.properties._replace(**said, header=header)
    files = tuple(dict.fromkeys(file for file, _ in definition.y))
    files = files or ((definition.path,) if definition.path else ())
    x, y = definition.x, definition.y
    if asked.x is not None:
        x = tuple((file, asked.x) for file in files)
    if asked.y is not None:
        y = tuple((file, asked.y) for file in files)
    return definition._replace(x=x, y=y, properties=properties)
