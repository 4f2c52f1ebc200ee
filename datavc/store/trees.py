"""Trees in a store: reading them segment by segment, writing them, and what they need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from datavc.core import tree
from datavc.core.digest import Digest
from datavc.core.errors import FormatError
from datavc.core.tree import Segment, TreeEntry, TreeSummary
from datavc.formats import tree as codec
from datavc.store.object_store import ObjectStore, Stored, read


class BytesWriter(Protocol):
    """A writer that takes small objects whole."""

    def put_bytes(self, data: bytes) -> Stored:
        """Store `data`."""


def segments(store: ObjectStore, digest: Digest) -> tuple[Segment, ...]:
    """Return the segments of the tree `digest`; of a small one, itself.

    Raises:
        DataError: an object is missing or damaged.
        FormatError: it is not a tree, or a hostile one.
    """
    data = read(store, digest)
    if codec.is_root(data):
        return codec.decode_root(data, digest)
    entries = codec.decode_leaf(data, digest)
    return (_segment(digest, entries),) if entries else ()


def leaf(store: ObjectStore, segment: Segment) -> list[TreeEntry]:
    """Return the entries of one segment, which must be what the root says.

    Raises:
        DataError: the object is missing or damaged.
        FormatError: it is not a leaf, or another one than the root announced.
    """
    entries = codec.decode_leaf(read(store, segment.digest), segment.digest)
    if not entries or _segment(segment.digest, entries) != segment:
        raise FormatError(f"tree segment {segment.digest} is not the one that its root lists")
    return entries


def entries(store: ObjectStore, digest: Digest) -> Iterator[TreeEntry]:
    """Yield all entries of the tree `digest`, sorted, one segment in memory at a time."""
    seams = tree.Seams(f"tree {digest}")
    for segment in segments(store, digest):
        found = leaf(store, segment)
        seams.check(found)
        yield from found


def differing(
    store: ObjectStore, old: Digest, new: Digest
) -> tuple[list[TreeEntry], list[TreeEntry]]:
    """Return the entries that only one of two trees has, of each tree, sorted.

    What both have is compared as it is written, and not decoded.

    Raises:
        DataError: an object is missing or damaged.
        FormatError: it is not a tree, or what differs is no valid part of one.
    """
    before, after = segments(store, old), segments(store, new)
    shared = {part.digest for part in before} & {part.digest for part in after}
    old_lines = {part: lines(store, part) for part in before if part.digest not in shared}
    new_lines = {part: lines(store, part) for part in after if part.digest not in shared}
    return _only(old_lines, new_lines), _only(new_lines, old_lines)


def _only(
    these: Mapping[Segment, list[bytes]], others: Mapping[Segment, list[bytes]]
) -> list[TreeEntry]:
    """Return the entries of the lines that no segment of `others` has."""
    known = {line for found in others.values() for line in found}
    return [
        entry
        for part, found in these.items()
        for entry in codec.decode_lines([x for x in found if x not in known], part.digest)
    ]


def lines(store: ObjectStore, segment: Segment) -> list[bytes]:
    """Return the entries of one segment as they are written, not looked at.

    Raises:
        DataError: the object is missing or damaged.
        FormatError: it is not a leaf.
    """
    return codec.split_leaf(read(store, segment.digest), segment.digest)


def tree_objects(store: ObjectStore, digest: Digest) -> Iterator[Digest]:
    """Yield the objects that make up the tree itself: its root and its leaves."""
    yield digest
    for segment in segments(store, digest):
        if segment.digest != digest:
            yield segment.digest


def write(writer: BytesWriter, found: Iterable[TreeEntry]) -> TreeSummary:
    """Store the tree of `found`, which is sorted, and return what a pointer records of it.

    Raises:
        FormatError, PathError: an entry is not one that every reader would take.
    """
    seams = tree.Seams("the tree to be written")

    def checked() -> Iterator[list[TreeEntry]]:
        for group in tree.cut(found):
            seams.check(group)
            yield group

    return write_parts(writer, checked())


def write_parts(writer: BytesWriter, found: Iterable[Segment | list[TreeEntry]]) -> TreeSummary:
    """Store a tree of which some segments are stored already, the others given by their entries.

    They are cut where a tree is cut, and in order.

    Raises:
        FormatError, PathError: an entry is not one that every reader would take.
    """
    parts = []
    for part in found:
        if isinstance(part, Segment):
            parts.append(part)
            continue
        data = codec.encode_leaf(part)
        stored = writer.put_bytes(data)
        if stored.new:  # no pointer may ever name a tree that its reader would refuse
            codec.decode_leaf(data, "the tree to be written")
        parts.append(_segment(stored.digest, part))
    if len(parts) == 1:
        root = parts[0].digest
    else:
        data = codec.encode_root(parts) if parts else codec.encode_leaf([])
        root = writer.put_bytes(data).digest
    files, size = sum(part.files for part in parts), sum(part.size for part in parts)
    return TreeSummary(root, files, size, tuple(parts))


def _segment(digest: Digest, found: list[TreeEntry]) -> Segment:
    return Segment(found[0].path, digest, len(found), sum(entry.size for entry in found))
