"""Parameter and metrics files: what they say, and values in them by dotted keys.

The ending of the name tells the format: .json, .toml, .py; anything else is YAML. All give the
same kinds of values: dates become text, tuples lists, infinity and not-a-number the text that
Python prints.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from math import isfinite

from datavc.core.errors import FormatError
from datavc.formats import people_yaml, python_literals
from datavc.formats.strict_yaml import Value

MAX_BYTES = 64 << 20
"""No parameter or metrics file is longer."""

_PATTERN = re.compile(r"[*?\[]")


def load_data(path: str, data: bytes) -> Value:
    """Return what the file `path`, whose bytes are `data`, says; None if it is empty.

    Raises:
        FormatError: it is not of its format; the message names file and line.
    """
    ending = path[path.rfind(".") :].lower()
    load = _LOADERS.get(ending)
    if load is None:
        return people_yaml.load(data, path, MAX_BYTES).value
    text = people_yaml.decode(data, path, MAX_BYTES)
    try:
        return _plain(load(text, path)) if text.strip() else None
    except RecursionError as error:
        raise FormatError(f"{path}: too many levels of lists and maps") from error


def find(value: Value, key: str) -> Value:
    """Return what the dotted `key` names in `value`; a part may be the index of a list.

    A key with `*`, `?` or `[…]` means what it matches: its value, or a map of all if several.

    Raises:
        KeyError: it names nothing.
    """
    found = {"": value}
    for part in key.split("."):
        found = {
            f"{prefix}.{name}" if prefix else name: held
            for prefix, parent in found.items()
            for name, held in _named(parent, part)
        }
    if not found:
        raise KeyError(key)
    return next(iter(found.values())) if len(found) == 1 else found


def _named(value: Value, part: str) -> list[tuple[str, Value]]:
    """Return what `part` names directly in `value`: itself, or else all that match it."""
    if isinstance(value, list):
        value = {str(at): held for at, held in enumerate(value)}
    if not isinstance(value, dict):
        return []
    if part in value:
        return [(part, value[part])]
    if _PATTERN.search(part) is None:
        return []
    return [(name, held) for name, held in value.items() if fnmatchcase(name, part)]


def flat_keys(value: Value, prefix: str = "") -> list[str]:
    """Return the dotted keys of all that is in `value`, maps themselves included."""
    if not isinstance(value, dict):
        return []
    found = []
    for key, held in value.items():
        found += [prefix + key, *flat_keys(held, f"{prefix}{key}.")]
    return found


def _json(text: str, where: str) -> object:
    import json

    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise FormatError(f"{where}:{error.lineno}: not JSON: {error.msg}") from error
    except ValueError as error:
        raise FormatError(f"{where}: not JSON: {error}") from error


def _toml(text: str, where: str) -> object:
    import tomllib

    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise FormatError(f"{where}: not TOML: {error}") from error


def _plain(value: object) -> Value:
    """Return a value of a parser as what JSON can say."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, dict):
        return {_key(key): _plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(held) for held in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(held) for held in value), key=repr)
    return str(value)


def _key(key: object) -> str:
    return key if isinstance(key, str) else str(key)


_LOADERS: dict[str, Callable[[str, str], object]] = {
    ".json": _json,
    ".toml": _toml,
    ".py": python_literals.load,
}
