"""Mutations: bytes that were right once, made wrong as accidents and strangers would."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

TOKENS = (
    b"../",
    b"..",
    b"/",
    b"\\",
    b"\0",
    b"\x1b[2J",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "\u202e\u200c\ufeff".encode(),
    b"\r\n",
    b"\n\n",
    b"[" * 70,
    b"{" * 70,
    b"&a *a",
    b"!!python/object/apply:os.system",
    b"<<<<<<< ours\n=======\n>>>>>>> theirs\n",
    b"-1",
    b"1e999",
    b"9" * 30,
    b"9" * 5000,
    b"null",
    b"true",
    b".git",
    b".datavc",
    b"md5:" + b"0" * 32,
    b"blake3:" + b"0" * 64,
    b"::",
    b"'",
    b'"',
    b"#",
    b"***/[!a-]{,9}",
)
"""What parsers stumble over."""


def _flip(data: bytearray, drawn: random.Random) -> None:
    if data:
        data[drawn.randrange(len(data))] ^= 1 << drawn.randrange(8)


def _drop(data: bytearray, drawn: random.Random) -> None:
    start = drawn.randrange(len(data) + 1)
    del data[start : start + drawn.choice((1, 1, 2, 8, 64, 4096))]


def _cut(data: bytearray, drawn: random.Random) -> None:
    del data[drawn.randrange(len(data) + 1) :]


def _insert(data: bytearray, drawn: random.Random) -> None:
    at = drawn.randrange(len(data) + 1)
    data[at:at] = drawn.choice(TOKENS)


def _replace(data: bytearray, drawn: random.Random) -> None:
    at = drawn.randrange(len(data) + 1)
    token = drawn.choice(TOKENS)
    data[at : at + len(token)] = token


def _repeat(data: bytearray, drawn: random.Random) -> None:
    start = drawn.randrange(len(data) + 1)
    piece = data[start : start + drawn.choice((1, 4, 30, 200))]
    data[start:start] = piece * drawn.choice((1, 2, 50, 2000))


def _swap_lines(data: bytearray, drawn: random.Random) -> None:
    lines = bytes(data).split(b"\n")
    drawn.shuffle(lines)
    data[:] = b"\n".join(lines)


def _value(data: bytearray, drawn: random.Random) -> None:
    """Give one line another value."""
    lines = bytes(data).split(b"\n")
    at = drawn.randrange(len(lines))
    for mark in (b": ", b" = ", b'",', b","):
        head, found, _ = lines[at].partition(mark)
        if found:
            lines[at] = head + found + drawn.choice(TOKENS)
            break
    data[:] = b"\n".join(lines)


def _random(data: bytearray, drawn: random.Random) -> None:
    data[:] = drawn.randbytes(drawn.choice((0, 1, 10, 1000)))


WAYS: Sequence[Callable[[bytearray, random.Random], None]] = (
    *(_flip, _drop, _insert, _replace, _value),
    *(_flip, _drop, _insert, _replace, _value),
    *(_cut, _repeat, _swap_lines, _random),
)


def mutated(data: bytes, drawn: random.Random) -> bytes:
    """Return `data` after one to four mutations."""
    found = bytearray(data)
    for _ in range(drawn.choice((1, 1, 2, 4))):
        drawn.choice(WAYS)(found, drawn)
    return bytes(found)
