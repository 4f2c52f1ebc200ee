"""Data points: the rows of plot files, and which fields of which files one plot shows."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from datavc.core.errors import FormatError
from datavc.core.stage import PlotDefinition, Value
from datavc.metrics import read

Row = dict[str, Value]
Tables = Callable[[str], list[Row]]
"""Returns the rows of a file of one version.

Raises:
    DatavcError: it is not there, or no table.
"""

STEP = "step"
"""The field of the x axis where none is named: the file's own, else the number of the row."""
INFERRED_X, INFERRED_Y = "dvc_inferred_x_value", "dvc_inferred_y_value"
"""Where a value stands in a row if it has not one name in all; existing charts know these."""


class Points(NamedTuple):
    """Rows that one chart draws: the fields of its axes, their names for people.

    `varied` is the field that tells the lines of one version apart, empty if there is one line.
    """

    rows: list[Row]
    x: str
    y: str
    x_label: str
    y_label: str
    varied: str = ""


class _Line(NamedTuple):
    """One field of one file over another, which may come from another file."""

    file: str
    y: str
    x_file: str
    x: str | None


def table(data: bytes, path: str, *, header: bool = True) -> list[Row]:
    """Return the rows that a file holds: of a table, or the first list of maps in it.

    Raises:
        FormatError: it cannot be read, or holds no such list.
    """
    if read.suffix(path) in read.DELIMITERS:
        return read.rows(data, path, header=header)
    level = [read.parse(data, path)]
    while level:
        for value in level:
            if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
                return [row for row in value if isinstance(row, dict)]
        level = [inner for value in level if isinstance(value, dict) for inner in value.values()]
    raise FormatError(f"{path} has no list of points to draw")


def points(plot: PlotDefinition, tables: Tables) -> Points:
    """Return what `plot` shows of one version.

    Raises:
        FormatError: a file has no such field, or two files that belong together differ in length.
        DatavcError: a file cannot be read.
    """
    lines = list(_lines(plot, tables))
    ys, files = {line.y for line in lines}, {line.file for line in lines}
    xs = {line.x or STEP for line in lines}
    varied = "::".join(
        name for name, set_ in (("filename", files), ("field", ys)) if len(set_) > 1
    )
    x = next(iter(xs)) if len(xs) == 1 else INFERRED_X
    y = next(iter(ys)) if len(ys) == 1 else INFERRED_Y
    short = _shortened(files)
    rows: list[Row] = []
    for line in lines:
        marks = {"filename": short[line.file], "field": line.y}
        mark = "::".join(marks[part] for part in varied.split("::")) if varied else ""
        for row in _drawn(line, tables):
            shown = {**row, x: row[line.x or STEP], y: row[line.y]}
            rows.append({**shown, varied: mark} if varied else shown)
    asked = plot.properties
    x_label = asked.x_label or ("x" if x == INFERRED_X else x)
    y_label = asked.y_label or ("y" if y == INFERRED_Y else y)
    return Points(rows, x, y, x_label, y_label, varied)


def _lines(plot: PlotDefinition, tables: Tables) -> Iterable[_Line]:
    """Yield the lines of a plot, every field known by name."""
    own = plot.path or plot.id
    wanted: Sequence[tuple[str, str | None]] = plot.y or ((own, plot.properties.y),)
    across: Sequence[tuple[str, str | None]] = plot.x or ((own, plot.properties.x),)
    for number, (file, field) in enumerate(wanted):
        y = field or _last(file, tables(file))
        beside = [pair for pair in across if pair[0] == file]
        pairs = beside or across
        x_file, x = pairs[number] if len(pairs) == len(wanted) else pairs[0]
        if x is None:
            x_file = file
        yield _Line(file, y, x_file, x)


def _last(file: str, rows: list[Row]) -> str:
    """Return the last field, which is drawn if none is named."""
    if not rows or not rows[0]:
        raise FormatError(f"{file} has no points")
    return list(rows[0])[-1]


def _drawn(line: _Line, tables: Tables) -> list[Row]:
    """Return the rows of one line, in which both fields stand."""
    rows = tables(line.file)
    _require(line.file, rows, line.y)
    if line.x is None:
        return [{**row, STEP: row.get(STEP, number)} for number, row in enumerate(rows)]
    across = rows if line.x_file == line.file else tables(line.x_file)
    _require(line.x_file, across, line.x)
    if len(across) != len(rows):
        raise FormatError(
            f"{line.x_file} has {len(across)} points, but {line.file}, which belongs to it, "
            f"{len(rows)}"
        )
    return [
        {**row, line.x: other.get(line.x), line.y: row.get(line.y)}
        for row, other in zip(rows, across, strict=True)
    ]


def _require(file: str, rows: list[Row], field: str) -> None:
    if rows and not any(field in row for row in rows):
        raise FormatError(f"{file} has no field {field!r}, but {', '.join(rows[0]) or 'none'}")


def _shortened(files: Iterable[str]) -> dict[str, str]:
    """Return each file without the folder that all lie in."""
    found = list(files)
    folder = posixpath.commonpath([posixpath.dirname(file) for file in found])
    return {file: posixpath.relpath(file, folder or ".") for file in found}
