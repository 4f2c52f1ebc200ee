"""Metrics, parameter and plot files: their bytes to values. The suffix says which format it is.

Whatever a file holds, the answer is a value of bounded depth or one sentence.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from math import isfinite

from datavc.core.errors import FormatError
from datavc.core.stage import Value
from datavc.formats import people_yaml
from datavc.formats.data_file import MAX_BYTES, load_data

MAX_DEPTH = 64
"""Levels of lists and maps."""
DELIMITERS = {".csv": ",", ".tsv": "\t"}

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,3})?")
"""What a cell must look like to be a number: `007` and `1_000` are names."""


def suffix(path: str) -> str:
    """Return the part of a name from the last dot on, in small letters, empty if there is none."""
    name = path.rpartition("/")[2]
    return "." + name.rpartition(".")[2].lower() if "." in name else ""


def parse(data: bytes, path: str) -> Value:
    """Return what the file at `path` says; a table says the values of its last row.

    Raises:
        FormatError: it is not what its suffix promises; names the file.
    """
    kind = suffix(path)
    if kind in DELIMITERS:
        table = rows(data, path)
        return table[-1] if table else {}
    value = load_data(path, data)
    _check_depth(value, path)
    return value


def rows(data: bytes, path: str, *, header: bool = True) -> list[dict[str, Value]]:
    """Return the rows of a table, cells by the names in its first line.

    Without a `header` columns are named `0`, `1`, … A last row that was cut off in the middle of
    being written, so that cells are missing, does not count.

    Raises:
        FormatError: it is no table, or a row has more cells than the header.
    """
    text = people_yaml.decode(data, path, MAX_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS.get(suffix(path), ","))
    try:
        lines = [line for line in reader if line]
    except csv.Error as error:
        raise FormatError(f"{path} line {reader.line_num}: not a table: {error}") from error
    if not lines:
        return []
    names = lines.pop(0) if header else [str(number) for number in range(len(lines[0]))]
    if lines and len(lines[-1]) < len(names) and not text.endswith("\n"):
        lines.pop()
    for number, line in enumerate(lines, 2 if header else 1):
        if len(line) > len(names):
            raise FormatError(
                f"{path}: row {number} has {len(line)} cells, but there are {len(names)} columns"
            )
    return [dict(zip(names, map(_cell, line), strict=False)) for line in lines]


def flat(value: Value) -> dict[str, Value]:
    """Return the leaves of nested maps by dotted key; lists and empty maps are leaves too.

    A value that is no map has the empty key.
    """
    return dict(_leaves("", value))


def measures(value: Value) -> Value:
    """Return `value` without what no metric is: lists, nulls and maps with nothing else in them.

    A list as a whole is an empty map.
    """
    if isinstance(value, dict):
        inner = {key: measures(each) for key, each in value.items() if _may_measure(each)}
        return {key: each for key, each in inner.items() if each != {}}
    return {} if isinstance(value, list) or value is None else value


def _may_measure(value: Value) -> bool:
    return value is not None and not isinstance(value, list)


def _leaves(prefix: str, value: Value) -> Iterator[tuple[str, Value]]:
    if not isinstance(value, dict) or (prefix and not value):
        yield prefix, value
        return
    for key, inner in value.items():
        yield from _leaves(f"{prefix}.{key}" if prefix else key, inner)


def _check_depth(value: Value, path: str, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise FormatError(f"{path} has more than {MAX_DEPTH} levels of lists and maps")
    inner = list(value.values()) if isinstance(value, dict) else value
    for each in inner if isinstance(inner, list) else ():
        _check_depth(each, path, depth + 1)


def _cell(text: str) -> Value:
    """Return a cell as a number if it is written as one, else as it is, `nan` too."""
    if not (match := _NUMBER.fullmatch(text)):
        return text
    if match[1] is None and match[2] is None:
        return int(text)
    number = float(text)
    return number if isfinite(number) else text
