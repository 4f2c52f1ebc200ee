"""What changed between two sets of values."""

from __future__ import annotations

from datavc.metrics.compare import Delta, compare, same


def test_only_what_changed_is_there_unless_all_is_asked_for() -> None:
    old = {"m.json": {"a": 1, "b": {"c": 2.0}}, "same.json": {"x": 1}}
    new = {"m.json": {"a": 3, "b": {"c": 2.0}}, "same.json": {"x": 1}}

    assert compare(old, new, unchanged=False) == {"m.json": {"a": Delta(1, 3)}}
    assert compare(old, new, unchanged=True) == {
        "m.json": {"a": Delta(1, 3), "b.c": Delta(2.0, 2.0)},
        "same.json": {"x": Delta(1, 1)},
    }


def test_a_file_of_one_side_alone_has_nothing_on_the_other() -> None:
    assert compare({}, {"m": {"a": 1}}, unchanged=False) == {"m": {"a": Delta(None, 1)}}
    assert compare({"m": {"a": 1}}, {}, unchanged=False) == {"m": {"a": Delta(1, None)}}


def test_numbers_have_a_change_and_nothing_else_has() -> None:
    assert Delta(1, 3).to_json() == {"old": 1, "new": 3, "diff": 2}
    for old, new in [("a", "b"), (None, 1), (True, False), ([1], [2])]:
        assert "diff" not in Delta(old, new).to_json()


def test_lists_are_compared_whole_and_shown_as_text() -> None:
    assert compare({"p": {"a": [1]}}, {"p": {"a": [1]}}, unchanged=False) == {}
    assert Delta(None, [1, 2]).to_json() == {"old": None, "new": "[1, 2]"}


def test_one_and_true_and_one_point_zero_are_three_values() -> None:
    assert not same(1, True)
    assert not same(1, 1.0)
    assert same(1.0, 1.0)
