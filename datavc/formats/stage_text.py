"""Values as lines of a stage file, in the way that most people write them.

What needs no quotes under any rule of YAML has none: commands and paths above all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from datavc.core.stage import Value
from datavc.formats.flat_yaml import dump

STEP = 2
"""How far what belongs to a key is indented below it."""

# Begins like a word or a path, so it is no number; holds a blank or slash, so it is no `yes`.
_PHRASE = re.compile(r"(?=[^ /]*[ /])(?:[A-Za-z_]|\.\.?/)(?:[^:# ]|:(?=[^ ])|(?<! )#| (?=[^ #]))*")
_BRACKETS = re.compile(r"[,\[\]{}]")


def block(value: Value, column: int) -> str:
    """Return a map or list as lines, indented by `column`."""
    return "".join(" " * column + line + "\n" for line in _lines(value))


def _lines(value: Value) -> Iterator[str]:
    pad = " " * STEP
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, (dict, list)) and inner:
                yield f"{scalar(key)}:"
                yield from (pad + line for line in _lines(inner))
            else:
                yield f"{scalar(key)}: {scalar(inner)}"
    elif isinstance(value, list):
        for item in value:
            first, *more = _lines(item) if isinstance(item, dict) else [scalar(item)]
            yield f"- {first}"
            yield from (pad + line for line in more)


def scalar(value: Value) -> str:
    """Return a value on one line; commands and paths without quotes where YAML needs none."""
    if not isinstance(value, str) or (value.isprintable() and not _PHRASE.fullmatch(value)):
        return dump(value)
    if value.isprintable():
        return value
    return _quoted(value)


def in_brackets(values: Sequence[Value]) -> str:
    """Return the items of a list as they stand in `[…]`."""
    return ", ".join(map(_item, values))


def _item(value: Value) -> str:
    """Return one of them: a comma or bracket in a path would end it there."""
    if isinstance(value, str) and _PHRASE.fullmatch(value) and _BRACKETS.search(value):
        return _quoted(value)
    return scalar(value)


def _quoted(value: str) -> str:
    import json

    # Not as JSON escapes them: YAML takes the two halves of a rare letter for two letters.
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)
