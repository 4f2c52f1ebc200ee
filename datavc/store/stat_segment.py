"""What the stat cache knows of one segment of a tree: the files' stats and what they were.

As bytes it is one header line, then a line of JSON for each file's stat, then one for what each
file was. The header has a hash of all stats, which tells that a segment is unchanged without
decoding anything or importing what decodes; and one file's lines are replaced without decoding its
neighbours.
"""

from __future__ import annotations

import functools
import marshal
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

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

_FORMAT = "datavc stat", 3
_Row = TypeVar("_Row")


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
    """What is asked of a segment without looking at its files.

    Their bytes, whether any value is weak, a ctime (ns) that none is younger than, and the hash of
    all keys, empty where that is not known.
    """

    size: int
    weak: bool
    youngest: int
    keys: str


NewRow = tuple[StatKey, StatValue]


def untrusted(key: StatKey) -> StatKey:
    """Return a key that equals no file's."""
    return key[0], NEVER, key[2], key[3], key[4]


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
        """Keep keys and values, or the lines that they are decoded from (then with `totals`)."""
        self.leaf = leaf
        self.settled = settled
        self._keys = keys
        self._values = values
        self._totals = totals

    @property
    def keys(self) -> list[StatKey]:
        """What the files' stats were; empty if the memo is damaged."""
        if isinstance(self._keys, bytes):
            self._keys = _decoded(_codecs()[1], self._keys)
        return self._keys

    @property
    def values(self) -> list[StatValue]:
        """What the files were, one for each key; empty if the memo is damaged."""
        if isinstance(self._values, bytes):
            self._values = _decoded(_codecs()[2], self._values)
        return self._values

    @property
    def totals(self) -> Totals:
        """What the values come to."""
        if self._totals is None:
            self._totals = Totals(
                sum(value.size for value in self.values),
                any(value.weak for value in self.values),
                max((key[4] for key in self.keys), default=0),
                _hash_of(packed(self.keys)),
            )
        return self._totals

    def has_keys(self, packed: bytes) -> bool:
        """Tell whether the keys are these."""
        if self.totals.keys:
            return self.totals.keys == _hash_of(packed)
        return self.keys == unpacked(packed)

    def without_keys(self) -> StatSegment:
        """Return what the files were, for whoever knows their stats."""
        return StatSegment(self.leaf, b"", self._values, self.settled, self.totals)

    def sure_keys(self, rows: Sequence[int]) -> list[StatKey]:
        """Return the keys of some rows, decoding no others; untrusted where the value is weak.

        Fewer if one cannot be decoded.
        """
        keys, values = _split(self._keys), _split(self._values)
        pairs = zip(
            _decoded(_codecs()[1], _joined([keys[row] for row in rows])),
            _decoded(_codecs()[2], _joined([values[row] for row in rows])),
            strict=False,
        )
        return [untrusted(key) if value.weak else key for key, value in pairs]

    def known(self) -> dict[str, NewRow]:
        """Return key and value by path."""
        pairs = zip(self.keys, self.values, strict=False)
        return {key[0]: (key, value) for key, value in pairs}

    def with_rows(
        self, leaf: str, size: int, rows: Sequence[int | NewRow], settled: int
    ) -> StatSegment:
        """Return the segment that has these rows, some of this one (by number) and some new.

        Raises:
            UnicodeEncodeError: a new name is not UTF-8.
        """
        encode = _codecs()[0].encode
        keys, values = _split(self._keys), _split(self._values)
        new_keys = [keys[row] if isinstance(row, int) else encode(row[0]) for row in rows]
        new_values = [values[row] if isinstance(row, int) else encode(row[1]) for row in rows]
        ctimes = [row[0][4] for row in rows if not isinstance(row, int)]
        totals = Totals(size, self.totals.weak, max(self.totals.youngest, *ctimes, 0), "")
        return StatSegment(leaf, _joined(new_keys), _joined(new_values), settled, totals)

    def noted_again(self, packed: bytes, moment: int) -> StatSegment | None:
        """Return it, whose keys are these, as it may be noted at `moment` (ns); None to no avail.

        What is won: the hash of the keys, or that all files are on the disk by now.
        """
        settled = self.settled
        if self.totals.youngest <= moment - WRITTEN_BACK_NS:
            settled = EVERYTHING
        if settled == self.settled and self.totals.keys:
            return None
        totals = self.totals._replace(keys=_hash_of(packed))
        return StatSegment(self.leaf, self._keys, self._values, settled, totals)

    def before_this_boot(self) -> StatSegment:
        """Return what may be trusted of it after the machine was started anew."""
        if self.settled == EVERYTHING:
            return self
        keys = [key if key[4] <= self.settled else untrusted(key) for key in self.keys]
        leaf = self.leaf if keys == self.keys else ""
        return StatSegment(leaf, keys, self._values, self.settled, self._totals)

    def encode(self, boot: str) -> bytes | None:
        """Return it as bytes, noted in `boot`; None for names that are not UTF-8.

        Those are read anew each time.
        """
        import json

        try:
            keys, values = _lines(self._keys), _lines(self._values)
        except UnicodeEncodeError:
            return None
        header = _Header(
            *(*_FORMAT, boot, self.settled, self.leaf, *self.totals, len(keys)),
            _check(keys, values),
        )
        return json.dumps(header).encode() + b"\n" + keys + values


class _Header(NamedTuple):
    """The first line; `length` is that of the keys in bytes, `check` of all lines below."""

    name: str
    version: int
    boot: str
    settled: int
    leaf: str
    size: int
    weak: bool
    youngest: int
    keys: str
    length: int
    check: str


_KINDS = (str, int, str, int, str, int, bool, int, str, int, str)


def decode(data: bytes) -> tuple[str, StatSegment] | None:
    """Return the boot that a segment was noted in, and the segment; None if this is none."""
    import json

    line, _, body = data.partition(b"\n")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or tuple(map(type, found)) != _KINDS:
        return None
    header = _Header(*found)
    if (header.name, header.version) != _FORMAT or header.length < 0:
        return None
    keys, values = body[: header.length], body[header.length :]
    if header.check != _check(keys, values):
        return None
    totals = Totals(header.size, header.weak, header.youngest, header.keys)
    return header.boot, StatSegment(header.leaf, keys, values, header.settled, totals)


@functools.cache
def _codecs() -> tuple[
    msgspec.json.Encoder, msgspec.json.Decoder[StatKey], msgspec.json.Decoder[StatValue]
]:
    import msgspec

    return (
        msgspec.json.Encoder(),
        msgspec.json.Decoder(StatKey),
        msgspec.json.Decoder(StatValue),
    )


def _check(keys: bytes, values: bytes) -> str:
    """Return what tells that these lines are as they were written."""
    import xxhash

    return xxhash.xxh3_64_hexdigest(keys) + xxhash.xxh3_64_hexdigest(values)


def packed(keys: list[StatKey]) -> bytes:
    """Return keys as the fastest bytes that they have, a quarter of their memory.

    In version 2 of those, equal keys have equal bytes.
    """
    return marshal.dumps(keys, 2)


def unpacked(keys: bytes) -> list[StatKey]:
    """Return the keys that this process has packed."""
    return cast("list[StatKey]", marshal.loads(keys))


def _hash_of(packed: bytes) -> str:
    """Return the XXH3-128 of packed keys.

    That is kept, the bytes are not: those of another Python may differ, and then the keys
    themselves are compared.
    """
    import xxhash

    return xxhash.xxh3_128_hexdigest(packed)


def _lines(rows: list[StatKey] | list[StatValue] | bytes) -> bytes:
    return rows if isinstance(rows, bytes) else _codecs()[0].encode_lines(rows)


def _split(rows: list[StatKey] | list[StatValue] | bytes) -> list[bytes]:
    """Return the rows as lines, without what ends them."""
    return _lines(rows).split(b"\n")[:-1]


def _joined(lines: list[bytes]) -> bytes:
    return b"\n".join([*lines, b""])


def _decoded(decoder: msgspec.json.Decoder[_Row], data: bytes) -> list[_Row]:
    import msgspec

    try:
        return decoder.decode_lines(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
