"""Charts: data points and a template become one Vega-Lite specification."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from datavc.core.errors import FormatError
from datavc.core.stage import Value
from datavc.metrics import templates
from datavc.metrics.points import Points, Row
from datavc.metrics.templates import Spec, anchor

SIZE = 300
"""Width and height of a chart in pixels."""
COLOURS = (
    *("#4c6ef5", "#f76707", "#12b886", "#e64980", "#fab005", "#7048e8", "#15aabf", "#868e96"),
)
DASHES: tuple[list[Value], ...] = ([1, 0], [8, 8], [8, 4], [4, 4], [4, 2], [2, 1], [1, 1])
SHAPES = ("circle", "square", "triangle", "diamond", "cross")

KEPT = (
    *("DATA", "TITLE", "X_LABEL", "Y_LABEL", "PLOT_WIDTH", "PLOT_HEIGHT", "COLOR"),
    *("ZOOM_AND_PAN", "STROKE_DASH", "SHAPE", "TOOLTIP", "ROW", "COLUMN"),
)
"""Anchors that stay in a specification whose data are handed over beside it."""

_SPECIAL = re.compile(r"([.\[\]\\])")


class Chart(NamedTuple):
    """A specification; in one that keeps anchors, `anchors` has what belongs in their place."""

    spec: Spec
    anchors: dict[str, Value]


def chart(versions: Sequence[tuple[str, Points]], title: str, template: Spec) -> Chart:
    """Return `template` filled with the points of several versions, each under its name.

    Raises:
        FormatError: the versions do not have the same fields.
    """
    values = anchors(versions, title)
    return Chart(templates.fill(template, values), {})


def split(versions: Sequence[tuple[str, Points]], title: str, template: Spec) -> Chart:
    """Return `template` with the anchors of data left in it, and what they stand for.

    Raises:
        FormatError: the versions do not have the same fields.
    """
    values = anchors(versions, title)
    kept = {anchor(name) for name in KEPT}
    spec = templates.fill(template, {k: v for k, v in values.items() if k not in kept})
    used = _strings(spec)
    beside = {key: value for key, value in values.items() if key in kept & used and value != {}}
    return Chart(spec, beside)


def anchors(versions: Sequence[tuple[str, Points]], title: str) -> dict[str, Value]:
    """Return what stands for each anchor."""
    first = versions[0][1]
    for name, points in versions:
        if (points.x, points.y, points.varied) != (first.x, first.y, first.varied):
            raise FormatError(
                f"{title}: {name} has other fields than {versions[0][0]}, so they do not go "
                "into one chart"
            )
    names = [name for name, _ in versions]
    rows: list[Value] = [{**row, "rev": name} for name, found in versions for row in found.rows]
    x, y, varied = _escaped(first.x), _escaped(first.y), first.varied
    groups: list[Value] = ["rev", varied] if varied else ["rev"]
    tips = ["rev", x, y, *([varied] if varied else [])]
    apart = f"datum.rev + '::' + datum['{varied}']" if varied else "datum.rev"
    across: Value = {"field": varied, "sort": []} if varied else {}
    values: dict[str, Value] = {
        "DATA": rows,
        "TITLE": _one_line(title),
        "X": x,
        "Y": y,
        "X_LABEL": _one_line(first.x_label),
        "Y_LABEL": _one_line(first.y_label),
        "PLOT_WIDTH": SIZE,
        "PLOT_HEIGHT": SIZE,
        "COLOR": _scale("rev", names, COLOURS),
        "STROKE_DASH": _by_line(first.rows, varied, DASHES),
        "SHAPE": _by_line(first.rows, varied, SHAPES),
        "TOOLTIP": [{"field": field} for field in dict.fromkeys(tips)],
        "ZOOM_AND_PAN": {"name": "grid", "select": "interval", "bind": "scales"},
        "GROUP_BY": groups,
        "GROUP_BY_X": [*groups, x],
        "GROUP_BY_Y": [*groups, y],
        "PIVOT_FIELD": apart,
        "ROW": across,
        "COLUMN": across,
    }
    return {anchor(name): value for name, value in values.items()}


def _one_line(text: str) -> str:
    """Return a text for people as Vega's expressions take it: U+2028 in one breaks them."""
    return " ".join(text.splitlines())


def _escaped(field: str) -> str:
    """Return a field's name as Vega-Lite reads it: a dot in it leads to no inner value."""
    return _SPECIAL.sub(r"\\\1", field)


def _scale(field: str, names: Sequence[str], values: Sequence[Value]) -> dict[str, Value]:
    chosen: list[Value] = [values[number % len(values)] for number in range(len(names))]
    return {"field": field, "scale": {"domain": list(names), "range": chosen}}


def _by_line(rows: Sequence[Row], varied: str, values: Sequence[Value]) -> Value:
    if not varied:
        return {}
    names = sorted({str(row[varied]) for row in rows})
    legend: Value = {"symbolFillColor": "transparent", "symbolStrokeColor": "grey"}
    return {**_scale(varied, names, values), "legend": legend}


def _strings(part: object) -> set[str]:
    """Return all texts in a specification."""
    if isinstance(part, str):
        return {part}
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return {text for each in inner for text in _strings(each)}
