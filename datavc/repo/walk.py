"""Walk: the names and stats of a tracked directory, in the order of its tree.

One scandir a folder, one stat a file, nothing read, links not followed. Memory grows with one
segment and the folders above it, not with the directory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple, Protocol

from datavc.core.errors import PathError
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

_Row = tuple[str, "os.DirEntry[str] | None"]
"""A name, with a slash if something is in that folder; no entry for a folder with nothing."""


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
    """Yield every file and link below `output`; a folder with nothing in it for itself.

    Raises:
        PathError: a folder cannot be read.
    """
    pending = [("", iter(_listed(os.path.join(root, output), output, rules)))]
    while pending:
        prefix, rows = pending[-1]
        for name, item in rows:
            if item is None:
                yield Found((prefix + name, 0, 0, 0, 0), 0)
                continue
            if name[-1] == "/":
                inside = _listed(item.path, f"{output}/{prefix}{name[:-1]}", rules)
                pending.append((prefix + name, iter(inside)))
                break
            with suppress(FileNotFoundError):  # it went away meanwhile: then it is not here
                status = item.stat(follow_symlinks=False)
                yield Found(stat_key(prefix + name, status), status.st_mode)
        else:
            pending.pop()


def stat_key(path: str, status: os.stat_result) -> StatKey:
    """Return the stat cache's key of a file with this status."""
    return path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _listed(folder: str, path: str, rules: Rules) -> list[_Row]:
    """Return the names in a folder in the order of the paths below them.

    An empty folder sorts as the name that stands for it, any other as what is inside.

    Raises:
        PathError: the folder cannot be read.
    """
    rows: list[_Row] = []
    plain = True
    for item in _names(folder, path, rules):
        name = item.name
        plain = plain and name.isascii()
        if name in RESERVED or not item.is_dir(follow_symlinks=False):
            rows.append((name, item))
        elif any(True for _ in _names(item.path, f"{path}/{name}", rules)):
            rows.append((name + "/", item))
        else:
            rows.append((name, None))
    rows.sort(key=_name if plain else _name_bytes)
    return rows


def _names(folder: str, path: str, rules: Rules) -> Iterator[os.DirEntry[str]]:
    """Yield what a folder holds but for what is ignored; nothing if the folder went away."""
    try:
        with os.scandir(folder) as items:
            for item in items:
                is_dir = item.is_dir(follow_symlinks=False)
                passed = rules.is_ignored(f"{path}/{item.name}", is_dir=is_dir)
                if item.name in RESERVED or not passed:
                    yield item
    except FileNotFoundError:
        return
    except OSError as error:
        raise PathError(
            f"{path} cannot be read: {error.strerror}", "look at its permissions"
        ) from error


def _name(row: _Row) -> str:
    return row[0]


def _name_bytes(row: _Row) -> bytes:
    return sort_key(row[0])
