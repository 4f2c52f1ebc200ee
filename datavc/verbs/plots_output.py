"""Writing plots down: one page for the browser, or a picture of each chart."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from datavc.core.errors import PathError, UsageError
from datavc.metrics import page, renderer
from datavc.metrics.page import Picture, Section
from datavc.metrics.renderer import Format
from datavc.repo.repo import Repo
from datavc.store import atomic
from datavc.verbs.plots import Drawn, Plots

FOLDER = "datavc_plots"
"""Where plots are written if nobody says where; Git ignores it."""
PAGE = "index.html"

_STRANGE = re.compile(r"[^A-Za-z0-9._-]+")


class Written(NamedTuple):
    """The files that were written, absolute, the page first; whether charts could be drawn."""

    files: tuple[str, ...]
    drawn: bool
    warnings: list[str]


def write_page(repo: Repo, plots: Plots, out: str | None, own: str | None) -> Written:
    """Write one page of all plots into the folder `out`, or into that file if it is an HTML one.

    `own` is the path of a page of the user's that the plots are put into.

    Raises:
        PathError: a file cannot be read or written.
        FormatError: the user's page has no place for plots.
    """
    target = os.path.join(repo.here, out or FOLDER)
    file = target if target.endswith((".html", ".htm")) else os.path.join(target, PAGE)
    library = renderer.library(repo.layout.state)
    frame = None if own is None else _text(os.path.join(repo.here, own), own)
    sections = (
        Section(each.id, each.chart.spec if each.chart else None, each.pictures)
        for each in plots.drawn
    )
    text = page.render(sections, library, frame)
    _write(file, text.encode("utf-8", "replace"), ignored=out is None)
    charts = any(each.chart for each in plots.drawn)
    missing = [page.MISSING] if charts and library is None else []
    return Written((file,), library is not None, [*plots.warnings, *missing])


def write_charts(repo: Repo, plots: Plots, out: str | None, form: Format) -> Written:
    """Write each chart as a picture of its own into the folder `out`, and the pictures too.

    Raises:
        DatavcError: the renderer is not installed, or cannot draw one.
        PathError: a file cannot be written.
    """
    folder = os.path.join(repo.here, out or FOLDER)
    names: set[str] = set()
    files: dict[str, bytes] = {}
    for each in plots.drawn:
        if each.chart is not None:
            name = _name(each.id, f".{form}", names)
            files[os.path.join(folder, name)] = renderer.draw(each.chart.spec, form, each.id)
        for picture in each.pictures:
            files[os.path.join(folder, _picture_name(each, picture, names))] = picture.data
    for file, data in files.items():
        _write(file, data, ignored=out is None)
    return Written(tuple(files), True, plots.warnings)


def with_pictures(repo: Repo, plots: Plots, out: str | None) -> Plots:
    """Write the pictures of `plots` into the folder `out` and return where they are.

    Raises:
        PathError: a file cannot be written.
        UsageError: `out` is a page, not a folder.
    """
    if not any(each.pictures for each in plots.drawn):
        return plots
    if out is not None and out.endswith((".html", ".htm")):
        raise UsageError(f"with --json pictures are written into a folder, not into {out}")
    folder = os.path.join(repo.here, out or FOLDER)
    names: set[str] = set()
    found: list[Drawn] = []
    for each in plots.drawn:
        pictures: list[Picture] = []
        for picture in each.pictures:
            file = os.path.join(folder, _picture_name(each, picture, names))
            _write(file, picture.data, ignored=out is None)
            pictures.append(picture._replace(url=file))
        found.append(each._replace(pictures=tuple(pictures)))
    return plots._replace(drawn=tuple(found))


def _picture_name(drawn: Drawn, picture: Picture, taken: set[str]) -> str:
    stem = drawn.id.removesuffix(picture.suffix)
    return _name(f"{picture.version}_{stem}", picture.suffix, taken)


def _name(text: str, suffix: str, taken: set[str]) -> str:
    """Return a harmless file name for `text` that is not yet `taken`, and take it."""
    stem = _STRANGE.sub("_", text).lstrip(".")[:150] or "plot"
    name, number = stem + suffix, 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}{suffix}"
    taken.add(name.lower())
    return name


def _text(file: str, said: str) -> str:
    try:
        with open(file, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError as error:
        raise PathError(f"{said} cannot be read: {error.strerror}") from error


def _write(file: str, data: bytes, *, ignored: bool) -> None:
    folder = os.path.dirname(file)
    try:
        os.makedirs(folder, exist_ok=True)
        mark = os.path.join(folder, ".gitignore")
        if ignored and not os.path.lexists(mark):
            atomic.write_bytes(mark, b"*\n", durable=False)
        atomic.write_bytes(file, data, durable=False)
    except OSError as error:
        raise PathError(f"{file} cannot be written: {error.strerror}") from error
