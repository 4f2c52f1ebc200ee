"""A stage file resolved: variables filled in, foreach and matrix spelled out, paths from the root.

Read `expand` first. What a resolved stage becomes is in pipeline/resolved.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple, cast

from datavc.core.paths import RepoPath, parent
from datavc.core.stage import Stage, StageFile, Value
from datavc.formats import stagefile
from datavc.formats.stagefile import Definition
from datavc.pipeline.params import Parsed
from datavc.pipeline.place import Place
from datavc.pipeline.rendering import USUAL, Rendering
from datavc.pipeline.resolved import Context, stage_of
from datavc.pipeline.template import Misfit, filled, grown, text_of
from datavc.pipeline.top_level import Sections
from datavc.pipeline.variables import Leaf, Scope, Tree
from datavc.pipeline.vars import VarsReader
from datavc.repo.files import Files

MAX_STAGES = 100_000
"""Stages that one file can make: more is a slip in a matrix."""

Bound = dict[str, Tree]


def expand(
    file: RepoPath,
    data: bytes,
    files: Files,
    rendering: Rendering = USUAL,
    parsed: Parsed | None = None,
) -> StageFile:
    """Return all that the stage file `file` declares, whose bytes are `data`.

    `parsed` is a memory of parameter files, which the stage files of one moment can share.

    Raises:
        FormatError: something in it, or in a file of variables, is wrong; the message names file,
            line and key.
        PathError: a file of variables cannot be read.
    """
    definition = stagefile.parse(data, file)
    reader = VarsReader(files, {} if parsed is None else parsed)
    folder, document = parent(file), definition.document
    scope = reader.beside(folder)
    scope = reader.extended(scope, cast("Value", definition.vars), folder, Place(document, 1))
    expansion = _Expansion(definition, folder, reader, rendering)
    sections = Sections(definition, folder, scope)
    return StageFile(
        file=file,
        stages=tuple(expansion.stages(scope)),
        metrics=sections.metrics(),
        params=sections.params(),
        plots=sections.plots(),
        artifacts=sections.artifacts(),
        reads=tuple(reader.reads),
    )


class _Expansion(NamedTuple):
    """The stages of one file on their way; paths are seen from `folder`."""

    definition: Definition
    folder: str
    reader: VarsReader
    rendering: Rendering

    def stages(self, scope: Scope) -> Iterator[Stage]:
        """Yield all stages, in the file's order."""
        definitions = self.definition.stages
        count = 0
        for name, raw in definitions.items():
            start = Place(self.definition.document, 1).of(cast("Value", definitions), name)
            place = start._replace(owner=f"stage {name}: ")
            for made, template, bound in self._made(name, raw, scope, place):
                count += 1
                if count > MAX_STAGES:
                    raise place.error(f"more than {MAX_STAGES:,} stages in one file")
                seen = scope._replace(tree={**scope.tree, **bound}) if bound else scope
                named = place._replace(owner=f"stage {made}: ") if bound else place
                yield self._stage(made, template, seen, named)

    def _made(
        self, name: str, raw: dict[str, Value], scope: Scope, place: Place
    ) -> Iterator[tuple[str, dict[str, Value], Bound]]:
        """Yield name, definition and variables of each stage that one definition makes."""
        axis = next((key for key in ("foreach", "matrix") if key in raw), None)
        if axis is None:
            yield name, raw, {}
            return
        where = place.of(raw, axis)
        try:
            items = grown(raw[axis], scope._replace(used={}))
        except Misfit as misfit:
            raise where.error(f"{axis}: {misfit.problem}", misfit.hint) from misfit
        made = _each(items, where) if axis == "foreach" else _combined(items, where)
        template = cast("dict[str, Value]", raw["do"]) if axis == "foreach" else raw
        for key, bound in made:
            yield f"{name}@{key}", template, bound

    def _stage(self, name: str, raw: dict[str, Value], scope: Scope, place: Place) -> Stage:
        """Return one stage, all that it says filled in."""
        scope = scope._replace(used={})
        folder = self.folder
        if "wdir" in raw:
            where = place.of(raw, "wdir")
            wdir = _filled(raw["wdir"], scope, where, None)
            folder = where._replace(owner=f"{place.owner}wdir: ").folder(folder, text_of(wdir))
        if raw.get("vars"):
            scope = self.reader.extended(scope, raw["vars"], folder, place)
        values = {
            key: _filled(value, scope, place.of(raw, key), self._options(key))
            if _may_change(value)
            else value
            for key, value in raw.items()
            if key not in ("vars", "matrix")
        }
        return stage_of(name, values, scope.used, Context(raw, place, folder))

    def _options(self, key: str) -> Rendering | None:
        """Return how maps become options, which they do in commands alone."""
        return self.rendering if key == "cmd" else None


def _filled(value: Value, scope: Scope, place: Place, rendering: Rendering | None) -> Value:
    """Return `value` with every text in it filled in.

    Raises:
        FormatError: a variable is missing or does not fit; the message names the line.
    """
    if isinstance(value, str):
        try:
            return filled(value, scope, rendering)
        except Misfit as misfit:
            raise place.error(misfit.problem, misfit.hint) from misfit
    if isinstance(value, list):
        return [
            _filled(item, scope, place.of(value, at), rendering) if _may_change(item) else item
            for at, item in enumerate(value)
        ]
    if isinstance(value, dict):
        return {
            text_of(_filled(key, scope, place.of(value, key), None)): _filled(
                held, scope, place.of(value, key), rendering
            )
            for key, held in value.items()
        }
    return value


def _may_change(value: Value) -> bool:
    """Tell quickly whether filling in could make anything else of `value`."""
    return "${" in value if isinstance(value, str) else isinstance(value, list | dict)


def _each(items: Tree, place: Place) -> Iterator[tuple[str, Bound]]:
    """Yield the end of the name and the variables for each item of `foreach`.

    Raises:
        FormatError: it is neither a list nor a map.
    """
    if isinstance(items, dict):
        for key, held in items.items():
            yield key, {"item": held, "key": Leaf(key)}
        return
    if not isinstance(items.value, list):
        shown = "null" if items.value is None else text_of(items.value)
        raise place.error(f"foreach takes a list or a map, not {shown[:40]}")
    listed = {_fragment(held): held for held in items.value}
    if None in listed:
        listed = {str(at): held for at, held in enumerate(items.value)}
    for name, held in listed.items():
        yield str(name), {"item": held}


def _combined(axes: Tree, place: Place) -> Iterator[tuple[str, Bound]]:
    """Yield the end of the name and the variables for each combination of a matrix.

    Raises:
        FormatError: an axis is no list.
    """
    if not isinstance(axes, dict) or not axes:
        raise place.error("matrix takes a map of names to lists, which is not empty")
    named: list[list[tuple[str, str, Tree]]] = []
    for axis, held in axes.items():
        items = [Leaf(key) for key in held] if isinstance(held, dict) else held.value
        if not isinstance(items, list):
            raise place.error(f"matrix: {axis} takes a list, not {str(items)[:40]}")
        named.append([])
        for at, item in enumerate(items):
            part = _fragment(item)
            named[-1].append((axis, f"{axis}{at}" if part is None else part, item))
    made = {"-".join(part for _, part, _ in chosen): chosen for chosen in product(*named)}
    for key, chosen in made.items():
        yield key, {"key": Leaf(key), "item": {axis: item for axis, _, item in chosen}}


def _fragment(item: Tree) -> str | None:
    """Return what an item adds to a name, None if it is a list or a map.

    True and false of a variable are written as Python does in names alone, as DVC has it: the
    names of what was made before stay the same.
    """
    if isinstance(item, dict) or isinstance(item.value, list):
        return None
    return str(item.value) if item.key else text_of(item.value)
