"""Stat cache: which digest a workspace file had when last read, kept as Git keeps its index.

One folder an output, one file a segment of its tree, so that one changed file rewrites one
segment. A memo only: losing it costs time. An entry counts only if inode, size, mtime and ctime
agree and both times are older than the moment of reading by the file system's own clock (the
racy-Git rule); else the bytes are looked at again. No device number: it changes between mounts.

A file is one header line and two lines of JSON, keys and values, so that an unchanged segment is
recognised by comparing the keys alone.
"""

from __future__ import annotations

import functools
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from datavc.core.paths import sort_key
from datavc.store import atomic

if TYPE_CHECKING:
    import msgspec

StatKey = tuple[str, int, int, int, int]
"""Path below the output, inode, size, mtime and ctime in ns."""

NEVER = -1
"""In place of the inode where a match must not be trusted (a racy entry)."""


class StatValue(NamedTuple):
    """What a file was: as in TreeEntry, its XXH3-128, and whether only that was compared last.

    A `weak` value answers "changed?"; before bytes are overwritten or recorded they are hashed.
    """

    content: str
    size: int
    flags: int
    check: str
    weak: bool = False


class StatSegment:
    """One segment: digest of its tree leaf (empty if not known), keys and values in one order.

    Values of a loaded segment are decoded only when they are asked for.
    """

    def __init__(self, leaf: str, keys: list[StatKey], values: list[StatValue] | bytes) -> None:
        """Keep `values`, or the bytes that they are decoded from."""
        self.leaf = leaf
        self.keys = keys
        self._values = values

    @property
    def values(self) -> list[StatValue]:
        """What the files were; empty if the memo is damaged."""
        if isinstance(self._values, bytes):
            self._values = _decode_values(self._values, len(self.keys))
        return self._values

    def known(self) -> dict[str, tuple[StatKey, StatValue]]:
        """Return key and value by path."""
        pairs = zip(self.keys, self.values, strict=False)
        return {key[0]: (key, value) for key, value in pairs}


_HEADER = b'["datavc stat",1]\n'


class StatCache:
    """The memo of one workspace, below `folder`."""

    def __init__(self, folder: str) -> None:
        """Use `folder`, which need not exist."""
        self._folder = folder

    def load(self, output: str, first: str) -> StatSegment | None:
        """Return the segment of `output` that begins with the path `first`, if it is known."""
        try:
            with open(self._file(output, first), "rb") as stream:
                header, leaf, keys, values = stream.read().split(b"\n")[:4]
        except (OSError, ValueError):
            return None
        if header + b"\n" != _HEADER:
            return None
        return _decode(leaf, keys, values)

    def save(self, output: str, first: str, segment: StatSegment) -> None:
        """Remember a segment; a place that cannot be written is no error."""
        data = _encode(segment)
        if data is None:
            return
        with suppress(OSError):
            os.makedirs(self._of(output), exist_ok=True)
            atomic.write_bytes(self._file(output, first), data, durable=False)

    def keep_only(self, output: str, firsts: set[str]) -> None:
        """Forget the segments of `output` that do not begin with one of `firsts`."""
        names = {os.path.basename(self._file(output, first)) for first in firsts}
        with suppress(OSError):
            for name in os.listdir(self._of(output)):
                if name not in names:
                    os.unlink(os.path.join(self._of(output), name))

    def forget(self, output: str) -> None:
        """Forget all of `output`."""
        self.keep_only(output, set())
        with suppress(OSError):
            os.rmdir(self._of(output))

    def now(self) -> int:
        """Return the time by the file system's own clock, in ns.

        Where nothing can be written: two seconds ago by ours, the step of the coarsest ones.
        """
        probe = os.path.join(self._folder, f".clock-{os.urandom(4).hex()}")
        try:
            os.makedirs(self._folder, exist_ok=True)
            fd = os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except OSError:
            return time.time_ns() - 2_000_000_000
        try:
            os.write(fd, b"x")
            return os.fstat(fd).st_mtime_ns
        finally:
            os.close(fd)
            os.unlink(probe)

    def _of(self, output: str) -> str:
        return os.path.join(self._folder, _name(output))

    def _file(self, output: str, first: str) -> str:
        return os.path.join(self._of(output), _name(first))


def _name(path: str) -> str:
    import xxhash

    return xxhash.xxh3_128_hexdigest(sort_key(path))


@functools.cache
def _codecs() -> tuple[
    msgspec.json.Encoder,
    msgspec.json.Decoder[list[StatKey]],
    msgspec.json.Decoder[list[StatValue]],
]:
    import msgspec

    return (
        msgspec.json.Encoder(),
        msgspec.json.Decoder(list[StatKey]),
        msgspec.json.Decoder(list[StatValue]),
    )


def _encode(segment: StatSegment) -> bytes | None:
    """Return the file's bytes; None for names that are not UTF-8: those are read anew."""
    encoder = _codecs()[0]
    try:
        lines = [encoder.encode(part) for part in (segment.leaf, segment.keys, segment.values)]
    except UnicodeEncodeError:
        return None
    return _HEADER + b"\n".join(lines) + b"\n"


def _decode(leaf: bytes, keys: bytes, values: bytes) -> StatSegment | None:
    import msgspec

    try:
        return StatSegment(msgspec.json.decode(leaf, type=str), _codecs()[1].decode(keys), values)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _decode_values(data: bytes, count: int) -> list[StatValue]:
    import msgspec

    try:
        values = _codecs()[2].decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
    return values if len(values) == count else []
