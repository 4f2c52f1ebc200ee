"""The sections beside `stages`: metrics, params, plots and artifacts, resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, cast

from datavc.core.paths import RepoPath
from datavc.core.stage import Artifact, PlotDefinition, PlotProperties, Value
from datavc.formats.stagefile import Definition
from datavc.pipeline.place import Place
from datavc.pipeline.resolved import Map, noted, plot_properties, texts
from datavc.pipeline.template import Misfit, grown
from datavc.pipeline.variables import Scope, plain

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")

Fields = tuple[tuple[RepoPath, "str | None"], ...]


class Sections(NamedTuple):
    """The file's folder and variables, with which its sections are read."""

    definition: Definition
    folder: str
    scope: Scope

    def metrics(self) -> tuple[RepoPath, ...]:
        """Return the metrics files besides those of stages."""
        return self._paths("metrics", cast("Value", self.definition.metrics))

    def params(self) -> tuple[RepoPath, ...]:
        """Return the parameter files besides those of stages."""
        return self._paths("params", cast("Value", self.definition.params))

    def plots(self) -> tuple[PlotDefinition, ...]:
        """Return the plots of the top level, in the file's order."""
        found = []
        for place, item in self._items("plots", cast("Value", self.definition.plots)):
            by_id = item if isinstance(item, dict) else dict.fromkeys(texts([item]))
            for id_, properties in by_id.items():
                found.append(self._plot(id_, cast("Map", properties or {}), place))
        return tuple(found)

    def artifacts(self) -> tuple[Artifact, ...]:
        """Return the named results."""
        found = []
        for written, raw in self.definition.artifacts.items():
            place = self._place("artifacts").of(cast("Value", self.definition.artifacts), written)
            resolved = cast("dict[str, Map]", self._grown({written: cast("Value", raw)}, place))
            for id_, properties in resolved.items():
                if not _ID.fullmatch(id_):
                    raise place.error(f"{id_} is no name: letters, digits and inner - will do")
                found.append(self._artifact(id_, properties, place))
        return tuple(found)

    def _place(self, section: str) -> Place:
        return Place(self.definition.document, 1, f"{section}: ")

    def _grown(self, value: Value, place: Place) -> Value:
        try:
            return plain(grown(value, self.scope))
        except Misfit as misfit:
            raise place.error(misfit.problem, misfit.hint) from misfit

    def _items(self, section: str, items: Value) -> Iterator[tuple[Place, Value]]:
        """Yield the items of a list, filled in, with their places."""
        for at, item in enumerate(cast("list[Value]", items)):
            place = self._place(section).of(items, at)
            yield place, self._grown(item, place)

    def _paths(self, section: str, items: Value) -> tuple[RepoPath, ...]:
        found = [
            place.path(self.folder, text)
            for place, item in self._items(section, items)
            for text in texts([item])
        ]
        return tuple(dict.fromkeys(found))

    def _artifact(self, id_: str, properties: Map, place: Place) -> Artifact:
        def text(key: str) -> str | None:
            return next(iter(texts([properties.get(key)])), None)

        return Artifact(
            id=id_,
            path=place.path(self.folder, text("path") or ""),
            type=text("type"),
            desc=text("desc"),
            labels=tuple(texts(properties.get("labels"))),
            meta=noted(properties.get("meta")),
        )

    def _plot(self, id_: str, properties: Map, place: Place) -> PlotDefinition:
        """Return one plot; its files are those that `y` names, or else the id itself."""
        x, y = properties.get("x"), properties.get("y")
        path = None if isinstance(y, dict) else place.path(self.folder, id_)
        shown: Fields = tuple(self._pairs(y, path, place))
        sources: list[RepoPath | None] = [file for file, _ in shown]
        across = [pair for file in sources or [path] for pair in self._pairs(x, file, place)]
        drawn = plot_properties({k: v for k, v in properties.items() if k not in ("x", "y")})
        return PlotDefinition(
            id=id_,
            x=tuple(dict.fromkeys(across)),
            y=shown,
            path=path,
            properties=drawn or PlotProperties(),
        )

    def _pairs(
        self, value: Value, path: RepoPath | None, place: Place
    ) -> Iterator[tuple[RepoPath, str | None]]:
        """Yield file and field of `x` or `y`: of `path`, or of the files that a map names."""
        if isinstance(value, dict):
            for written, fields in value.items():
                file = place.path(self.folder, written)
                yield from ((file, field) for field in _listed(fields))
        elif path is not None:
            yield from ((path, field) for field in _listed(value))


def _listed(value: Value) -> list[str]:
    return texts(value) if isinstance(value, list) else texts([value])
