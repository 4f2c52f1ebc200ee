"""Values to text: sizes, durations, counts, tables, JSON; the one place that makes names safe.

A file name may hold any byte. Nothing reaches the terminal but through `display`.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence, Set

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
# C0 but the tab, DEL, C1, lone surrogates, and the characters that turn the writing direction.
_UNSAFE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def display(text: str) -> str:
    """Return `text` with all that could steer a terminal, or is no text, written as escapes."""
    return _UNSAFE.sub(_escape, text)


def line(text: str) -> None:
    """Print one line to standard output, made safe."""
    sys.stdout.write(display(text) + "\n")


def complain(text: str) -> None:
    """Print one line to standard error, made safe, at once."""
    sys.stderr.write(display(text) + "\n")
    sys.stderr.flush()


def size(count: int) -> str:
    """Return bytes as people read them: `0 B`, `512 B`, `1.2 GiB`."""
    amount = float(count)
    for unit in _UNITS:
        if amount < 1024 or unit == _UNITS[-1]:
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def duration(time_s: float) -> str:
    """Return seconds as people read them: `0.3 s`, `42 s`, `3 min 5 s`, `2 h 10 min`."""
    if time_s < 10:
        return f"{time_s:.1f} s"
    whole = round(time_s)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return `1 file`, `1,200 files`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def width(text: str) -> int:
    """Return how many columns `text` takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) != 0 for letter in text)


def table(rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """Yield the rows as lines; columns padded with blanks, two apart; names made safe."""
    safe = [[display(cell) for cell in row] for row in rows]
    widths = [
        max(width(row[column]) for row in safe if column < len(row))
        for column in range(max(map(len, safe), default=0))
    ]
    for row in safe:
        padded = (cell + " " * (widths[column] - width(cell)) for column, cell in enumerate(row))
        yield "  ".join(padded).rstrip()


def as_json(value: object) -> object:
    """Return a result as JSON's own kinds; a value with `to_json()` says itself what it is.

    Dataclasses and named tuples become objects, other sequences and sets lists (sets sorted),
    bytes file names, anything else its text.
    """
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if (own := getattr(value, "to_json", None)) is not None:
        return as_json(own())
    if fields := getattr(value, "__dataclass_fields__", None):  # that module takes 8 ms to import
        return {name: as_json(getattr(value, name)) for name in fields}
    if isinstance(value, Mapping):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, tuple) and (names := getattr(value, "_fields", None)):
        return {name: as_json(inner) for name, inner in zip(names, value, strict=True)}
    if isinstance(value, Set):
        return sorted((as_json(inner) for inner in value), key=str)
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [as_json(inner) for inner in value]
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def json_text(value: object) -> str:
    """Return one line of JSON, safe for a terminal too.

    What could steer one is escaped as JSON does it; so are the surrogates that stand for the
    bytes of names that are not UTF-8.
    """
    import json

    text = json.dumps(as_json(value), ensure_ascii=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
