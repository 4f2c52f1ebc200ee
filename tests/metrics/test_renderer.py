"""Charts as pictures, without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from datavc.core.errors import DatavcError, FormatError
from datavc.metrics import plots, renderer, templates
from datavc.metrics.points import Points

NUMBERS = Points(
    [{"step": i, "loss": 1 / (i + 1)} for i in range(9)], "step", "loss", "step", "loss"
)
NAMES = Points(
    [{"is": "a", "said": "b"}, {"is": "a", "said": "a"}, {"is": "b", "said": "b"}],
    *("is", "said", "is", "said"),
)

needs_renderer = pytest.mark.skipif(
    not renderer.is_installed(), reason="the extra `plots` is not installed"
)


@needs_renderer
@pytest.mark.parametrize("name", templates.NAMES)
def test_every_built_in_template_is_drawn(name: str) -> None:
    points = NAMES if "confusion" in name or "jitter" in name else NUMBERS
    sides = [("workspace", points), ("v1", points)]

    picture = renderer.draw(plots.chart(sides, "T", templates.built_in(name)).spec, "svg", "T")

    assert picture.startswith(b"<svg")
    assert picture.count(b"mark-") > 5


@needs_renderer
def test_a_chart_becomes_a_png() -> None:
    spec = plots.chart([("w", NUMBERS)], "T", templates.built_in("linear")).spec

    assert renderer.draw(spec, "png", "T").startswith(b"\x89PNG")


@needs_renderer
@pytest.mark.parametrize(
    "spec",
    [
        {"data": {"url": "http://127.0.0.1:9/x.json"}, "mark": "point"},
        {"data": {"url": "/etc/passwd"}, "mark": "point"},
        {"data": {"values": []}, "mark": "no such mark"},
        {},
    ],
)
def test_what_cannot_be_drawn_or_reaches_outside_is_one_sentence(spec: templates.Spec) -> None:
    with pytest.raises(FormatError, match="T cannot be drawn") as caught:
        renderer.draw(spec, "svg", "T")

    assert "\n" not in caught.value.message


@needs_renderer
def test_no_file_of_this_machine_gets_into_a_picture(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text('[{"a": "secret"}]')
    spec = {
        "data": {"url": secret.as_uri()},
        "mark": "text",
        "encoding": {"text": {"field": "a", "type": "nominal"}},
    }

    assert b"secret" not in renderer.draw(spec, "svg", "T")


@needs_renderer
def test_the_script_of_pages_is_put_together_once(tmp_path: Path) -> None:
    first = renderer.library(str(tmp_path))
    (memo,) = tmp_path.iterdir()

    assert first is not None
    assert memo.read_text() == first
    assert "</script" not in first.lower()
    assert renderer.library(str(tmp_path)) == first


def test_without_the_renderer_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer, "MODULE", "no_such_module_anywhere")

    assert renderer.library("/nowhere") is None
    with pytest.raises(DatavcError, match="vl-convert-python, which is not installed") as caught:
        renderer.draw({}, "svg", "T")
    assert "datavc[plots]" in caught.value.hint
