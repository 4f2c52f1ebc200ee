"""Templates: Vega-Lite specifications with anchors, in whose place the data of a plot come.

An anchor is a text `<DVC_METRIC_…>`; templates that people have are written with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from datavc.core.errors import FormatError, UsageError
from datavc.core.nearest import nearest
from datavc.core.stage import Value

Spec = dict[str, Any]
"""A specification, of whatever shape Vega-Lite allows."""

DEFAULT = "linear"
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"


def anchor(name: str) -> str:
    """Return the anchor of this name."""
    return f"<DVC_METRIC_{name}>"


DATA = anchor("DATA")
_X = {"field": anchor("X"), "title": anchor("X_LABEL")}
_Y = {"field": anchor("Y"), "title": anchor("Y_LABEL")}
_GROUP = anchor("GROUP_BY")
_ZOOM = anchor("ZOOM_AND_PAN")
_SIZE = {"width": anchor("PLOT_WIDTH"), "height": anchor("PLOT_HEIGHT")}


def _chart(**rest: object) -> Spec:
    title = {"text": anchor("TITLE"), "anchor": "middle"}
    return {"$schema": SCHEMA, "data": {"values": DATA}, "title": title, **rest}


def _axes(kind: str, **rest: object) -> Spec:
    """Return both axes of a chart of numbers, coloured by version."""
    scale: Spec = {"scale": {"zero": False, "padding": 6}} if kind == "quantitative" else {}
    x, y = ({**axis, "type": kind, **scale} for axis in (_X, _Y))
    return {"x": x, "y": y, "color": anchor("COLOR"), **rest}


def _simple() -> Spec:
    dash, tip = anchor("STROKE_DASH"), anchor("TOOLTIP")
    axes = _axes("quantitative", strokeDash=dash, tooltip=tip)
    mark = {"type": "line", "tooltip": {"content": "data"}}
    return _chart(**_SIZE, params=[_ZOOM], mark=mark, encoding=axes)


def _linear() -> Spec:
    near = {"type": "point", "nearest": True, "on": "pointerover", "clear": "pointerout"}
    hidden = {"condition": {"param": "near", "empty": False, "value": 1}, "value": 0}
    points = {
        "params": [{"name": "near", "select": near}],
        "mark": {"type": "point", "filled": True, "size": 60},
        "encoding": {"opacity": hidden, "tooltip": anchor("TOOLTIP")},
    }
    line = {"params": [_ZOOM], "mark": "line", "encoding": {"strokeDash": anchor("STROKE_DASH")}}
    return _chart(**_SIZE, encoding=_axes("quantitative"), layer=[line, points])


def _smooth() -> Spec:
    slider = {"input": "range", "min": 0.01, "max": 1, "step": 0.01, "name": "smoothness "}
    smoothed = {
        "loess": anchor("Y"),
        "on": anchor("X"),
        "groupby": _GROUP,
        "bandwidth": {"signal": "smooth"},
    }
    dash = {"strokeDash": anchor("STROKE_DASH")}
    raw = {"params": [_ZOOM], "mark": {"type": "line", "strokeOpacity": 0.25}, "encoding": dash}
    line = {"transform": [smoothed], "mark": "line", "encoding": dash}
    return _chart(
        **_SIZE,
        params=[{"name": "smooth", "value": 0.3, "bind": slider}],
        encoding=_axes("quantitative"),
        layer=[line, raw],
    )


def _scatter() -> Spec:
    axes = _axes("quantitative", shape=anchor("SHAPE"), tooltip=anchor("TOOLTIP"))
    return _chart(**_SIZE, params=[_ZOOM], mark={"type": "point", "filled": True}, encoding=axes)


def _scatter_jitter() -> Spec:
    moved = {f"{axis}Offset": {"field": f"{axis}_jitter", "type": "quantitative"} for axis in "xy"}
    shape, tip = anchor("SHAPE"), anchor("TOOLTIP")
    axes = _axes("nominal", shape=shape, tooltip=tip, **moved)
    jitter = [{"calculate": "random()", "as": f"{axis}_jitter"} for axis in "xy"]
    return _chart(**_SIZE, transform=jitter, mark="point", encoding=axes)


def _matrix(field: str, shown: Spec, steps: list[Spec]) -> Spec:
    """Return a matrix of how often x meets y, a column for each version."""
    counted = {
        "aggregate": [{"op": "count", "as": "count"}],
        "groupby": [_X["field"], _Y["field"]],
    }
    dark = {"condition": {"test": f"datum.{field} > datum.most / 2", "value": "white"}}
    most = {"joinaggregate": [{"op": "max", "field": field, "as": "most"}], "groupby": []}
    axes = {"x": {**_X, "type": "nominal"}, "y": {**_Y, "type": "nominal"}}
    value = {"field": field, "type": "quantitative", **shown}
    tip = [{**axes["x"]}, {**axes["y"]}, value]
    cells = {"mark": "rect", "encoding": {"color": value, "tooltip": tip}}
    texts = {"mark": "text", "encoding": {"text": value, "color": {**dark, "value": "black"}}}
    columns: Spec = {"field": "rev", "sort": [], "title": None}
    return _chart(
        facet={"column": columns, "row": anchor("ROW")},
        spec={
            **_SIZE,
            "transform": [counted, *steps, most],
            "encoding": axes,
            "layer": [cells, texts],
        },
    )


def _confusion() -> Spec:
    return _matrix("count", {"title": "count"}, [])


def _confusion_normalized() -> Spec:
    total = {
        "joinaggregate": [{"op": "sum", "field": "count", "as": "total"}],
        "groupby": [_Y["field"]],
    }
    share = {"calculate": "datum.count / datum.total", "as": "share"}
    scale = {"domain": [0, 1]}
    matrix = _matrix("share", {"title": "share", "format": ".2f"}, [total, share])
    matrix["spec"]["layer"][0]["encoding"]["color"]["scale"] = scale
    return matrix


def _bars(order: str | None) -> Spec:
    bars = {
        "x": {**_X, "type": "quantitative"},
        "y": {**_Y, "type": "nominal", "sort": order},
        "yOffset": {"field": "rev", "sort": []},
        "color": anchor("COLOR"),
        "column": anchor("COLUMN"),
        "tooltip": anchor("TOOLTIP"),
    }
    return _chart(**_SIZE, mark="bar", encoding=bars)


_BUILT_IN: Mapping[str, Callable[[], Spec]] = {
    "linear": _linear,
    "simple": _simple,
    "scatter": _scatter,
    "scatter_jitter": _scatter_jitter,
    "smooth": _smooth,
    "confusion": _confusion,
    "confusion_normalized": _confusion_normalized,
    "bar_horizontal": lambda: _bars(None),
    "bar_horizontal_sorted": lambda: _bars("-x"),
}
NAMES = tuple(_BUILT_IN)
"""The templates that come with datavc."""


def built_in(name: str) -> Spec:
    """Return a template that comes with datavc.

    Raises:
        UsageError: there is none of this name.
    """
    if name not in _BUILT_IN:
        near = nearest(name, NAMES)
        hint = f"did you mean {near}?" if near else "`datavc plots templates` lists them"
        raise UsageError(f"there is no plot template {name!r}", hint)
    return _BUILT_IN[name]()


def parse(data: bytes, where: str) -> Spec:
    """Return the template in a file.

    Raises:
        FormatError: it is no JSON object, or has no place for data.
    """
    import json

    try:
        spec = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the plot template {where} is not JSON: {error}") from error
    if not isinstance(spec, dict) or DATA.encode() not in data:
        raise FormatError(f"the plot template {where} has no {DATA}, so no place for data")
    return spec


def fill(part: Any, anchors: Mapping[str, Value]) -> Any:  # noqa: ANN401 - any part of a specification
    """Return a part of a template with anchors replaced; without those whose value is empty."""
    if isinstance(part, str):
        return _replaced(part, anchors)
    if isinstance(part, dict):
        filled = {key: fill(inner, anchors) for key, inner in part.items()}
        return {key: new for key, new in filled.items() if new != {} or part[key] == {}}
    if isinstance(part, list):
        return [new for inner in part if (new := fill(inner, anchors)) != {} or inner == {}]
    return part


def _replaced(text: str, anchors: Mapping[str, Value]) -> Value:
    if "<DVC_METRIC_" not in text:
        return text
    if text in anchors:
        return anchors[text]
    for name, value in anchors.items():
        if isinstance(value, (str, int, float)):
            text = text.replace(name, str(value))
    return text
