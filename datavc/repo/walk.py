"""Walk: the names and stats of a tracked directory, in the order of its tree.

One scandir a folder, one stat a file, nothing read, links not followed. Memory grows with one
segment and the folders above it, not with the directory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple, Protocol

from datavc.core.paths import sort_key
from datavc.core.tree import SEGMENT_LIMIT, SEGMENT_MASK
from datavc.store.stat_cache import StatKey


class Rules(Protocol):
    """What the walk asks of `.datavcignore`."""

    def is_ignored(self, path: str, *, is_dir: bool) -> bool:
        """Tell whether `path`, below the project's root, is to be passed over."""


class Found(NamedTuple):
    """One name of the walk: its key in the stat cache, and its mode (0 for an empty directory)."""

    key: StatKey
    mode: int


RESERVED = frozenset((".git", ".datavc"))
"""Names that no tree can hold: yielded, never looked into, so that whoever records refuses them.

Leaving them out would look like keeping a repository that lies inside, and lose it.
"""

_Row = tuple[str, "os.DirEntry[str]"]


def segments(root: str, output: str, rules: Rules) -> Iterator[list[Found]]:
    """Yield what the directory holds, cut where its tree is cut (see `core.tree.cut`)."""
    import xxhash

    hash64 = xxhash.xxh3_64_intdigest
    group: list[Found] = []
    for found in walk(root, output, rules):
        key = found[0][0].encode("utf-8", "surrogateescape")
        if group and (not hash64(key) & SEGMENT_MASK or len(group) >= SEGMENT_LIMIT):
            yield group
            group = []
        group.append(found)
    if group:
        yield group


def walk(root: str, output: str, rules: Rules) -> Iterator[Found]:
    """Yield every file and link below `output`; a folder with nothing in it for itself."""
    pending = [("", iter(_listed(os.path.join(root, output), output, rules)))]
    while pending:
        prefix, rows = pending[-1]
        for name, item in rows:
            if name[-1] == "/":
                inside = _listed(item.path, f"{output}/{prefix}{name[:-1]}", rules)
                if inside:
                    pending.append((prefix + name, iter(inside)))
                    break
                yield Found((prefix + name[:-1], 0, 0, 0, 0), 0)
                continue
            with suppress(FileNotFoundError):  # it went away meanwhile: then it is not here
                status = item.stat(follow_symlinks=False)
                yield Found(stat_key(prefix + name, status), status.st_mode)
        else:
            pending.pop()


def stat_key(path: str, status: os.stat_result) -> StatKey:
    """Return the stat cache's key of a file with this status."""
    return path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _listed(folder: str, path: str, rules: Rules) -> list[_Row]:
    """Return the names in a folder, folders with a slash, in the order of the paths below."""
    rows: list[_Row] = []
    plain = True
    with os.scandir(folder) as items:
        for item in items:
            name = item.name
            if name in RESERVED:
                rows.append((name, item))
                continue
            is_dir = item.is_dir(follow_symlinks=False)
            if not rules.is_ignored(f"{path}/{name}", is_dir=is_dir):
                rows.append((name + "/" if is_dir else name, item))
                plain = plain and name.isascii()
    rows.sort(key=_name if plain else _name_bytes)
    return rows


def _name(row: _Row) -> str:
    return row[0]


def _name_bytes(row: _Row) -> bytes:
    return sort_key(row[0])
