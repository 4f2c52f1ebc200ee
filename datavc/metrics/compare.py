"""What changed between two sets of values, key by key."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from datavc.core.stage import Value
from datavc.metrics.read import flat


class Delta(NamedTuple):
    """One key on both sides; a side that lacks it has None."""

    old: Value
    new: Value

    @property
    def change(self) -> int | float | None:
        """How much more it has become; None unless both are numbers."""
        if not _is_number(self.old) or not _is_number(self.new):
            return None
        return self.new - self.old  # type: ignore[operator]

    def to_json(self) -> dict[str, Value]:
        """Return `old`, `new` and, of numbers, `diff`; lists as text."""
        shown: dict[str, Value] = {"old": _plain(self.old), "new": _plain(self.new)}
        change = self.change
        return shown if change is None else {**shown, "diff": change}


Deltas = dict[str, dict[str, Delta]]
"""File → dotted key → what became of it."""


def compare(old: Mapping[str, Value], new: Mapping[str, Value], *, unchanged: bool) -> Deltas:
    """Return what differs between files of the same name, sorted by file and key.

    With `unchanged` all keys of both sides are there.
    """
    found: Deltas = {}
    for file in sorted({*old, *new}):
        before, after = _keys(old.get(file)), _keys(new.get(file))
        keys = _ordered(before, after)
        deltas = {key: Delta(before.get(key), after.get(key)) for key in keys}
        kept = {
            key: delta
            for key, delta in deltas.items()
            if unchanged or not same(delta.old, delta.new)
        }
        if kept:
            found[file] = kept
    return found


def same(old: Value, new: Value) -> bool:
    """Tell whether two values are equal and of one type: 1, 1.0 and true are three."""
    return type(old) is type(new) and old == new


def _keys(value: Value) -> dict[str, Value]:
    return {} if value is None else flat(value)


def _ordered(before: Collection[str], after: Collection[str]) -> list[str]:
    return sorted({*before, *after})


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _plain(value: Value) -> Value:
    return str(value) if isinstance(value, (list, dict)) else value
