"""Metrics files to values: every format, tables, and whatever else may lie there."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datavc.core.errors import FormatError
from datavc.metrics import read


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("m.json", '{"acc": 0.5, "by": {"cat": 1}}'),
        ("m.yaml", "acc: 0.5\nby:\n  cat: 1\n"),
        ("m.yml", "{acc: 0.5, by: {cat: 1}}"),
        ("m.toml", "acc = 0.5\n[by]\ncat = 1\n"),
        ("m", "acc: 0.5\nby: {cat: 1}\n"),
    ],
)
def test_all_formats_say_the_same(path: str, text: str) -> None:
    assert read.parse(text.encode(), path) == {"acc": 0.5, "by": {"cat": 1}}


@pytest.mark.parametrize(("path", "sign"), [("m.csv", ","), ("m.TSV", "\t")])
def test_a_table_says_the_values_of_its_last_row(path: str, sign: str) -> None:
    text = f"step{sign}loss\n0{sign}0.5\n1{sign}0.25\n"

    assert read.parse(text.encode(), path) == {"step": 1, "loss": 0.25}
    assert read.parse(b"", path) == {}


def test_cells_are_numbers_only_where_they_are_written_as_numbers() -> None:
    (row,) = read.rows(b"a,b,c,d,e,f,g,h\n1,-2.5e3,007,1_0,nan,1e999,,x\n", "t.csv")

    assert row == {
        "a": 1,
        "b": -2500.0,
        "c": "007",
        "d": "1_0",
        "e": "nan",
        "f": "1e999",
        "g": "",
        "h": "x",
    }


def test_a_table_without_header_has_numbered_columns() -> None:
    assert read.rows(b"5,6\n7,8\n", "t.csv", header=False) == [{"0": 5, "1": 6}, {"0": 7, "1": 8}]


def test_a_row_that_was_cut_off_while_being_written_does_not_count() -> None:
    assert read.rows(b"step\tloss\n0\t1\n1", "t.tsv") == [{"step": 0, "loss": 1}]
    assert read.rows(b"step\tloss\n0\t1\n1\n", "t.tsv")[-1] == {"step": 1}


def test_a_row_with_more_cells_than_the_header_is_named() -> None:
    with pytest.raises(FormatError, match=r"t\.csv: row 3 has 3 cells, but there are 2 columns"):
        read.rows(b"a,b\n1,2\n1,2,3\n", "t.csv")


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("m.json", b'{"a": '),
        ("m.json", b"\xff\xfe"),
        ("m.json", b"[" * 100_000),
        ("m.json", b'{"a":' * 500 + b"1" + b"}" * 500),
        ("m.json", b'{"a": ' + b"9" * 5000 + b"}"),
        ("m.yaml", b"a: [1\n"),
        ("m.yaml", b"- " * 5000),
        ("m.toml", b"a = \n"),
        ("m.toml", b"a = " + b"[" * 5000),
        ("m.csv", b"\xff,\xfe\n"),
        ("m.csv", b'a\n"' + b"x" * 200_000),
    ],
)
def test_what_cannot_be_read_is_one_sentence_that_names_the_file(path: str, data: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        read.parse(data, path)

    assert path in caught.value.message
    assert "\n" not in caught.value.message


@given(st.binary(max_size=200), st.sampled_from(["m.json", "m.yaml", "m.toml", "m.csv", "m.tsv"]))
def test_any_bytes_give_a_value_or_a_sentence(data: bytes, path: str) -> None:
    try:
        value = read.parse(data, path)
    except FormatError:
        return
    json.dumps(read.flat(read.measures(value)), allow_nan=False)


def test_metrics_have_neither_lists_nor_nulls_nor_what_is_made_of_them_alone() -> None:
    value = read.parse(b'{"a": 1, "b": [1], "c": null, "d": {"e": []}, "f": {"g": "x"}}', "m.json")

    assert read.measures(value) == {"a": 1, "f": {"g": "x"}}
    assert read.measures([1]) == {}


def test_keys_of_nested_maps_are_joined_by_dots() -> None:
    assert read.flat({"a": {"b": {"c": 1}, "d": []}, "e": {}}) == {"a.b.c": 1, "a.d": [], "e": {}}
    assert read.flat(3) == {"": 3}
