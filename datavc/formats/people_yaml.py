"""YAML 1.2 as people write it: anchors, aliases, merge keys and dates are read, bombs are not.

Unlike strict_yaml, which reads the few lines of our own files, this also says on which line each
key and item stands. Numbers are told from text as ruamel.yaml does it, with `_` between digits,
because that is what stage files of today were written against.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, Protocol, cast

from datavc.core.errors import FormatError
from datavc.formats.strict_yaml import MAX_DEPTH, Value, plain

MAX_BYTES = 16 << 20
"""No file of this kind is longer."""
MAX_VALUES = 1_000_000
"""Scalars, lists and maps in one file, each alias counted as all that it stands for."""
MAX_ALIASES = 10_000
"""Aliases in one file."""

_CONFLICT = re.compile(r"^<{7}(?: |$)", re.MULTILINE)
_GROUPED = re.compile(r"[-+]?\.?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|0[xo][0-9a-fA-F_]+")
_BINARY = re.compile(r"([-+]?)0b([01_]{1,128})")
_UNBOUNDED = re.compile(r"([-+]?)\.(inf|Inf|INF|nan|NaN|NAN)")
_MERGE = "<<"
_TAGS = "tag:yaml.org,2002:"


class Document(NamedTuple):
    """What a file says, and where: the lines of the keys of each map and the items of each list.

    `lines` has them by the identity of the map or list, which lives as long as `value`.
    """

    where: str
    value: Value
    lines: dict[int, dict[str | int, int]]

    def line(self, container: Value, key: str | int) -> int:
        """Return the line, from 1, on which a key or an item of a map or list here begins."""
        return self.lines.get(id(container), {}).get(key, 1)

    def error(self, problem: str, line: int, hint: str = "") -> FormatError:
        """Return the error that names file and line."""
        return FormatError(f"{self.where}:{line}: {problem}", hint)


def scalar(text: str) -> str | int | float | bool | None:
    """Return what a scalar without quotes means; a date stays text.

    Infinity and not-a-number become the text that Python prints for them.
    """
    if "_" in text and _GROUPED.fullmatch(text):
        return plain(text.replace("_", ""))
    if found := _BINARY.fullmatch(text):
        return int(found[1] + (found[2].replace("_", "") or "0"), 2)
    if found := _UNBOUNDED.fullmatch(text):
        return "nan" if found[2][0] in "nN" else f"{found[1].strip('+')}inf"
    return plain(text)


def decode(data: bytes, where: str, limit: int = MAX_BYTES) -> str:
    """Return the text of a file.

    Raises:
        FormatError: too large, not UTF-8, or with a merge conflict.
    """
    if len(data) > limit:
        raise FormatError(f"{where}: {len(data)} bytes are too many for such a file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FormatError(f"{where}:{line}: not UTF-8") from error
    if "<<<<<<<" in text and (found := _CONFLICT.search(text)):
        line = text.count("\n", 0, found.start()) + 1
        raise FormatError(
            f"{where}:{line}: has a merge conflict",
            f"keep what is right of both sides, then `git add {where}`",
        )
    return text


def load(data: bytes, where: str, limit: int = MAX_BYTES) -> Document:
    """Return the one document of a file; `where` names it in errors.

    Raises:
        FormatError: it is no YAML, or more than the bounds above; the message names the line.
    """
    import yaml

    text = decode(data, where, limit)
    try:
        return _Reader(text, where).document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FormatError(f"{where}:{line}: {error.problem or 'not YAML'}") from error
    except yaml.YAMLError as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise FormatError(f"{where}:{line}: not YAML: {str(error).splitlines()[0]}") from error


class _Mark(Protocol):
    line: int


class _Event(Protocol):
    """What the parser met; only those of values have more than the mark, only scalars all."""

    start_mark: _Mark
    anchor: str | None
    tag: str | None
    value: str
    implicit: tuple[bool, bool]


class _Anchored(NamedTuple):
    """A value with a name: how many values it holds, and how many levels."""

    value: Value
    size: int
    height: int


class _Reader:
    """Turns the events of one text into its value."""

    def __init__(self, text: str, where: str) -> None:
        """Begin before the first event; nothing is read yet."""
        import yaml

        self._yaml = yaml
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        self._next = cast("Callable[[], _Event]", loader.get_event)
        self._where = where
        self._anchors: dict[str, _Anchored | None] = {}
        self._aliases = 0
        self._count = 0
        self._deepest = 0
        self._lines: dict[int, dict[str | int, int]] = {}

    def document(self) -> Document:
        """Return the only document, empty if there is none."""
        value: Value = None
        self._next()
        if not isinstance(self._next(), self._yaml.StreamEndEvent):
            value = self._value(self._next(), 0)
            self._next()
            following = self._next()
            if not isinstance(following, self._yaml.StreamEndEvent):
                raise self._error("more than one document", following.start_mark)
        return Document(self._where, value, self._lines)

    def _error(self, problem: str, mark: _Mark) -> FormatError:
        return FormatError(f"{self._where}:{mark.line + 1}: {problem}")

    def _value(self, event: _Event, depth: int) -> Value:
        self._count += 1
        if self._count > MAX_VALUES:
            raise self._error(f"more than {MAX_VALUES:,} values", event.start_mark)
        if isinstance(event, self._yaml.AliasEvent):
            return self._alias(event, depth)
        if event.anchor is None:
            return self._content(event, depth)
        return self._anchored(event, event.anchor, depth)

    def _content(self, event: _Event, depth: int) -> Value:
        if isinstance(event, self._yaml.ScalarEvent):
            return self._scalar(event)
        if depth == MAX_DEPTH:
            raise self._error(f"more than {MAX_DEPTH} levels", event.start_mark)
        self._deepest = max(self._deepest, depth + 1)
        is_list = isinstance(event, self._yaml.SequenceStartEvent)
        if event.tag not in (None, "!", f"{_TAGS}{'seq' if is_list else 'map'}"):
            raise self._error(f"the tag {event.tag!r} is not understood", event.start_mark)
        return self._list(depth + 1) if is_list else self._map(depth + 1)

    def _anchored(self, event: _Event, anchor: str, depth: int) -> Value:
        """Return a value with a name, which counts from its end on, so that none holds itself."""
        self._anchors[anchor] = None
        before, deepest, self._deepest = self._count, self._deepest, depth
        value = self._content(event, depth)
        size, height = self._count - before + 1, self._deepest - depth
        self._anchors[anchor] = _Anchored(value, size, height)
        self._deepest = max(self._deepest, deepest)
        return value

    def _alias(self, event: _Event, depth: int) -> Value:
        self._aliases += 1
        anchor = event.anchor or ""
        found = self._anchors.get(anchor)
        if found is None:
            within = "is used inside itself" if anchor in self._anchors else "is not there"
            raise self._error(f"the anchor &{anchor} {within}", event.start_mark)
        self._count += found.size - 1
        self._deepest = max(self._deepest, depth + found.height)
        if self._aliases > MAX_ALIASES or self._count > MAX_VALUES or self._deepest > MAX_DEPTH:
            raise self._error("aliases make the file too large", event.start_mark)
        return found.value

    def _scalar(self, event: _Event) -> Value:
        text: str = event.value
        if event.implicit[0] and event.tag is None:
            return scalar(text)
        tag = event.tag
        if tag in (None, "!", f"{_TAGS}str"):
            return text
        kinds = {"int": int, "float": float, "bool": bool, "null": type(None)}
        kind = kinds.get(tag.removeprefix(_TAGS))
        if kind is None:
            raise self._error(f"the tag {tag!r} is not understood", event.start_mark)
        value = scalar(text)
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:
            raise self._error(f"{text!r} is not what its tag {tag!r} says", event.start_mark)
        return value

    def _list(self, depth: int) -> list[Value]:
        values: list[Value] = []
        lines: dict[str | int, int] = {}
        end = self._yaml.SequenceEndEvent
        while not isinstance(event := self._next(), end):
            lines[len(values)] = event.start_mark.line + 1
            values.append(self._value(event, depth))
        self._lines[id(values)] = lines
        return values

    def _map(self, depth: int) -> dict[str, Value]:
        values: dict[str, Value] = {}
        lines: dict[str | int, int] = {}
        merged: list[dict[str, Value]] = []
        end = self._yaml.MappingEndEvent
        while not isinstance(event := self._next(), end):
            mark = event.start_mark
            key, is_merge = self._key(event)
            if key in lines:
                raise self._error(f"{key!r} stands here twice", mark)
            lines[key] = mark.line + 1
            value = self._value(self._next(), depth)
            if is_merge:
                merged = self._sources(value, mark)
            else:
                values[key] = value
        if merged:
            values = self._merged(merged, values, lines)
        self._lines[id(values)] = lines
        return values

    def _key(self, event: _Event) -> tuple[str, bool]:
        """Return a key, as it is written or as its alias says, and whether it merges."""
        if isinstance(event, self._yaml.ScalarEvent):
            if event.anchor is not None:
                self._anchors[event.anchor] = _Anchored(event.value, 1, 0)
            return event.value, event.value == _MERGE and event.implicit[0]
        if isinstance(event, self._yaml.AliasEvent):
            value = self._alias(event, 0)
            if isinstance(value, str):
                return value, False
        raise self._error("a key must be text", event.start_mark)

    def _sources(self, value: Value, mark: _Mark) -> list[dict[str, Value]]:
        """Return the maps that a merge key names, the first of which counts most."""
        listed = value if isinstance(value, list) else [value]
        sources = [source for source in listed if isinstance(source, dict)]
        if len(sources) < len(listed):
            raise self._error("a merge key takes a map, or a list of maps", mark)
        return sources

    def _merged(
        self,
        sources: list[dict[str, Value]],
        own: dict[str, Value],
        lines: dict[str | int, int],
    ) -> dict[str, Value]:
        """Return the keys of the sources with the map's own over them."""
        values: dict[str, Value] = {}
        for source in reversed(sources):
            values.update(source)
        for source in sources:
            for key, line in self._lines[id(source)].items():
                lines.setdefault(key, line)
        values.update(own)
        return values
