"""Which rows and fields one plot shows."""

from __future__ import annotations

import pytest

from datavc.core.errors import FormatError
from datavc.core.paths import RepoPath
from datavc.core.stage import PlotDefinition, PlotProperties
from datavc.metrics.points import INFERRED_X, INFERRED_Y, Row, points, table

P = RepoPath
TABLES: dict[str, list[Row]] = {
    "a.csv": [{"epoch": 3, "loss": 0.5, "acc": 0.1}, {"epoch": 4, "loss": 0.25, "acc": 0.2}],
    "d/train.json": [{"fpr": 0, "tpr": 1}, {"fpr": 1, "tpr": 2}],
    "d/test.json": [{"fpr": 5, "tpr": 6}],
    "steps.tsv": [{"step": 10, "loss": 1}, {"step": 20, "loss": 2}],
    "labels.csv": [{"actual": "a"}, {"actual": "b"}],
    "empty.csv": [],
}


def rows(path: str) -> list[Row]:
    return TABLES[path]


def test_a_file_alone_shows_its_last_field_over_the_number_of_the_row() -> None:
    found = points(PlotDefinition("a.csv", path=P("a.csv")), rows)

    assert (found.x, found.y, found.varied) == ("step", "acc", "")
    assert [(row["step"], row["acc"]) for row in found.rows] == [(0, 0.1), (1, 0.2)]


def test_a_step_in_the_file_counts_as_it_is() -> None:
    found = points(PlotDefinition("steps.tsv", path=P("steps.tsv")), rows)

    assert [row["step"] for row in found.rows] == [10, 20]


def test_fields_that_properties_name_are_shown_with_their_labels() -> None:
    properties = PlotProperties(x="epoch", y="loss", y_label="Loss")
    found = points(PlotDefinition("a.csv", path=P("a.csv"), properties=properties), rows)

    assert (found.x, found.y, found.x_label, found.y_label) == ("epoch", "loss", "epoch", "Loss")


def test_several_fields_of_one_file_are_lines_told_apart_by_field() -> None:
    x, y = ((P("a.csv"), "epoch"),), ((P("a.csv"), "loss"), (P("a.csv"), "acc"))
    found = points(PlotDefinition("p", x=x, y=y), rows)

    assert (found.x, found.y, found.y_label, found.varied) == ("epoch", INFERRED_Y, "y", "field")
    shown = [(row["epoch"], row[INFERRED_Y], row["field"]) for row in found.rows]
    assert shown == [(3, 0.5, "loss"), (4, 0.25, "loss"), (3, 0.1, "acc"), (4, 0.2, "acc")]


def test_one_field_of_several_files_is_told_apart_by_the_part_of_the_path_that_differs() -> None:
    files = (P("d/train.json"), P("d/test.json"))
    x, y = tuple((file, "fpr") for file in files), tuple((file, "tpr") for file in files)
    found = points(PlotDefinition("roc", x=x, y=y), rows)

    assert (found.x, found.y, found.varied) == ("fpr", "tpr", "filename")
    assert [row["filename"] for row in found.rows] == ["train.json", "train.json", "test.json"]


def test_fields_of_different_names_in_several_files_get_common_ones() -> None:
    x = ((P("a.csv"), "epoch"), (P("d/test.json"), "fpr"))
    y = ((P("a.csv"), "loss"), (P("d/test.json"), "tpr"))
    found = points(PlotDefinition("p", x=x, y=y), rows)

    assert (found.x, found.y, found.varied) == (INFERRED_X, INFERRED_Y, "filename::field")
    assert found.rows[-1][INFERRED_X] == 5
    assert found.rows[-1]["filename::field"] == "d/test.json::tpr"


def test_x_may_come_from_another_file_row_by_row() -> None:
    x, y = ((P("labels.csv"), "actual"),), ((P("a.csv"), "acc"),)
    found = points(PlotDefinition("p", x=x, y=y), rows)

    assert [(row["actual"], row["acc"]) for row in found.rows] == [("a", 0.1), ("b", 0.2)]


def test_files_that_belong_together_and_differ_in_length_are_named() -> None:
    x, y = ((P("labels.csv"), "actual"),), ((P("d/test.json"), "tpr"),)

    with pytest.raises(FormatError, match=r"labels\.csv has 2 points, but d/test\.json"):
        points(PlotDefinition("p", x=x, y=y), rows)


def test_a_field_that_is_not_there_is_named_with_those_that_are() -> None:
    wanted = PlotDefinition("a.csv", y=((P("a.csv"), "los"),), path=P("a.csv"))

    with pytest.raises(FormatError, match="a.csv has no field 'los', but epoch, loss, acc"):
        points(wanted, rows)
    with pytest.raises(FormatError, match="empty.csv has no points"):
        points(PlotDefinition("empty.csv", path=P("empty.csv")), rows)


def test_points_are_the_first_list_of_maps_in_a_structured_file() -> None:
    data = b'{"lr": 0.1, "tags": ["x"], "train": {"points": [{"a": 1}, {"a": 2}]}}'

    assert table(data, "m.json") == [{"a": 1}, {"a": 2}]
    assert table(b"- a: 1\n", "m.yaml") == [{"a": 1}]
    with pytest.raises(FormatError, match=r"m\.json has no list of points"):
        table(b'{"a": [1, 2]}', "m.json")
