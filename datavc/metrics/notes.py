"""Notes of a run: values of any library as what files can hold."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping

from datavc.core.errors import FormatError, PathError, UsageError
from datavc.core.stage import Value
from datavc.metrics import png


def scalar(value: object, name: str) -> str | int | float | bool:
    """Return a number or text as Python's own, also of an array library.

    Raises:
        UsageError: it is something else.
    """
    if not isinstance(value, (str, int, float)) and callable(item := getattr(value, "item", None)):
        try:
            value = item()
        except (TypeError, ValueError, RuntimeError) as error:
            raise UsageError(f"{name} is not one value: {error}") from error
    if isinstance(value, bool):
        return value
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    raise UsageError(f"{name} is no number or text, but {type(value).__name__}")


def plain(value: object, name: str) -> Value:
    """Return a parameter as what JSON can say.

    Raises:
        UsageError: it holds something else.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(inner, f"{name}.{key}") for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner, name) for inner in value]
    return None if value is None else scalar(value, name)


def put(summary: dict[str, Value], name: str, value: Value) -> None:
    """Put a value under the keys that the slashes of its name part.

    Raises:
        UsageError: a part of the name is that of a metric, or the name that of a group.
    """
    *groups, last = name.split("/")
    for group in groups:
        inner = summary.setdefault(group, {})
        if not isinstance(inner, dict):
            raise UsageError(f"{name} cannot be logged: {group} is a metric, so no group of them")
        summary = inner
    if isinstance(summary.get(last), dict):
        raise UsageError(f"{name} cannot be logged: it is a group of metrics")
    summary[last] = value


def cell(value: Value) -> str:
    """Return a value as a cell of a table with tabs."""
    text = str(value)
    if any(sign in text for sign in '\t\n\r"'):
        return '"' + text.replace('"', '""') + '"'
    return text


def picture(image: object, kind: str, name: str) -> bytes:
    """Return the bytes of a picture file of the format `kind`.

    `image` is those bytes, a file's path, a figure, a PIL image, or an array of bytes.

    Raises:
        UsageError: it is none of these.
        PathError: the file cannot be read.
    """
    if isinstance(image, bytes):
        return image
    if isinstance(image, (str, os.PathLike)):
        try:
            with open(image, "rb") as stream:
                return stream.read()
        except OSError as error:
            raise PathError(f"{os.fspath(image)} is no picture: {error.strerror}") from error
    for method in ("savefig", "save"):
        if callable(save := getattr(image, method, None)):
            drawn = io.BytesIO()
            save(drawn, format="jpeg" if kind == "jpg" else kind)
            return drawn.getvalue()
    try:
        return png.encode(memoryview(image))  # type: ignore[arg-type]
    except (TypeError, FormatError) as error:
        raise UsageError(f"{name} is no picture: {error}") from error
