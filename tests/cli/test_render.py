"""Values as people and programs read them; names that cannot steer a terminal."""

from __future__ import annotations

import json

import pytest

from datavc.cli import render


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1288490189, "1.2 GiB")],
)
def test_sizes_read_well(count: int, text: str):
    assert render.size(count) == text


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (0.31, "0.3 s"),
        (59.4, "59 s"),
        (59.9, "1 min 0 s"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_durations_read_well(time_s: float, text: str):
    assert render.duration(time_s) == text


def test_results_become_plain_json():
    value = {"set": {2, 1}, "bytes": b"a\xff", "name": "b\udcfe", "ü": (1, None, True)}

    text = render.json_text(value)

    text.encode()
    assert json.loads(text) == {
        "set": [1, 2],
        "bytes": "a\udcff",
        "name": "b\udcfe",
        "ü": [1, None, True],
    }


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain ü 漢.csv", "plain ü 漢.csv"),
        ("a\x1b[2J", r"a\x1b[2J"),
        ("a\nb\x9b\x7f", r"a\x0ab\x9b\x7f"),
        ("\udcff\ud800", r"\xff\ud800"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
    ],
)
def test_names_are_shown_without_what_steers_a_terminal(name: str, shown: str):
    assert render.display(name) == shown


def test_columns_line_up_by_what_is_seen():
    rows = [("漢", "1", ""), ("a\x1b", "22", "x")]

    assert list(render.table(rows)) == ["漢     1", r"a\x1b  22  x"]
    assert list(render.table([])) == []
