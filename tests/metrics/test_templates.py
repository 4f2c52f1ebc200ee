"""Templates, built-in and the user's own, filled with points."""

from __future__ import annotations

import json

import pytest

from datavc.core.errors import FormatError, UsageError
from datavc.metrics import plots, templates
from datavc.metrics.points import INFERRED_Y, Points
from datavc.metrics.templates import anchor

ONE = Points([{"step": 0, "loss": 0.5}, {"step": 1, "loss": 0.25}], "step", "loss", "Step", "Loss")
TWO = Points(
    [{"step": 0, INFERRED_Y: 1, "field": "a"}, {"step": 0, INFERRED_Y: 2, "field": "b"}],
    *("step", INFERRED_Y, "step", "y"),
    varied="field",
)


@pytest.mark.parametrize("name", templates.NAMES)
@pytest.mark.parametrize("points", [ONE, TWO])
def test_a_filled_template_has_no_anchor_left(name: str, points: Points) -> None:
    template = templates.built_in(name)

    spec = plots.chart([("workspace", points), ("v1", points)], "Title", template).spec

    assert "<DVC_" not in json.dumps(spec, allow_nan=False)
    assert spec["title"]["text"] == "Title"
    assert [row["rev"] for row in spec["data"]["values"]] == ["workspace"] * 2 + ["v1"] * 2


@pytest.mark.parametrize("name", templates.NAMES)
def test_a_split_chart_has_its_data_beside_it_and_is_the_same_when_put_together(name: str) -> None:
    template = templates.built_in(name)

    apart = plots.split([("workspace", TWO)], "Title", template)

    assert anchor("DATA") in json.dumps(apart.spec)
    assert set(apart.anchors) >= {anchor("DATA"), anchor("TITLE"), anchor("X_LABEL")}
    together = templates.fill(apart.spec, apart.anchors)
    assert together == plots.chart([("workspace", TWO)], "Title", template).spec


def test_a_template_of_the_user_is_filled_at_every_anchor() -> None:
    mine = {
        "data": {"values": "<DVC_METRIC_DATA>"},
        "title": "<DVC_METRIC_TITLE> of <DVC_METRIC_X>",
        "params": ["<DVC_METRIC_ZOOM_AND_PAN>"],
        "encoding": {
            "x": {"field": "<DVC_METRIC_X>"},
            "y": {"field": "<DVC_METRIC_Y>", "title": "<DVC_METRIC_Y_LABEL>"},
            "color": "<DVC_METRIC_COLOR>",
            "strokeDash": "<DVC_METRIC_STROKE_DASH>",
        },
        "transform": [{"loess": "y", "groupby": "<DVC_METRIC_GROUP_BY>"}],
        "own": {},
    }
    template = templates.parse(json.dumps(mine).encode(), "mine.json")

    spec = plots.chart([("workspace", ONE)], "T", template).spec

    assert spec["title"] == "T of step"
    assert spec["encoding"]["x"] == {"field": "step"}
    assert spec["encoding"]["y"] == {"field": "loss", "title": "Loss"}
    assert spec["encoding"]["color"]["scale"]["domain"] == ["workspace"]
    assert "strokeDash" not in spec["encoding"]
    assert spec["transform"][0]["groupby"] == ["rev"]
    assert spec["own"] == {}


def test_data_that_look_like_an_anchor_stay_data() -> None:
    points = ONE._replace(rows=[{"step": 0, "loss": "<DVC_METRIC_TITLE>"}])

    spec = plots.chart([("w", points)], "T", templates.built_in("simple")).spec

    assert spec["data"]["values"] == [{"step": 0, "loss": "<DVC_METRIC_TITLE>", "rev": "w"}]


def test_a_dot_in_a_field_leads_to_no_inner_value() -> None:
    points = ONE._replace(rows=[{"step": 0, "a.b[0]": 1}], y="a.b[0]")

    spec = plots.chart([("w", points)], "T", templates.built_in("simple")).spec

    assert spec["encoding"]["y"]["field"] == r"a\.b\[0\]"
    assert spec["data"]["values"][0]["a.b[0]"] == 1


def test_versions_with_other_fields_do_not_go_into_one_chart() -> None:
    with pytest.raises(FormatError, match="T: v1 has other fields than workspace"):
        plots.chart([("workspace", ONE), ("v1", TWO)], "T", templates.built_in("linear"))


def test_a_template_that_does_not_exist_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no plot template 'linaer'") as caught:
        templates.built_in("linaer")

    assert "linear" in caught.value.hint


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"mark": "line"}', b"\xff", b"[" * 100_000])
def test_what_is_no_template_is_one_sentence(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"the plot template mine\.json") as caught:
        templates.parse(data, "mine.json")

    assert "\n" not in caught.value.message
