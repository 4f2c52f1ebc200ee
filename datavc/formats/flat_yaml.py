"""Files of `key: value` lines: read in microseconds, and changed line by line.

A value on its own line is plain, "double quoted" with the escapes of JSON, 'single quoted', or
JSON that begins with [ or {. Whatever else YAML allows as a value is left to strict_yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from datavc.core.errors import FormatError
from datavc.formats import strict_yaml
from datavc.formats.strict_yaml import Value

MAX_BYTES = 1 << 20
"""No file of this kind is longer."""

_BLANK = " \t\r"
_MARK = "\ufeff"  # what some editors put at the beginning
_LINE = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]*):(?:[ \t]+(.*))?", re.DOTALL)
# Text without quotes, one line, that no other rule of YAML applies to; then a comment, perhaps.
_PLAIN = re.compile(r"(?:[\w./~+]|-(?=\S))(?:[^\s:#]++|:(?=\S)|[ \t]+(?=[^\s#])|(?<=\S)#)*+")
# Nearly every line there is: told apart first, because a history has many pointers.
_USUAL = re.compile(r"([a-z_]+): ([A-Za-z0-9_./][^\s:#]*(?::[0-9a-f]+)?)")
_DOUBLE = re.compile(r'"(?:[^"\\]|\\.)*"')
_SINGLE = re.compile(r"'((?:[^']|'')*)'")
_REST = re.compile(r"(?:[ \t]+#.*|[ \t]*)")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_CONFLICT = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?: |$)", re.MULTILINE)
# What needs no quotes under any rule of YAML 1.1 or 1.2, unless it is a word or like a number.
_SAFE = re.compile(r"[\w/][\w/.+@=~()-]*(?: [\w/.+@=~()-]+)*|[a-z][a-z0-9]*:[0-9a-f]+")
_NUMBERLIKE = re.compile(r"[-+.\d][\d_a-fA-FxXoOtTzZ.+-]*")
_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))


class Item(NamedTuple):
    """One key with its value, on the lines `first` (from 0) up to, not including, `end`.

    `span` is where the value stands in a single line; None for a value of several lines.
    """

    key: str
    value: Value
    first: int
    end: int
    span: tuple[int, int] | None

    @property
    def line(self) -> int:
        """The number of its first line, from 1."""
        return self.first + 1


def decode(data: bytes, where: str) -> str:
    """Return the text of a file.

    Raises:
        FormatError: too large, not UTF-8, with control characters, or with a merge conflict.
    """
    if len(data) > MAX_BYTES:
        raise FormatError(f"{where}: {len(data)} bytes are too many for such a file")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FormatError(f"{where}: line {line}: not UTF-8") from error
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise FormatError(f"{where}: line {line}: control character {found[0]!r}")
    if "<<<<<<<" in text and (found := _CONFLICT.search(text)):
        line = text.count("\n", 0, found.start()) + 1
        raise FormatError(
            f"{where}: line {line}: has a merge conflict",
            f"keep one side, `git checkout --ours {where}` or `--theirs`, then `git add {where}`",
        )
    return text


def scan(text: str, where: str) -> list[Item]:
    """Return the keys and values of `text` in their order.

    Raises:
        FormatError: a line is no `key: value`, or a key stands there twice.
    """
    lines = text.removeprefix(_MARK).split("\n")
    items: list[Item] = []
    seen: set[str] = set()
    at = 0
    while at < len(lines):
        line = lines[at].rstrip(_BLANK)
        if not line or line.lstrip(_BLANK)[0] == "#" or (line == "---" and not items):
            at += 1
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise FormatError(f"{where}: line {at + 1}: not of the form `key: value`")
        key = found[1]
        if key in seen:
            raise FormatError(f"{where}: line {at + 1}: {key} stands here twice")
        seen.add(key)
        items.append(_item(lines, at, found, where))
        at = items[-1].end
    return items


def _item(lines: list[str], at: int, found: re.Match[str], where: str) -> Item:
    """Return the item that begins at line `at`."""
    end = _end(lines, at)
    if end == at + 1 and (usual := _USUAL.fullmatch(lines[at])):
        return Item(usual[1], strict_yaml.plain(usual[2]), at, end, usual.span(2))
    key, value = found[1], found[2] or ""
    if end == at + 1 and (simple := _simple(value)) is not None:
        meaning, length = simple
        start = found.start(2)
        return Item(key, meaning, at, end, (start, start + length))
    block = strict_yaml.load("\n".join(lines[at:end]) + "\n", where, at + 1)
    if not isinstance(block, dict) or list(block) != [key]:
        raise FormatError(f"{where}: line {at + 1}: not of the form `key: value`")
    return Item(key, block[key], at, end, None)


def _end(lines: list[str], at: int) -> int:
    """Return the line after the value that begins at `at`, without comments that follow it."""
    end = at + 1
    if end < len(lines) and lines[end][:1] not in ("", "#", "-", " ", "\t", "\r"):
        return end
    for number in range(at + 1, len(lines)):
        line = lines[number].rstrip(_BLANK)
        if not line or line.startswith("#"):
            continue
        if line[0] not in " \t" and not (line[0] == "-" and line[1:2] in ("", " ")):
            break
        if not line.lstrip(_BLANK).startswith("#"):
            end = number + 1
    return end


def _simple(text: str) -> tuple[Value, int] | None:
    """Return the value at the beginning of `text`, and its length; None if YAML must look."""
    if found := _PLAIN.match(text):
        value: Value = strict_yaml.plain(found[0])
    elif found := _DOUBLE.match(text):
        value = _json(found[0])
    elif found := _SINGLE.match(text):
        value = found[1].replace("''", "'")
    else:
        return _flow(text)
    if not _REST.fullmatch(text, found.end()) or (value is None and found[0][0] == '"'):
        return None
    return value, found.end()


def _json(text: str) -> str | None:
    """Return the text of a JSON string, or None if it is none."""
    if "\\" not in text:
        return text[1:-1]
    import json

    try:
        return str(json.loads(text))
    except ValueError:
        return None


def _flow(text: str) -> tuple[Value, int] | None:
    """Return the JSON at the beginning of `text`, and its length; None if YAML must look."""
    if text[:1] not in ("[", "{") or text.count("[") + text.count("{") > strict_yaml.MAX_DEPTH:
        return None
    import json

    decoder = json.JSONDecoder(
        parse_int=strict_yaml.plain,
        parse_float=strict_yaml.plain,
        parse_constant=_refuse,
        object_pairs_hook=_unique,
    )
    try:
        value, end = decoder.raw_decode(text)
    except ValueError:
        return None
    return (value, end) if _REST.fullmatch(text, end) else None


def _refuse(constant: str) -> Value:
    raise ValueError(constant)


def _unique(pairs: list[tuple[str, Value]]) -> Value:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key stands there twice")
    return values


def dump(value: Value) -> str:
    """Return a value as it stands after `key: `; text without quotes where no reader errs."""
    if isinstance(value, str) and _SAFE.fullmatch(value) and value.isprintable():
        if value.lower() not in _WORDS and not _NUMBERLIKE.fullmatch(value):
            return value
    elif value is True or value is False:
        return "true" if value else "false"
    import json

    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text if text.isprintable() else json.dumps(value, allow_nan=False)


def edit(text: str, wanted: Mapping[str, Value], defaults: Mapping[str, Value], where: str) -> str:
    """Return `text` saying `wanted`, with every line kept that says so already.

    Keys that are missing are added in the order of `wanted`, unless their value is the default;
    keys whose value became the default go; keys that are not in `wanted` stay.

    Raises:
        FormatError: `text` does not parse.
    """
    items = {item.key: item for item in scan(text, where)}
    mark = _MARK if text.startswith(_MARK) else ""
    lines = text.removeprefix(_MARK).split("\n")
    ending = "\r" if lines[0].endswith("\r") else ""
    out = [[line] for line in lines]
    # A new key comes after the last one that stands before it; the first before all others.
    after = min((item.first for item in items.values()), default=len(lines) - 1)
    place = [] if after == 0 else out[after - 1]
    head = place if after == 0 else []
    for key, value in wanted.items():
        item, is_default = items.get(key), key in defaults and _same(value, defaults[key])
        if item is None:
            if not is_default:
                place.append(f"{key}: {dump(value)}{ending}")
            continue
        if not _same(item.value, value):
            out[item.first : item.end] = [[] for _ in range(item.first, item.end)]
            if not is_default:
                out[item.first].append(_with_value(lines[item.first], item, dump(value)) + ending)
        place = out[item.end - 1]
    return mark + "\n".join([*head, *(line for group in out for line in group)])


def _same(one: Value, other: Value) -> bool:
    return type(one) is type(other) and one == other


def _with_value(line: str, item: Item, value: str) -> str:
    """Return the line of `item` with another value, and its comment if it has one."""
    if item.span is None:
        return f"{item.key}: {value}"
    start, end = item.span
    return line[:start] + value + line[end:].rstrip(_BLANK)
