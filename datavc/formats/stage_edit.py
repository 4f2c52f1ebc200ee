"""Changes to stage files, splice by splice: what is not meant keeps its bytes, comments too.

YAML says where a definition begins and ends; the text between stays the user's. What comes out is
read again and must say what was wanted, so that nothing unusual in a file turns a change into
damage.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from datavc.core.errors import FormatError
from datavc.core.stage import Value
from datavc.formats import people_yaml
from datavc.formats.flat_yaml import dump

if TYPE_CHECKING:
    import yaml

Definition = Mapping[str, Value]
"""What stands below a stage's name."""

_STEP = 2
# Begins like a word or a path, so it is no number; holds a blank or slash, so it is no `yes`.
_PHRASE = re.compile(r"(?=[^ /]*[ /])(?:[A-Za-z_]|\.\.?/)(?:[^:# ]|:(?=[^ ])|(?<! )#| (?=[^ #]))*")
_REST = re.compile(r"[ \t]*,?[ \t]*")


class _Pair(NamedTuple):
    """A key and its value, with the places in the text where the lines of both begin and end."""

    key: yaml.Node
    value: yaml.Node
    start: int
    end: int

    @property
    def column(self) -> int:
        """How far the key is indented."""
        return int(self.key.start_mark.column)


def put(data: bytes, name: str, definition: Definition, where: str) -> bytes:
    """Return a stage file with this stage in it: in the place of its namesake, else as the last.

    Raises:
        FormatError: the file does not parse, or is written so that only a person can change it.
    """
    wanted = stages(data, where) | {name: dict(definition)}
    page = _Page(data, where)
    old = page.stages.get(name)
    if old is not None:
        page.splice(old.start, old.end, _block({name: dict(definition)}, old.column))
    elif page.stages:
        last = [*page.stages.values()][-1]
        page.splice(last.end, last.end, _block({name: dict(definition)}, last.column))
    else:
        page.begin(_block({name: dict(definition)}, _STEP))
    return page.saying(wanted)


def remove(data: bytes, name: str, where: str) -> bytes:
    """Return a stage file without this stage, which is in it; comments above it stay.

    Raises:
        FormatError: as for `put`.
    """
    wanted = stages(data, where)
    del wanted[name]
    page = _Page(data, where)
    old = page.stage(name)
    page.splice(old.start, old.end, "")
    if not wanted:
        page.leave_empty()
    return page.saying(wanted)


def freeze(data: bytes, name: str, where: str, *, frozen: bool) -> bytes:
    """Return a stage file in which this stage, which is in it, is frozen, or is not.

    Raises:
        FormatError: as for `put`.
    """
    wanted = stages(data, where)
    body = _body(wanted[name])
    if bool(body.get("frozen")) == frozen:
        return data
    had = body.pop("frozen", None) is not None
    if frozen:
        body["frozen"] = True
    page = _Page(data, where)
    if had:
        page.drop(name, "frozen")
    if frozen:
        page.add(name, "frozen: true")
    return page.saying(wanted)


def stages(data: bytes, where: str) -> dict[str, Value]:
    """Return what the file says of stages, by the names in it; nothing if it says nothing.

    Raises:
        FormatError: it is no stage file.
    """
    top = people_yaml.load(data, where).value
    found = top.get("stages") if isinstance(top, dict) else None
    return found if isinstance(found, dict) else {}


def _body(stage: Value) -> dict[str, Value]:
    """Return the map that holds a stage's keys: below `do` where there is one."""
    inner = stage.get("do", stage) if isinstance(stage, dict) else None
    return inner if isinstance(inner, dict) else {}


def _block(value: Value, column: int) -> str:
    """Return a map or list as lines, indented by `column`."""
    return "".join(" " * column + line + "\n" for line in _lines(value))


def _lines(value: Value) -> Iterator[str]:
    pad = " " * _STEP
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, (dict, list)) and inner:
                yield f"{_scalar(key)}:"
                yield from (pad + line for line in _lines(inner))
            else:
                yield f"{_scalar(key)}: {_scalar(inner)}"
    elif isinstance(value, list):
        for item in value:
            first, *more = _lines(item) if isinstance(item, dict) else [_scalar(item)]
            yield f"- {first}"
            yield from (pad + line for line in more)


def _scalar(value: Value) -> str:
    """Return a value on one line; commands and paths without quotes where YAML needs none."""
    if not isinstance(value, str) or (value.isprintable() and not _PHRASE.fullmatch(value)):
        return dump(value)
    if value.isprintable():
        return value
    import json

    # Not as JSON escapes them: YAML takes the two halves of a rare letter for two letters.
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)


class _Page:
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

    def stage(self, name: str) -> _Pair:
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

    def begin(self, block: str) -> None:
        """Put the first stages in, and the key that they stand below if it is not there."""
        if self._key is None:
            gap = "" if not self._text or self._text.endswith("\n\n") else "\n"
            self.splice(len(self._text), len(self._text), f"{gap}stages:\n{block}")
            return
        colon = self._text.index(":", self._key.key.end_mark.index) + 1
        self._splices.append((colon, max(colon, self._key.value.end_mark.index), ""))
        self.splice(self._key.end, self._key.end, block)

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

    def _pairs(self, node: yaml.Node | None, end: int | None = None) -> list[_Pair]:
        """Return the pairs of a map, whose lines end at `end`."""
        import yaml

        if not isinstance(node, yaml.MappingNode) or not node.value:
            return []
        starts = [self._line(key.start_mark.index) for key, _ in node.value]
        ends = [*starts[1:], node.end_mark.index if end is None else end]
        return [
            _Pair(key, value, start, self._trimmed(start, limit, key.start_mark.column))
            for (key, value), start, limit in zip(node.value, starts, ends, strict=True)
        ]

    def _block_pairs(self, stages: _Pair) -> dict[str, _Pair]:
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


def _name(pair: _Pair) -> str:
    return str(pair.key.value)
