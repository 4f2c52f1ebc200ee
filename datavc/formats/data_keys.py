"""Values of parameter and metrics files by dotted keys."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from datavc.core.stage import Value

_PATTERN = re.compile(r"[*?\[]")


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
