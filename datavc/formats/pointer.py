"""Pointer files, `NAME.datavc`: which bytes Git's history means (docs/formats/pointer.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from datavc.core.digest import is_digest
from datavc.core.errors import FormatError, PathError
from datavc.core.outputs import Pointer
from datavc.core.paths import check_part, is_plain
from datavc.formats import flat_yaml
from datavc.formats.strict_yaml import Value

FORMAT = 1
SIZE_LIMIT = 1 << 63
"""Every size and count is smaller: what a signed 64-bit number holds."""

DEFAULTS: Mapping[str, Value] = {
    "size": None,
    "files": None,
    "executable": False,
    "cache": True,
    "push": True,
    "remote": None,
    "desc": None,
    "type": None,
    "labels": [],
    "meta": {},
}
"""What a missing key means; the other keys must be there."""

REQUIRED = ("datavc", "path", "kind", "digest")


def parse(data: bytes, where: str) -> Pointer:
    """Return what a pointer file says; `where` names the file in errors. Unknown keys are ignored.

    Raises:
        FormatError: it is no pointer of this format; the message names file, line and key.
    """
    try:
        items = flat_yaml.scan(flat_yaml.decode(data, where), where)
    except FormatError as error:
        raise FormatError(error.message, error.hint or _way_back(where)) from error
    if not items:
        raise FormatError(f"{where}: empty, not a pointer", _way_back(where))
    if items[0].key != "datavc":
        items.sort(key=lambda item: item.key != "datavc")
    values: dict[str, Any] = {}
    for item in items:
        key, value = item[0], item[1]
        check = _CHECKS.get(key)
        if check is None:
            continue
        if problem := check(key, value):
            raise _wrong(f"{where}: line {item.line}: {problem}", where, key, value)
        values[key] = value
    for key in REQUIRED:
        if key not in values:
            raise FormatError(f"{where}: {key} is missing", _way_back(where))
    return _pointer(values, where)


def render(pointer: Pointer) -> str:
    """Return the canonical text: keys in their order, those that are the default left out."""
    return "".join(
        f"{key}: {flat_yaml.dump(value)}\n"
        for key, value in _values(pointer).items()
        if key not in DEFAULTS or value != DEFAULTS[key]
    )


def rewrite(text: str, pointer: Pointer, where: str = "pointer") -> str:
    """Return `text` saying what `pointer` says, other lines, comments and unknown keys kept.

    Raises:
        FormatError: `text` is not made of `key: value` lines.
    """
    return flat_yaml.edit(text, _values(pointer), DEFAULTS, where)


def _values(pointer: Pointer) -> dict[str, Value]:
    """Return every key with its value, in the order of the file."""
    return {
        "datavc": FORMAT,
        "path": pointer.path,
        "kind": pointer.kind,
        "digest": pointer.digest,
        "size": pointer.size,
        "files": pointer.files,
        "executable": pointer.executable,
        "cache": pointer.cache,
        "push": pointer.push,
        "remote": pointer.remote,
        "desc": pointer.desc,
        "type": pointer.type,
        "labels": list(pointer.labels),
        "meta": cast("dict[str, Value]", dict(pointer.meta)),
    }


def _pointer(values: dict[str, Any], where: str) -> Pointer:
    """Return the values, each of which is right, as a pointer if they fit each other."""
    for key, kind in (("files", "directory"), ("executable", "file")):
        if values.get(key) and values["kind"] != kind:
            raise FormatError(f"{where}: {key} is for a {kind}", _way_back(where))
    del values["datavc"]
    if "labels" in values:
        values["labels"] = tuple(values["labels"])
    return Pointer(**values)


def _wrong(message: str, where: str, key: str, value: Value) -> FormatError:
    if key == "datavc" and isinstance(value, int) and value > FORMAT:
        return FormatError(message, "update datavc")
    return FormatError(message, _way_back(where))


def _way_back(where: str) -> str:
    return f"mend the file, or `git checkout HEAD -- {where}` brings back what was committed"


def _check_format(key: str, value: Value) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        return f"{key} must be the number of the format, {FORMAT}"
    return f"written by a newer datavc (format {value})" if value > FORMAT else ""


def _check_path(key: str, value: Value) -> str:
    if not isinstance(value, str):
        return _not_text(key, value)
    if is_plain(value) and "/" not in value:
        return ""
    try:
        check_part(value)
    except PathError as error:
        return f"{key}: {error.message}"
    return ""


def _check_kind(key: str, value: Value) -> str:
    return "" if value in ("file", "directory") else f"{key} must be file or directory"


def _check_digest(key: str, value: Value) -> str:
    return "" if is_digest(value) else f"{key} is not a digest: {str(value)[:80]!r}"


def _check_count(key: str, value: Value) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < SIZE_LIMIT:
        return f"{key} must be a whole number, zero or more, not {str(value)[:40]!r}"
    return ""


def _check_switch(key: str, value: Value) -> str:
    return "" if isinstance(value, bool) else f"{key} must be true or false"


def _check_text(key: str, value: Value) -> str:
    return "" if isinstance(value, str) else _not_text(key, value)


def _check_labels(key: str, value: Value) -> str:
    if isinstance(value, list) and all(isinstance(label, str) for label in value):
        return ""
    return f"{key} must be a list of texts"


def _check_meta(key: str, value: Value) -> str:
    return "" if isinstance(value, dict) else f"{key} must be a map of names to values"


def _not_text(key: str, value: Value) -> str:
    return f"{key} must be text: put {str(value)[:40]} in quotes"


_CHECKS: Mapping[str, Callable[[str, Value], str]] = {
    "datavc": _check_format,
    "path": _check_path,
    "kind": _check_kind,
    "digest": _check_digest,
    "size": _check_count,
    "files": _check_count,
    "executable": _check_switch,
    "cache": _check_switch,
    "push": _check_switch,
    "remote": _check_text,
    "desc": _check_text,
    "type": _check_text,
    "labels": _check_labels,
    "meta": _check_meta,
}
