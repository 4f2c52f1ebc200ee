"""Parameter and metrics files: what they say.

The ending of the name tells the format: .json, .toml, .py; anything else is YAML. All give the
same kinds of values: dates become text, tuples lists, infinity and not-a-number the text that
Python prints.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from datavc.core.errors import FormatError
from datavc.formats import people_yaml, python_literals
from datavc.formats.strict_yaml import Value

MAX_BYTES = 64 << 20
"""No parameter or metrics file is longer."""


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
    except UnicodeEncodeError as error:
        raise FormatError(f"{path}: holds half of a surrogate pair, which is no text") from error


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
    """Return a value of a parser as what JSON can say.

    Raises:
        UnicodeEncodeError: a text in it cannot be written down.
    """
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool | int):
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
    return _text(key) if isinstance(key, str) else str(key)


def _text(text: str) -> str:
    text.encode()
    return text


_LOADERS: dict[str, Callable[[str, str], object]] = {
    ".json": _json,
    ".toml": _toml,
    ".py": python_literals.load,
}
