"""Digest: the name of immutable bytes, `<algorithm>:<lower-case hex>`.

A NewType over str: a million of them cost nothing more than their text, and the type checker
still keeps them apart from unchecked text. `parse` is the only way in for text from outside.
"""

from __future__ import annotations

import re
from typing import NewType

from datavc.core.errors import FormatError

Digest = NewType("Digest", str)

HEX_LENGTH = {"blake3": 64, "sha256": 64, "xxh128": 32, "md5": 32}
"""Length of the hexadecimal part, by algorithm."""

IDENTITY_ALGORITHMS = ("blake3", "sha256", "xxh128")
"""What a project may choose; md5 is only read (data that came from elsewhere)."""

_PATTERN = re.compile("|".join(f"{name}:[0-9a-f]{{{n}}}" for name, n in HEX_LENGTH.items()))


def is_digest(text: object) -> bool:
    """Tell whether `text` is exactly one well-formed digest."""
    return isinstance(text, str) and _PATTERN.fullmatch(text) is not None


def parse(text: object) -> Digest:
    """Return `text` as a Digest.

    Raises:
        FormatError: it is anything but a known algorithm, a colon and that many hex digits.
    """
    if isinstance(text, str) and _PATTERN.fullmatch(text):
        return Digest(text)
    raise FormatError(f"not a digest: {str(text)[:80]!r}")


def make(algorithm: str, hexdigest: str) -> Digest:
    """Return the digest of these two parts, which our own hashing made."""
    return Digest(f"{algorithm}:{hexdigest}")


def algorithm(digest: Digest) -> str:
    """Return the algorithm's name."""
    return digest.partition(":")[0]


def short(digest: Digest) -> str:
    """Return the first eight hex digits, for people."""
    return digest.partition(":")[2][:8]


def object_key(digest: Digest) -> str:
    """Return where an object lies below `objects/`: `<algorithm>/<2 hex>/<rest>`.

    The one function that turns a digest into a path; a Digest was checked when it was parsed.
    """
    name, _, hexdigest = digest.partition(":")
    return f"{name}/{hexdigest[:2]}/{hexdigest[2:]}"


def from_object_key(key: str) -> Digest | None:
    """Return the digest whose object lies at `key`, or None if `key` is no object's name."""
    parts = key.split("/")
    if len(parts) != 3:
        return None
    text = f"{parts[0]}:{parts[1]}{parts[2]}"
    return Digest(text) if len(parts[1]) == 2 and _PATTERN.fullmatch(text) else None
