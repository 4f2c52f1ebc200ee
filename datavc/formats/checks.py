"""Checks of what people wrote: small functions of a value that name the first fault, put together.

A fault knows where it is by the list or map that holds it, so the reader can name the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from datavc.core.nearest import nearest
from datavc.formats.strict_yaml import Value

OTHER_WORDS = {
    "command": "cmd",
    "commands": "cmd",
    "depends": "deps",
    "dependencies": "deps",
    "outputs": "outs",
    "parameters": "params",
}
"""Words that people write in place of keys, with the keys."""


class Fault(NamedTuple):
    """What is wrong with `subject`. `place` is its list or map, and which key or item it is."""

    problem: str
    hint: str = ""
    subject: str = ""
    place: tuple[Value, str | int] | None = None

    def inside(self, container: Value, key: str | int) -> Fault:
        """Return the same fault as seen from `container`; a deeper place stays."""
        if self.place is None:
            subject = key if isinstance(key, str) else f"item {key + 1}"
            return self._replace(subject=subject, place=(container, key))
        if isinstance(self.place[1], int) and isinstance(key, str) and " of " not in self.subject:
            return self._replace(subject=f"{self.subject} of {key}")
        return self

    def __str__(self) -> str:
        """Return it as a sentence."""
        return f"{self.subject} {self.problem}".strip()


Check: TypeAlias = Callable[[Value], "Fault | None"]
Keys: TypeAlias = Mapping[str, Check]


def text(value: Value) -> Fault | None:
    """Refuse what is not text; numbers and words that YAML reads as such need quotes."""
    if isinstance(value, str):
        return None
    if value is None or isinstance(value, list | dict):
        return Fault(f"must be text, not {kind(value)}")
    return Fault(f"must be text, not {kind(value)}", "put it in quotes")


def flag(value: Value) -> Fault | None:
    """Refuse what is not true or false."""
    return None if isinstance(value, bool) else Fault(f"must be true or false, not {kind(value)}")


def number_or_text(value: Value) -> Fault | None:
    """Refuse lists, maps, true, false and null."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return None
    return Fault(f"must be a number, not {kind(value)}")


def empty(value: Value) -> Fault | None:
    """Refuse what is there at all."""
    return None if value is None else Fault("must be empty")


def a_map(value: Value) -> Fault | None:
    """Refuse what is not a map."""
    return None if isinstance(value, dict) else Fault(f"must be a map, not {kind(value)}")


def a_list(value: Value) -> Fault | None:
    """Refuse what is not a list."""
    return None if isinstance(value, list) else Fault(f"must be a list, not {kind(value)}")


def anything(_: Value) -> Fault | None:
    """Refuse nothing."""
    return None


@dataclass(frozen=True, slots=True)
class Refused:
    """A check that refuses a key that people may expect here; no hint offers the key."""

    problem: str
    hint: str = ""

    def __call__(self, _: Value) -> Fault:
        """Return the fault."""
        return Fault(self.problem, self.hint)


def never(problem: str, hint: str = "") -> Check:
    """Return a check that refuses a key that people may expect here."""
    return Refused(problem, hint)


def matching(pattern: str, problem: str) -> Check:
    """Return a check for text of one shape."""
    found = re.compile(pattern).fullmatch
    return lambda value: text(value) or (None if found(str(value)) else Fault(problem))


def either(problem: str, *checks: Check) -> Check:
    """Return a check that one of `checks` must pass; a fault inside the right kind is told."""

    def check(value: Value) -> Fault | None:
        deepest = None
        for one in checks:
            fault = one(value)
            if fault is None:
                return None
            deepest = deepest or (fault if fault.place else None)
        return deepest or Fault(f"{problem}, not {kind(value)}")

    return check


def list_of(check_item: Check) -> Check:
    """Return a check of a list and each of its items; nothing counts as an empty list."""

    def check(value: Value) -> Fault | None:
        if not isinstance(value, list):
            return None if value is None else Fault(f"must be a list, not {kind(value)}")
        for at, item in enumerate(value):
            if fault := check_item(item):
                return fault.inside(value, at)
        return None

    return check


def map_of(check_value: Check) -> Check:
    """Return a check of a map with any keys; nothing counts as an empty map."""

    def check(value: Value) -> Fault | None:
        if not isinstance(value, dict):
            return None if value is None else Fault(f"must be a map, not {kind(value)}")
        for key, held in value.items():
            if fault := check_value(held):
                return fault.inside(value, key)
        return None

    return check


def keyed(keys: Keys, required: tuple[str, ...] = ()) -> Check:
    """Return a check of a map that may hold `keys` alone, each of which has its check."""

    def check(value: Value) -> Fault | None:
        if not isinstance(value, dict):
            return Fault(f"must be a map, not {kind(value)}")
        for key, held in value.items():
            found = keys.get(key)
            fault = found(held) if found else _unknown(key, keys)
            if fault:
                return fault.inside(value, key)
        missing = next((key for key in required if key not in value), None)
        return Fault(f"has no {missing}") if missing else None

    return check


def _unknown(key: str, keys: Keys) -> Fault:
    offered = [known for known, check in keys.items() if not isinstance(check, Refused)]
    other = OTHER_WORDS.get(key.lower())
    meant = other if other in offered else nearest(key, offered)
    listed = ", ".join(sorted(offered))
    return Fault("is no key here", f"did you mean {meant}?" if meant else f"one of: {listed}")


def kind(value: Value) -> str:
    """Return what a value is, in words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {str(value)[:40]}"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list | dict):
        return "a map" if isinstance(value, dict) else "a list"
    return "empty"
