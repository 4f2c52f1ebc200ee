"""plots: what plot files hold, of one version or of several side by side, as charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from datavc.core.errors import DatavcError, FormatError
from datavc.core.paths import RepoPath
from datavc.metrics import plots as charts
from datavc.metrics import read, templates
from datavc.metrics.page import MEDIA, Picture
from datavc.metrics.plots import Chart
from datavc.metrics.points import Points, Row, points, table
from datavc.repo.repo import Repo
from datavc.verbs.moments import Moment, named, workspace
from datavc.verbs.plot_choice import Asked, Plot, chosen
from datavc.verbs.plot_templates import template
from datavc.verbs.reading import Reader, shown


class Trouble(NamedTuple):
    """Why one plot of one version is not drawn."""

    name: str
    rev: str
    source: str
    type: str
    msg: str


class Drawn(NamedTuple):
    """One plot: a chart of all versions, or a picture of each."""

    id: str
    versions: tuple[str, ...]
    chart: Chart | None = None
    pictures: tuple[Picture, ...] = ()

    def renderings(self) -> list[dict[str, object]]:
        """Return what programs get of it."""
        if self.chart is None:
            return [
                {"type": "image", "revisions": [each.version], "url": each.url}
                for each in self.pictures
            ]
        beside = {"anchor_definitions": self.chart.anchors} if self.chart.anchors else {}
        seen = {"type": "vega", "revisions": self.versions}
        return [{**seen, **beside, "content": self.chart.spec}]


class Plots(NamedTuple):
    """Plots by the order of their definitions, and what could not be drawn."""

    drawn: tuple[Drawn, ...]
    errors: tuple[Trouble, ...]
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> list[str]:
        """What could not be drawn, and stage files that were passed over."""
        found = (
            error.msg if error.rev == workspace().name else f"{error.rev}: {error.msg}"
            for error in self.errors
        )
        return [*self.notes, *dict.fromkeys(found)]

    def to_json(self) -> dict[str, object]:
        """Return id → renderings, and errors if there are any."""
        data: dict[str, list[dict[str, object]]] = {}
        for each in self.drawn:
            data.setdefault(each.id, []).extend(each.renderings())
        found = {"errors": self.errors, "data": data}
        return {name: value for name, value in found.items() if value}


class Listed(NamedTuple):
    """One declared plot: its id, its template (`image` for a picture) and its files."""

    id: str
    template: str
    files: tuple[str, ...]


class Listing(NamedTuple):
    """The declared plots."""

    plots: tuple[Listed, ...]
    warnings: tuple[str, ...] = ()


class _Version(NamedTuple):
    """One version: its files, read once."""

    moment: Moment
    reader: Reader
    repo: Repo
    read: dict[tuple[str, bool], list[Row] | DatavcError]

    def bytes(self, path: str) -> bytes:
        """Return a file's bytes; that it is not there is an error."""
        data = self.reader.read(RepoPath(path))
        if data is None:
            raise DatavcError(f"{shown(self.repo, path)} is not there")
        return data

    def rows(self, path: str, *, header: bool) -> list[Row]:
        """Return the rows of a plot file; a failure is remembered too."""
        key = path, header
        if key not in self.read:
            try:
                self.read[key] = table(self.bytes(path), shown(self.repo, path), header=header)
            except DatavcError as error:
                self.read[key] = error
        found = self.read[key]
        if isinstance(found, DatavcError):
            raise found
        return found


def show(repo: Repo, asked: Asked, *, split: bool = False) -> Plots:
    """Return the plots of the workspace.

    Raises:
        PathError: a target lies outside the project.
        UsageError, FormatError: there is no such template, or it is none.
    """
    return _plots(repo, [workspace()], asked, split=split)


def diff(repo: Repo, revs: Sequence[str], asked: Asked, *, split: bool = False) -> Plots:
    """Return the plots of several revisions in one; by default of the workspace and HEAD.

    One revision is compared with the workspace.

    Raises:
        DatavcError: a revision does not exist.
        PathError, UsageError, FormatError: as for `show`.
    """
    wanted = [named(repo, rev) for rev in revs or ("HEAD",) if rev != workspace().name]
    if len(revs) < 2 or len(wanted) < len(revs):
        wanted.insert(0, workspace())
    return _plots(repo, list(dict.fromkeys(wanted)), asked, split=split)


def _plots(repo: Repo, moments: Iterable[Moment], asked: Asked, *, split: bool) -> Plots:
    versions = [_Version(each, Reader(repo, each.commit), repo, {}) for each in moments]
    found: dict[tuple[str, int], list[tuple[_Version, Plot]]] = {}
    notes: dict[str, None] = {}
    for version in versions:
        plots, warnings = chosen(repo, version.reader, asked)
        notes |= dict.fromkeys(warnings)
        for plot in plots:
            found.setdefault((plot.id, plot.number), []).append((version, plot))
    errors: list[Trouble] = []
    drawn: list[Drawn] = []
    for sides in found.values():
        plot = sides[0][1]
        if read.suffix(plot.id) in MEDIA and not plot.definition.y:
            drawn += _pictures(sides, errors)
        else:
            drawn += _chart(sides, errors, split=split)
    return Plots(tuple(drawn), tuple(errors), tuple(notes))


_Sides = list[tuple[_Version, Plot]]
"""One plot in each version that has it."""


def _pictures(sides: _Sides, errors: list[Trouble]) -> Iterable[Drawn]:
    """Return the pictures of one file, nothing if no version has it."""
    pictures: list[Picture] = []
    for version, plot in sides:
        path = plot.definition.path or plot.id
        try:
            data = version.bytes(path)
        except DatavcError as error:
            errors.append(_trouble(plot, version, error))
            continue
        pictures.append(Picture(version.moment.name, read.suffix(path), data))
    id_, names = sides[0][1].id, tuple(each.version for each in pictures)
    return [Drawn(id_, names, pictures=tuple(pictures))] if pictures else []


def _chart(sides: _Sides, errors: list[Trouble], *, split: bool) -> Iterable[Drawn]:
    """Return the chart of one plot, nothing if no version has its data."""
    sets: list[tuple[str, Points]] = []
    for version, plot in sides:
        header = plot.definition.properties.header

        def tables(path: str, version: _Version = version, header: bool = header) -> list[Row]:
            return version.rows(path, header=header)

        try:
            sets.append((version.moment.name, points(plot.definition, tables)))
        except DatavcError as error:
            errors.append(_trouble(plot, version, error))
    if not sets:
        return []
    version, plot = sides[0]
    asked = plot.definition.properties
    make = charts.split if split else charts.chart
    try:
        chart = make(sets, asked.title or plot.id, template(version.repo, asked.template))
    except FormatError as error:
        errors.append(_trouble(plot, version, error))
        return []
    return [Drawn(plot.id, tuple(name for name, _ in sets), chart)]


def _trouble(plot: Plot, version: _Version, error: DatavcError) -> Trouble:
    source = shown(version.repo, plot.definition.path or plot.id)
    hint = f" ({error.hint})" if error.hint else ""
    kind = type(error).__name__
    return Trouble(plot.id, version.moment.name, source, kind, error.message + hint)


def listed(repo: Repo) -> Listing:
    """Return the plots that the workspace's stage files declare."""
    plots, warnings = chosen(repo, Reader(repo, None), Asked())
    return Listing(tuple(_row(repo, plot) for plot in plots), warnings)


def _row(repo: Repo, plot: Plot) -> Listed:
    definition = plot.definition
    own = definition.path or definition.id
    files: list[str] = [file for file, _ in definition.y] or [own]
    kind = "image" if read.suffix(plot.id) in MEDIA and not definition.y else ""
    name = kind or definition.properties.template or templates.DEFAULT
    return Listed(plot.id, name, tuple(dict.fromkeys(shown(repo, file) for file in files)))
