"""The renderer: vl-convert-python, which brings Vega-Lite along and needs no browser."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
from functools import cache
from types import ModuleType
from typing import Literal

from datavc.core.errors import DatavcError, FormatError
from datavc.metrics.page import json_block
from datavc.metrics.templates import Spec
from datavc.store import atomic

MODULE, PACKAGE = "vl_convert", "vl-convert-python"
VERSION = "5."
"""The Vega-Lite that templates of today are written for."""
SCALE = 2.0
"""Pixels of a PNG for each of the chart's."""

Format = Literal["svg", "png"]


def is_installed() -> bool:
    """Tell whether charts can be drawn."""
    return importlib.util.find_spec(MODULE) is not None


def library(folder: str) -> str | None:
    """Return the script that gives `vegaEmbed`, None where the renderer is not installed.

    To put it together takes more than a second, so it is remembered below `folder`.
    """
    if not is_installed():
        return None
    from importlib.metadata import version

    memo = os.path.join(folder, f"{MODULE}-{version(PACKAGE)}.js")
    try:
        with open(memo, encoding="utf-8") as stream:
            return stream.read()
    except OSError:
        module = importlib.import_module(MODULE)
    script = str(module.javascript_bundle(vl_version=_version(module)))
    with contextlib.suppress(OSError):
        atomic.write_text(memo, script, durable=False)
    return script


def draw(spec: Spec, form: Format, title: str) -> bytes:
    """Return a chart as a picture.

    Raises:
        DatavcError: the renderer is not installed.
        FormatError: it cannot draw the specification.
    """
    if not is_installed():
        raise DatavcError(
            f"a chart becomes {form.upper()} by vl-convert-python, which is not installed",
            "`pip install 'datavc[plots]'` adds it",
        )
    module = importlib.import_module(MODULE)
    options = {"vl_version": _version(module), "allowed_base_urls": []}
    text = json_block(spec)
    try:
        if form == "svg":
            return str(module.vegalite_to_svg(text, **options)).encode()
        return bytes(module.vegalite_to_png(text, scale=SCALE, **options))
    except ValueError as error:
        reason = " ".join(str(error).splitlines()[:2])
        raise FormatError(f"{title} cannot be drawn: {reason[:300]}") from error


@cache
def _version(module: ModuleType) -> str:
    """Return the newest Vega-Lite that fits."""
    known = [str(version) for version in module.get_vegalite_versions()]
    fitting = [version for version in known if version.startswith(VERSION)]
    return max(fitting or known, key=lambda version: [int(part) for part in version.split(".")])
