"""YAML 1.2 as far as we read it: core scalars, maps and lists, one meaning for every text.

No tags, anchors, aliases, merge keys or second document; a duplicate key is an error. Built from
the parser's events, so that no class of a loader decides what a scalar means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING, Protocol, TypeAlias

from datavc.core.errors import FormatError

if TYPE_CHECKING:
    import yaml

MAX_DEPTH = 64
"""Levels of lists and maps, in every file that people write."""

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
"""What such a file can say; JSON can say the same."""

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,40}")
_BASED = re.compile(r"0o[0-7]{1,40}|0x[0-9a-fA-F]{1,40}")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]{1,40}|[0-9]{1,40}(?:\.[0-9]{0,40})?)(?:[eE][-+]?[0-9]{1,4})?"
)


def plain(text: str) -> str | int | float | bool | None:
    """Return what a scalar without quotes means in the core schema of YAML 1.2.

    `.inf`, `.nan` and numbers beyond all use stay text: nothing of ours holds them.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) and isfinite(number := float(text)):
        return number
    return text


def load(text: str, where: str, first_line: int = 1) -> Value:
    """Return the one document in `text`, which begins at `first_line` of the file `where`.

    Raises:
        FormatError: it is not YAML, or more than the subset; the message names file and line.
    """
    import yaml

    reader = _Reader(text, where, first_line)
    try:
        return reader.document()
    except yaml.MarkedYAMLError as error:
        raise reader.error(error.problem or "not YAML", error.problem_mark) from error
    except yaml.YAMLError as error:
        raise FormatError(f"{where}: not YAML: {str(error).splitlines()[0]}") from error


class _Mark(Protocol):
    line: int


class _Reader:
    """Turns the events of one text into its value."""

    def __init__(self, text: str, where: str, first_line: int) -> None:
        """Begin before the first event; nothing is read yet."""
        import yaml

        self._yaml = yaml
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=loader)
        self._where = where
        self._first_line = first_line

    def document(self) -> Value:
        """Return the only document, or None if there is none."""
        next(self._events)
        if isinstance(next(self._events), self._yaml.StreamEndEvent):
            return None
        value = self._value(next(self._events), 0)
        next(self._events)
        following = next(self._events)
        if not isinstance(following, self._yaml.StreamEndEvent):
            raise self.error("more than one document", following.start_mark)
        return value

    def error(self, problem: str, mark: _Mark | None) -> FormatError:
        """Return the error that names file and line."""
        line = f" line {mark.line + self._first_line}:" if mark else ""
        return FormatError(f"{self._where}:{line} {problem}")

    def _value(self, event: yaml.Event, depth: int) -> Value:
        if isinstance(event, self._yaml.AliasEvent):
            raise self.error("an alias is not allowed", event.start_mark)
        if isinstance(event, self._yaml.NodeEvent) and event.anchor is not None:
            raise self.error("an anchor is not allowed", event.start_mark)
        if isinstance(event, self._yaml.ScalarEvent):
            self._refuse_tag(event.tag, event)
            return plain(event.value) if event.implicit[0] else str(event.value)
        if isinstance(event, self._yaml.CollectionStartEvent):
            self._refuse_tag(event.tag, event)
        if depth == MAX_DEPTH:
            raise self.error(f"more than {MAX_DEPTH} levels", event.start_mark)
        if isinstance(event, self._yaml.SequenceStartEvent):
            return self._list(depth + 1)
        return self._map(depth + 1)

    def _refuse_tag(self, tag: str | None, event: yaml.Event) -> None:
        if tag is not None:
            raise self.error(f"a tag is not allowed: {tag!r}", event.start_mark)

    def _list(self, depth: int) -> list[Value]:
        values = []
        while not isinstance(event := next(self._events), self._yaml.SequenceEndEvent):
            values.append(self._value(event, depth))
        return values

    def _map(self, depth: int) -> dict[str, Value]:
        values: dict[str, Value] = {}
        while not isinstance(event := next(self._events), self._yaml.MappingEndEvent):
            if not isinstance(event, self._yaml.ScalarEvent):
                raise self.error("a key must be text", event.start_mark)
            self._value(event, depth)
            key = event.value
            if key in values:
                raise self.error(f"{key!r} stands here twice", event.start_mark)
            if key == "<<":
                raise self.error("a merge key is not allowed", event.start_mark)
            values[key] = self._value(next(self._events), depth)
        return values
