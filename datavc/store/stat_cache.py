"""Stat cache: which digest a workspace file had when last read, kept as Git keeps its index.

One folder an output, one file a segment of its tree, so that one changed file rewrites one
segment. A memo only: losing it costs time. An entry counts only if inode, size, mtime and ctime
agree and both times are older than the moment of reading by the file system's own clock (the
racy-Git rule); else the bytes are looked at again. No device number: it changes between mounts.

A power cut can keep a file's new times and lose its new bytes: a file overwritten in place has its
times in the journal long before its bytes are written back. So an entry of a file that was young
when it was noted counts only until the machine starts anew.

A file is three lines of JSON: a header with the leaf and the totals, then keys and values. The
bytes of the keys alone tell that a segment is unchanged, so nothing else is decoded then.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from datavc.core.paths import sort_key
from datavc.store import atomic

if TYPE_CHECKING:
    import msgspec

_Row = TypeVar("_Row")

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


class Totals(NamedTuple):
    """What is asked of a segment without looking at its files: their bytes, and if any is weak."""

    size: int
    weak: bool


class StatSegment:
    """One segment: digest of its tree leaf (empty if not known), keys and values in one order.

    Keys and values of a loaded segment are decoded only when they are asked for. Files whose ctime
    (ns) is at most `settled` were on the disk when this was noted.
    """

    def __init__(
        self,
        leaf: str,
        keys: list[StatKey] | bytes,
        values: list[StatValue] | bytes,
        settled: int = 0,
        totals: Totals | None = None,
    ) -> None:
        """Keep keys and values, or the bytes that they are decoded from (then with `totals`)."""
        self.leaf = leaf
        self.settled = settled
        self._keys = keys
        self._values = values
        self._totals = totals

    @property
    def keys(self) -> list[StatKey]:
        """What the files' stats were; empty if the memo is damaged."""
        if isinstance(self._keys, bytes):
            self._keys = _decode(_codecs()[1], self._keys)
        return self._keys

    @property
    def values(self) -> list[StatValue]:
        """What the files were, one for each key; empty if the memo is damaged."""
        if isinstance(self._values, bytes):
            self._values = _decode(_codecs()[2], self._values)
        return self._values

    @property
    def totals(self) -> Totals:
        """What the values come to."""
        if self._totals is None:
            values = self.values
            self._totals = Totals(
                sum(value.size for value in values), any(value.weak for value in values)
            )
        return self._totals

    def has_keys(self, keys: list[StatKey]) -> bool:
        """Tell whether the keys are these."""
        if not isinstance(self._keys, bytes):
            return self._keys == keys
        try:
            return _codecs()[0].encode(keys) == self._keys
        except UnicodeEncodeError:
            return False

    def known(self) -> dict[str, tuple[StatKey, StatValue]]:
        """Return key and value by path."""
        pairs = zip(self.keys, self.values, strict=False)
        return {key[0]: (key, value) for key, value in pairs}

    def encoded(self, encode: Callable[[object], bytes]) -> tuple[bytes, bytes]:
        """Return keys and values as bytes, without decoding what is encoded."""
        keys, values = self._keys, self._values
        return (
            keys if isinstance(keys, bytes) else encode(keys),
            values if isinstance(values, bytes) else encode(values),
        )

    def all_settled(self, moment: int) -> StatSegment | None:
        """Return the segment as it may be noted at `moment` (ns), None if it gains nothing."""
        limit = moment - WRITTEN_BACK_NS
        if self.settled == EVERYTHING or any(key[4] > limit for key in self.keys):
            return None
        return StatSegment(self.leaf, self._keys, self._values, limit, self._totals)

    def before_this_boot(self) -> StatSegment:
        """Return what may be trusted of it after the machine was started anew."""
        if self.settled == EVERYTHING:
            return self
        keys = [key if key[4] <= self.settled else untrusted(key) for key in self.keys]
        leaf = self.leaf if keys == self.keys else ""
        return StatSegment(leaf, keys, self._values, self.settled, self._totals)


def untrusted(key: StatKey) -> StatKey:
    """Return a key that equals no file's."""
    return key[0], NEVER, key[2], key[3], key[4]


_COARSEST = 2_000_000_000
_FORMAT = "datavc stat", 3


class StatCache:
    """The memo of one workspace, below `folder`."""

    def __init__(self, folder: str) -> None:
        """Use `folder`, which need not exist."""
        self._folder = folder

    def load(self, output: str, first: str) -> StatSegment | None:
        """Return the segment of `output` that begins with the path `first`, if it is known."""
        try:
            with open(self._file(output, first), "rb") as stream:
                header, keys, values = stream.read().split(b"\n")[:3]
        except (OSError, ValueError):
            return None
        found = _decode_header(header)
        if found is None or found.check != _check(keys, values):
            return None
        totals = Totals(found.size, found.weak)
        segment = StatSegment(found.leaf, keys, values, found.settled, totals)
        return segment if found.boot and found.boot == boot() else segment.before_this_boot()

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


class _Header(NamedTuple):
    """The first line of a file; `check` is of the lines below it."""

    name: str
    version: int
    boot: str
    settled: int
    leaf: str
    size: int
    weak: bool
    check: str


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


def _check(keys: bytes, values: bytes) -> str:
    """Return what tells that both lines are as they were written."""
    import xxhash

    return xxhash.xxh3_64_hexdigest(keys) + xxhash.xxh3_64_hexdigest(values)


def _encode(segment: StatSegment) -> bytes | None:
    """Return the file's bytes; None for names that are not UTF-8: those are read anew."""
    encode = _codecs()[0].encode
    is_settled = all(key[4] <= segment.settled for key in segment.keys)
    settled = EVERYTHING if is_settled else segment.settled
    try:
        keys, values = segment.encoded(encode)
        header = _Header(
            *_FORMAT, boot(), settled, segment.leaf, *segment.totals, _check(keys, values)
        )
        return b"\n".join((encode(header), keys, values, b""))
    except UnicodeEncodeError:
        return None


def _decode_header(line: bytes) -> _Header | None:
    """Return the header of a file, None if it is of another format or none at all."""
    import msgspec

    try:
        header = msgspec.json.decode(line, type=_Header)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return header if (header.name, header.version) == _FORMAT else None


def _decode(decoder: msgspec.json.Decoder[list[_Row]], data: bytes) -> list[_Row]:
    import msgspec

    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
