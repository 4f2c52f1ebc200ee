"""The text of a stage file, with the places where its stages stand, and what is put in or out.

Below stage_edit.py, which says what a change shall mean; read that first.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from datavc.core.errors import FormatError
from datavc.core.stage import Value
from datavc.formats import people_yaml
from datavc.formats.stage_text import STEP, block, in_brackets

if TYPE_CHECKING:
    import yaml

# The dash of the first item, past the anchor of the list and comments.
_FIRST = re.compile(r"(?:&\S+)?(?:\s|#.*\n)*-")
_NOTHING = ("", "~", "null", "Null", "NULL")
_REST = re.compile(r"[ \t]*,?[ \t]*")


class Pair(NamedTuple):
    """A key and its value, with the places in the text where the lines of both begin and end."""

    key: yaml.Node
    value: yaml.Node
    start: int
    end: int

    @property
    def column(self) -> int:
        """How far the key is indented."""
        return int(self.key.start_mark.column)


class Page:
    """The text of one stage file, and what is to be replaced in it."""

    def __init__(self, data: bytes, where: str) -> None:
        """Find the stages in `data`."""
        self._data = data
        self._text = people_yaml.decode(data, where)
        self._where = where
        self._splices: list[tuple[int, int, str]] = []
        top = self._top()
        self._key = next((pair for pair in self._pairs(top) if _name(pair) == "stages"), None)
        self.stages = {} if self._key is None else self._block_pairs(self._key)

    def stage(self, name: str) -> Pair:
        """Return a stage that the file has.

        Raises:
            FormatError: it comes from elsewhere in the file.
        """
        if name not in self.stages:
            raise self._beyond()
        return self.stages[name]

    def splice(self, start: int, end: int, new: str) -> None:
        """Put whole lines `new` in the place of what stands from `start` to `end`."""
        if new and start and self._text[start - 1] != "\n":
            new = "\n" + new
        self._splices.append((start, end, new))

    def begin(self, lines: str) -> None:
        """Put the first stages in, and the key that they stand below if it is not there."""
        if self._key is None:
            gap = "" if not self._text or self._text.endswith("\n\n") else "\n"
            self.splice(len(self._text), len(self._text), f"{gap}stages:\n{lines}")
            return
        self._clear(self._key)
        self.splice(self._key.end, self._key.end, lines)

    def leave_empty(self) -> None:
        """Say that there are no stages, once the last one is gone."""
        assert self._key is not None
        colon = self._text.index(":", self._key.key.end_mark.index) + 1
        self._splices.append((colon, colon, " {}"))

    def add(self, name: str, line: str) -> None:
        """Put `key: value` in front of what a stage says."""
        body = self._body(name)
        start = body.start_mark.index
        if getattr(body, "flow_style", False):
            self._splices.append((start + 1, start + 1, f"{line}, "))
        else:
            self._splices.append((start, start, f"{line}\n{' ' * body.start_mark.column}"))

    def says(self, name: str, key: str) -> bool:
        """Tell whether a stage itself has a key, not another that it takes keys from."""
        return any(_name(pair) == key for pair in self._pairs(self._body(name)))

    def extend(self, name: str, key: str, entries: Sequence[str]) -> None:
        """Put entries behind the last of a list that a stage has, or that it leaves empty."""
        own = self._pairs(self._body(name))
        pair = next(pair for pair in own if _name(pair) == key)
        if getattr(pair.value, "flow_style", False):
            items = pair.value.value
            place = items[-1].end_mark.index if items else pair.value.end_mark.index - 1
            self._splices.append((place, place, ", " * bool(items) + in_brackets(entries)))
            return
        if pair.value.value in _NOTHING:
            self._clear(pair)
        self.splice(pair.end, pair.end, block(list(entries), self._margin(pair, own)))

    def insert(self, name: str, key: str, listed: list[Value], before: Sequence[str]) -> None:
        """Put a list under a new key into a stage, behind those of the keys `before` it has.

        Raises:
            FormatError: it has none of them.
        """
        body = self._body(name)
        own = self._pairs(body)
        last = next((pair for pair in reversed(own) if _name(pair) in before), None)
        if last is None:
            raise self._beyond()
        if getattr(body, "flow_style", False):
            place = last.value.end_mark.index
            self._splices.append((place, place, f", {key}: [{in_brackets(listed)}]"))
        else:
            lines = block(listed, self._margin(last, own))
            self.splice(last.end, last.end, f"{' ' * last.column}{key}:\n{lines}")

    def drop(self, name: str, key: str) -> None:
        """Take a key out of what a stage says."""
        body = self._body(name)
        pair = next(pair for pair in self._pairs(body) if _name(pair) == key)
        if getattr(body, "flow_style", False):
            rest = _REST.match(self._text, pair.value.end_mark.index)
            assert rest is not None
            self._splices.append((pair.key.start_mark.index, rest.end(), ""))
        else:
            self.splice(pair.start, pair.end, "")

    def saying(self, wanted: Mapping[str, Value]) -> bytes:
        """Return the new file.

        Raises:
            FormatError: it does not say what is `wanted` of the stages, or more has changed.
        """
        text = self._text
        ending = "\r\n" if "\r\n" in text else "\n"
        for start, end, lines in sorted(self._splices, reverse=True):
            text = text[:start] + lines.replace("\n", ending) + text[end:]
        new = (BOM_UTF8 if self._data.startswith(BOM_UTF8) else b"") + text.encode()
        before = people_yaml.load(self._data, self._where).value
        rest = {**(before if isinstance(before, dict) else {}), "stages": dict(wanted)}
        try:
            said = people_yaml.load(new, self._where).value
        except FormatError as error:
            raise self._beyond() from error
        if said != rest:
            raise self._beyond()
        return new

    def _top(self) -> yaml.Node | None:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        found: yaml.Node | None = yaml.compose(self._text, Loader=loader)
        return found

    def _pairs(self, node: yaml.Node | None, end: int | None = None) -> list[Pair]:
        """Return the pairs of a map, whose lines end at `end`."""
        import yaml

        if not isinstance(node, yaml.MappingNode) or not node.value:
            return []
        starts = [self._line(key.start_mark.index) for key, _ in node.value]
        ends = [*starts[1:], node.end_mark.index if end is None else end]
        return [
            Pair(key, value, start, self._trimmed(start, limit, key.start_mark.column))
            for (key, value), start, limit in zip(node.value, starts, ends, strict=True)
        ]

    def _block_pairs(self, stages: Pair) -> dict[str, Pair]:
        """Return the stages by name.

        Raises:
            FormatError: they are written in braces.
        """
        pairs = self._pairs(stages.value, stages.end)
        if pairs and getattr(stages.value, "flow_style", False):
            raise self._beyond()
        return {_name(pair): pair for pair in pairs}

    def _body(self, name: str) -> yaml.Node:
        pair = self.stage(name)
        if pair.value.start_mark.index < pair.key.start_mark.index:
            raise self._beyond()  # an alias: what it says stands elsewhere
        inner = (each.value for each in self._pairs(pair.value) if _name(each) == "do")
        return next(inner, pair.value)

    def _clear(self, pair: Pair) -> None:
        """Take out what a key says on its own line, which is nothing: `{}`, `null` or no word."""
        colon = self._text.index(":", pair.key.end_mark.index) + 1
        self._splices.append((colon, max(colon, pair.value.end_mark.index), ""))

    def _margin(self, pair: Pair, around: Sequence[Pair]) -> int:
        """Return how far entries of a list of `pair` are indented: as its own, or as others."""
        step = STEP
        for key, value, _, _ in (*around, pair):
            found = _FIRST.match(self._text, value.start_mark.index) if _is_block(value) else None
            if found:
                dash = found.end() - 1
                step = dash - self._line(dash) - int(key.start_mark.column)
        return pair.column + max(0, step)

    def _line(self, place: int) -> int:
        """Return where the line of `place` begins."""
        return self._text.rfind("\n", 0, place) + 1

    def _trimmed(self, start: int, end: int, column: int) -> int:
        """Return `end` without the blank lines, and comments not below `column`, before it."""
        lines = self._text[start:end].split("\n")
        while len(lines) > 1:
            last = lines[-1].lstrip()
            if last and (last[0] != "#" or len(lines[-1]) - len(last) > column):
                break
            lines.pop()
        whole = start + len("\n".join(lines))
        return min(end, whole + 1)

    def _beyond(self) -> FormatError:
        return FormatError(
            f"{self._where}: its stages are written in a way that only a person can change",
            "edit the file by hand",
        )


def _name(pair: Pair) -> str:
    return str(pair.key.value)


def _is_block(node: yaml.Node) -> bool:
    """Tell whether this is a list whose items stand on lines of their own."""
    import yaml

    return isinstance(node, yaml.SequenceNode) and not node.flow_style
