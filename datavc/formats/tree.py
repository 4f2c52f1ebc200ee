"""Tree objects: canonical JSON lines, one array an entry (docs/formats/tree.md is the spec).

A leaf lists entries; a root lists the leaves of a tree that has more than one. Equal values have
equal bytes, so reading ends with writing again and comparing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import itemgetter, lt
from typing import Any, TypeVar

from datavc.core.digest import Digest, is_digest
from datavc.core.errors import DatavcError, FormatError
from datavc.core.paths import RepoPath, is_plain, parent, parse, sort_key
from datavc.core.tree import (
    EXECUTABLE,
    SEGMENT_LIMIT,
    SIZE_LIMIT,
    Segment,
    TreeEntry,
    check_entry,
)

LEAF_HEADER = b'["datavc tree",1]\n'
ROOT_HEADER = b'["datavc tree root",1]\n'

MAX_BYTES = 1 << 30
"""No tree object is longer."""
MAX_SEGMENTS = 1 << 20
"""No root lists more leaves: four thousand million entries at the mean."""

_ANY_HEADER = re.compile(rb'\["datavc tree(?: root)?",([0-9]{1,9})\]\n')

Row = TypeVar("Row", TreeEntry, Segment)


def is_root(data: bytes) -> bool:
    """Tell whether a tree object lists leaves rather than entries."""
    return data.startswith(ROOT_HEADER)


def encode_leaf(entries: Sequence[TreeEntry]) -> bytes:
    """Return the object of a run of entries, sorted; of none for an empty directory."""
    return LEAF_HEADER + _encode(entries)


def encode_root(segments: Sequence[Segment]) -> bytes:
    """Return the object of a tree that has two leaves or more."""
    return ROOT_HEADER + _encode(segments)


def decode_leaf(data: bytes, where: str) -> list[TreeEntry]:
    """Return the entries of a leaf; `where` names it in errors.

    Raises:
        FormatError: these are not the only bytes that a valid list of entries has.
    """
    _check_header(data, LEAF_HEADER, where)
    body = _body(data, LEAF_HEADER, SEGMENT_LIMIT, where)
    try:
        entries = _leaf_decoder()(body)
    except ValueError:
        entries = [TreeEntry(RepoPath(row[0]), *row[1:]) for row in _decode_wide(body, where)]
    _check_rows(entries, _check_entry, where)
    _check_ascending(entries, where)
    _check_folders(entries, where)
    if encode_leaf(entries) != data:
        raise _not_canonical(where)
    return entries


def split_leaf(data: bytes, where: str) -> list[bytes]:
    """Return the lines of a leaf, one an entry, which equal entries have equal.

    Nothing in them was looked at: that is for `decode_lines`.

    Raises:
        FormatError: it is not a leaf.
    """
    _check_header(data, LEAF_HEADER, where)
    return bytes(_body(data, LEAF_HEADER, SEGMENT_LIMIT, where)).split(b"\n")[:-1]


def decode_lines(lines: Sequence[bytes], where: str) -> list[TreeEntry]:
    """Return the entries of some lines of one leaf, in their order.

    Raises:
        FormatError: together they are not a valid leaf.
    """
    return decode_leaf(LEAF_HEADER + b"".join([line + b"\n" for line in lines]), where)


def decode_root(data: bytes, where: str) -> tuple[Segment, ...]:
    """Return the leaves that a root lists, in order; `where` names it in errors.

    Raises:
        FormatError: these are not the only bytes that a valid list of two or more leaves has.
    """
    _check_header(data, ROOT_HEADER, where)
    body = _body(data, ROOT_HEADER, MAX_SEGMENTS, where)
    try:
        segments = _root_decoder()(body)
    except ValueError:
        wide = _decode_wide(body, where)
        segments = [Segment(RepoPath(row[0]), Digest(row[1]), *row[2:]) for row in wide]
    _check_rows(segments, _check_segment, where)
    _check_ascending(segments, where)
    if len(segments) < 2:
        raise FormatError(f"{where}: a tree of fewer than two segments has no root")
    if encode_root(segments) != data:
        raise _not_canonical(where)
    return tuple(segments)


def _encode(rows: Sequence[TreeEntry] | Sequence[Segment]) -> bytes:
    encode_lines = _encoder()
    try:
        return encode_lines(rows)
    except UnicodeEncodeError:
        return encode_lines([(_wrap(row[0]), _wrap(row[1]), *row[2:]) for row in rows])


def _wrap(text: str) -> str | list[str]:
    """Return text as JSON holds it: bytes that are not UTF-8 as a list of their base64."""
    data = sort_key(text)
    try:
        return data.decode()
    except UnicodeDecodeError:
        import base64

        return [base64.b64encode(data).decode("ascii")]


def _unwrap(text: str | list[str]) -> str:
    """Return the text that `_wrap` was given; what else it decodes is not canonical."""
    if isinstance(text, str):
        return text
    import base64

    (encoded,) = text
    return base64.b64decode(encoded, validate=True).decode("utf-8", "surrogateescape")


def _check_header(data: bytes, header: bytes, where: str) -> None:
    if len(data) > MAX_BYTES:
        raise FormatError(f"{where}: a tree object of {len(data)} bytes is too large")
    if data.startswith(header):
        return
    found = _ANY_HEADER.match(data)
    if found is None:
        raise FormatError(f"{where}: not a tree", "`datavc fsck` looks for damaged objects")
    if int(found[1]) != 1:
        raise FormatError(
            f"{where}: written by a newer datavc (tree format {int(found[1])})", "update datavc"
        )
    raise FormatError(f"{where}: a root where a leaf belongs, or a leaf where a root belongs")


def _body(data: bytes, header: bytes, limit: int, where: str) -> memoryview:
    """Return the lines after the header, at most `limit` of them."""
    if data.count(b"\n", len(header)) > limit:
        raise FormatError(f"{where}: more than {limit} lines")
    return memoryview(data)[len(header) :]


def _decode_wide(body: memoryview, where: str) -> list[tuple[str, str, int, int]]:
    """Return lines of which one holds a name that is not UTF-8, or is wrong."""
    decode_lines, rows = _wide_decoder(), []
    for number, line in enumerate(bytes(body).split(b"\n")[:-1], 2):
        try:
            ((first, second, third, fourth),) = decode_lines(line)
            rows.append((_unwrap(first), _unwrap(second), third, fourth))
        except ValueError as error:
            raise FormatError(f"{where}: line {number}: {error}") from error
    return rows


def _check_rows(rows: Iterable[Row], check: Callable[[Row], None], where: str) -> None:
    for number, row in enumerate(rows, 2):
        try:
            check(row)
        except DatavcError as error:
            raise FormatError(f"{where}: line {number}: {error.message}") from error


def _check_entry(entry: TreeEntry) -> None:
    path, content, size, flags = entry
    if not (
        0 <= flags <= EXECUTABLE
        and 0 <= size < SIZE_LIMIT
        and is_plain(path)
        and is_digest(content)
    ):
        check_entry(entry)


def _check_segment(segment: Segment) -> None:
    parse(segment.first)
    if not is_digest(segment.digest):
        raise FormatError(f"not a digest: {segment.digest[:80]!r}")
    if not 1 <= segment.files <= SEGMENT_LIMIT:
        raise FormatError(f"impossible number of entries: {str(segment.files)[:40]}")
    if not 0 <= segment.size < SIZE_LIMIT:
        raise FormatError(f"impossible size: {str(segment.size)[:40]}")


def _check_ascending(rows: Sequence[TreeEntry] | Sequence[Segment], where: str) -> None:
    keys = list(map(sort_key, map(itemgetter(0), rows)))
    if not all(map(lt, keys, keys[1:])):
        at = next(i for i in range(1, len(keys)) if keys[i] <= keys[i - 1])
        raise FormatError(f"{where}: line {at + 2}: {rows[at][0]!r} is out of order")


def _check_folders(entries: Sequence[TreeEntry], where: str) -> None:
    """Refuse a name that others lie below: only what has nothing inside is an entry."""
    folders: set[str] = set()
    for found in {path.rpartition("/")[0] for path in map(itemgetter(0), entries)}:
        folder = found
        while folder and folder not in folders:
            folders.add(folder)
            folder = parent(folder)
    both = folders.intersection(map(itemgetter(0), entries))
    if both:
        raise FormatError(f"{where}: {min(both)!r} is both a folder and an entry of its own")


def _not_canonical(where: str) -> FormatError:
    return FormatError(f"{where}: not written the one way that a tree is written")


@cache
def _encoder() -> Callable[[Sequence[Any]], bytes]:
    import msgspec

    return msgspec.json.Encoder().encode_lines


@cache
def _leaf_decoder() -> Callable[[memoryview], list[TreeEntry]]:
    import msgspec

    return msgspec.json.Decoder(TreeEntry).decode_lines


@cache
def _root_decoder() -> Callable[[memoryview], list[Segment]]:
    import msgspec

    return msgspec.json.Decoder(Segment).decode_lines


@cache
def _wide_decoder() -> Callable[[bytes], list[tuple[str | list[str], str | list[str], int, int]]]:
    import msgspec

    return msgspec.json.Decoder(tuple[str | list[str], str | list[str], int, int]).decode_lines
