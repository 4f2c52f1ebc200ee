"""Stat cache: which digest a workspace file had when last read, kept as Git keeps its index.

One folder an output, one file a segment of its tree, so that one changed file rewrites one
segment. A memo only: losing it costs time. An entry counts only if inode, size, mtime and ctime
agree and both times are older than the moment of reading by the file system's own clock (the
racy-Git rule); else the bytes are looked at again. No device number: it changes between mounts.

A power cut can keep a file's new times and lose its new bytes: a file overwritten in place has its
times in the journal long before its bytes are written back. So an entry of a file that was young
when it was noted counts only until the machine starts anew.

A file is one header line and three lines of JSON, leaf, keys and values, so that an unchanged
segment is recognised by comparing the keys alone.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
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

WRITTEN_BACK_NS = 120_000_000_000
"""A file that was left alone for so long is on the disk; Linux writes back after 30 s, if not told
otherwise (`vm.dirty_expire_centisecs`)."""
EVERYTHING = 1 << 62
"""A moment (ns) that is younger than any file."""


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

    Values of a loaded segment are decoded only when they are asked for. Files whose ctime (ns) is
    at most `settled` were on the disk when this was noted.
    """

    def __init__(
        self,
        leaf: str,
        keys: list[StatKey],
        values: list[StatValue] | bytes,
        settled: int = 0,
    ) -> None:
        """Keep `values`, or the bytes that they are decoded from."""
        self.leaf = leaf
        self.keys = keys
        self.settled = settled
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

    def encoded_values(self, encode: Callable[[object], bytes]) -> bytes:
        """Return the values as bytes, without decoding them for it."""
        return self._values if isinstance(self._values, bytes) else encode(self._values)

    def all_settled(self, moment: int) -> StatSegment | None:
        """Return the segment as it may be noted at `moment` (ns), None if it gains nothing."""
        limit = moment - WRITTEN_BACK_NS
        if self.settled == EVERYTHING or any(key[4] > limit for key in self.keys):
            return None
        return StatSegment(self.leaf, self.keys, self._values, limit)

    def before_this_boot(self) -> StatSegment:
        """Return what may be trusted of it after the machine was started anew."""
        keys = [key if key[4] <= self.settled else untrusted(key) for key in self.keys]
        leaf = self.leaf if keys == self.keys else ""
        return StatSegment(leaf, keys, self._values, self.settled)


def untrusted(key: StatKey) -> StatKey:
    """Return a key that equals no file's."""
    return key[0], NEVER, key[2], key[3], key[4]


_COARSEST = 2_000_000_000
_FORMAT = "datavc stat", 2


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
        found = _decode(header, leaf, keys, values)
        if found is None:
            return None
        noted_in, segment = found
        return segment if noted_in and noted_in == boot() else segment.before_this_boot()

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

    def now(self, device: int) -> int:
        """Return the time by the file system's own clock, in ns.

        Two seconds less, the step of the coarsest ones, where the files lie on another `device`
        or nothing can be written here.
        """
        probe = os.path.join(self._folder, f".clock-{os.urandom(4).hex()}.tmp")
        try:
            os.makedirs(self._folder, exist_ok=True)
            fd = os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except OSError:
            return time.time_ns() - _COARSEST
        try:
            status = os.fstat(fd)
            return status.st_mtime_ns - (0 if status.st_dev == device else _COARSEST)
        finally:
            os.close(fd)
            os.unlink(probe)

    def _of(self, output: str) -> str:
        return os.path.join(self._folder, _name(output))

    def _file(self, output: str, first: str) -> str:
        return os.path.join(self._of(output), _name(first))


@functools.cache
def boot() -> str:
    """Return what names this run of the machine; empty where the system does not say.

    Then every entry counts as noted before it: what was young is read once more.
    """
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        return stream.read().strip()
    return ""


def _name(path: str) -> str:
    import xxhash

    return xxhash.xxh3_128_hexdigest(sort_key(path))


@functools.cache
def _header_codec() -> msgspec.json.Decoder[tuple[str, int, str, int]]:
    import msgspec

    return msgspec.json.Decoder(tuple[str, int, str, int])


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
    encode = _codecs()[0].encode
    is_settled = all(key[4] <= segment.settled for key in segment.keys)
    header = [*_FORMAT, boot(), EVERYTHING if is_settled else segment.settled]
    try:
        lines = [encode(part) for part in (header, segment.leaf, segment.keys)]
        return b"\n".join([*lines, segment.encoded_values(encode)]) + b"\n"
    except UnicodeEncodeError:
        return None


def _decode(
    header: bytes, leaf: bytes, keys: bytes, values: bytes
) -> tuple[str, StatSegment] | None:
    """Return a segment and the boot that it was noted in; None if this is none."""
    import msgspec

    try:
        name, number, noted_in, settled = _header_codec().decode(header)
        if (name, number) != _FORMAT:
            return None
        segment = StatSegment(
            msgspec.json.decode(leaf, type=str), _codecs()[1].decode(keys), values, settled
        )
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return noted_in, segment


def _decode_values(data: bytes, count: int) -> list[StatValue]:
    import msgspec

    try:
        values = _codecs()[2].decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
    return values if len(values) == count else []
