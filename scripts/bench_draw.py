"""Draws how much faster datavc is: `bench_draw.py FILE.svg` takes the rows as JSON on its input.

Runs where vl-convert-python is installed. A row has `work`, `times` and `needed`: the bar to pass,
0 if there is none. The greys are read on white and on black alike.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import vl_convert  # type: ignore[import-not-found]

GREY, FAINT = "#7b818a", "#7b818a55"
MET, MISSED = "#3b82c4", "#d9822b"
ROW_HEIGHT = 22


def specification(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the Vega-Lite of the rows: a bar each, a tick where it must reach, and its number."""
    work = {
        "field": "work",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": 420, "ticks": False, "domain": False},
    }
    times = {
        "field": "times",
        "type": "quantitative",
        "scale": {"type": "log"},
        "title": "times faster than DVC; the tick is the bar to pass",
        "axis": {"gridColor": FAINT, "format": "~g", "tickCount": 6},
    }
    colour = {"condition": {"test": "datum.times < datum.needed", "value": MISSED}, "value": MET}
    label = {"type": "text", "align": "left", "dx": 5, "color": GREY}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": rows},
        "width": 420,
        "height": {"step": ROW_HEIGHT},
        "background": None,
        "encoding": {"y": work},
        "layer": [
            {
                "mark": {"type": "bar", "height": ROW_HEIGHT - 8},
                "encoding": {"x": times, "x2": {"datum": 1}, "color": colour},
            },
            {
                "transform": [{"filter": "datum.needed > 0"}],
                "mark": {
                    "type": "tick",
                    "color": GREY,
                    "opacity": 1,
                    "thickness": 3,
                    "size": ROW_HEIGHT - 2,
                },
                "encoding": {"x": times | {"field": "needed"}},
            },
            {
                "transform": [
                    {"calculate": "format(datum.times, '.1f') + '×'", "as": "text"},
                    {"calculate": "max(datum.times, datum.needed)", "as": "end"},
                ],
                "mark": label,
                "encoding": {"x": times | {"field": "end"}, "text": {"field": "text"}},
            },
        ],
        "config": {
            "axis": {"labelColor": GREY, "titleColor": GREY, "domainColor": GREY},
            "font": "sans-serif",
            "view": {"stroke": None},
        },
    }


if __name__ == "__main__":
    svg = vl_convert.vegalite_to_svg(specification(json.load(sys.stdin)))
    Path(sys.argv[1]).write_text(svg)
