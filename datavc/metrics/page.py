"""The page: charts and pictures in one HTML file that needs no network and no other file.

What comes from data stands as text, or in blocks that no browser runs with every `<` escaped; a
policy lets only those scripts run whose digests it names, and lets nothing be loaded.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from datavc.core.errors import FormatError
from datavc.metrics.points import Row
from datavc.metrics.templates import Spec

ROWS = 100
"""Data points that a page without the renderer lists, for each chart."""
PLOTS, SCRIPTS = "{plot_divs}", "{scripts}"
"""Where a page of the user's own has the charts, and what draws them."""

MEDIA = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".svg": "image/svg+xml",
}
"""The pictures that are shown, by suffix."""

_DRAW = """
for (const block of document.querySelectorAll("script[data-chart]")) {
  const place = document.getElementById(block.dataset.chart);
  const options = {renderer: "svg", ast: true, actions: {export: true, source: false,
    compiled: false, editor: false}};
  vegaEmbed(place, JSON.parse(block.textContent), options).catch((error) => {
    place.textContent = String(error);
  });
}
"""
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #212529; background: #fff; }
section { display: inline-block; vertical-align: top; margin: 0 2rem 2rem 0; max-width: 100%; }
h2 { font-size: 1.05rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
figure { display: inline-block; margin: 0 1.5rem 1rem 0; vertical-align: top; }
figcaption { font-size: .85rem; color: #495057; }
img { max-width: 45vw; max-height: 80vh; border: 1px solid #dee2e6; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { border: 1px solid #dee2e6; padding: .1rem .6rem; text-align: left; }
pre { overflow: auto; background: #f8f9fa; padding: .5rem; max-height: 30rem; }
.missing { background: #fff3bf; padding: .5rem 1rem; }
"""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>Plots</title>
<style>{style}</style>
</head>
<body>
{plot_divs}
{scripts}
</body>
</html>
"""


class Picture(NamedTuple):
    """One picture of one version, its bytes, and the file that was written of them, if any."""

    version: str
    suffix: str
    data: bytes
    url: str = ""


class Section(NamedTuple):
    """What the page shows under one heading: a chart, or pictures side by side."""

    id: str
    spec: Spec | None = None
    pictures: Sequence[Picture] = ()


def render(sections: Iterable[Section], library: str | None, own: str | None = None) -> str:
    """Return the page; `library` is the script that gives `vegaEmbed`, None where there is none.

    `own` is a page of the user's with `{plot_divs}` in it, and `{scripts}`, both replaced.

    Raises:
        FormatError: `own` has no place for the charts.
    """
    body = [
        f"<section>{_section(number, each, library)}</section>"
        for number, each in enumerate(sections)
    ]
    if library is None:
        body.insert(0, f'<p class="missing">{html.escape(MISSING)}</p>')
    scripts = [] if library is None else [library, _DRAW]
    blocks = "\n".join(f"<script>{script}</script>" for script in scripts)
    if own is not None:
        if PLOTS not in own:
            raise FormatError(f"the page template has no {PLOTS}, so no place for plots")
        return _filled(own, {PLOTS: "\n".join(body), SCRIPTS: blocks, "{refresh_tag}": ""})
    values = {"{policy}": _policy(scripts), "{style}": _STYLE}
    return _filled(_PAGE, {**values, PLOTS: "\n".join(body), SCRIPTS: blocks})


MISSING = (
    "Charts are not drawn here: vl-convert-python is not installed. "
    "`pip install 'datavc[plots]'` adds it; data and specifications are below."
)


def json_block(value: object) -> str:
    """Return strict JSON that cannot end the element it stands in."""
    import json

    text = json.dumps(value, allow_nan=False)  # all that is not ASCII is escaped
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _filled(page: str, values: Mapping[str, str]) -> str:
    """Return `page` with each placeholder replaced once; what was put in is not looked into."""
    found = sorted((page.index(name), name) for name in values if name in page)
    parts, after = [], 0
    for start, name in found:
        parts += [page[after:start], values[name]]
        after = start + len(name)
    return "".join([*parts, page[after:]])


def _policy(scripts: Sequence[str]) -> str:
    import base64
    import hashlib

    digests = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}"


def _section(number: int, section: Section, library: str | None) -> str:
    heading = f"<h2>{html.escape(section.id)}</h2>"
    if section.spec is None:
        return heading + "".join(map(_figure, section.pictures))
    if library is None:
        return heading + _table(section.spec) + _source(section.spec)
    place = f"chart-{number}"
    block = json_block(section.spec)
    return (
        f'{heading}<div id="{place}"></div>'
        f'<script type="application/json" data-chart="{place}">{block}</script>'
    )


def _figure(picture: Picture) -> str:
    import base64

    data = base64.b64encode(picture.data).decode()
    name = html.escape(picture.version)
    image = f'<img alt="{name}" src="data:{MEDIA[picture.suffix]};base64,{data}">'
    return f"<figure>{image}<figcaption>{name}</figcaption></figure>"


def _table(spec: Spec) -> str:
    """Return the first data points of a chart as a table."""
    values = spec.get("data")
    rows: list[Row] = values.get("values", []) if isinstance(values, dict) else []
    if not isinstance(rows, list):
        return ""
    names = list(dict.fromkeys(name for row in rows[:ROWS] for name in row))
    lines = [[str(row.get(name, "")) for name in names] for row in rows[:ROWS]]
    more = f"<p>{len(rows) - ROWS:,} more points</p>" if len(rows) > ROWS else ""
    return (
        f"<table>{_line('th', names)}{''.join(_line('td', line) for line in lines)}</table>{more}"
    )


def _line(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _source(spec: Spec) -> str:
    import json

    text = html.escape(json.dumps(spec, indent=1, allow_nan=False))
    return f"<details><summary>Vega-Lite specification</summary><pre>{text}</pre></details>"
