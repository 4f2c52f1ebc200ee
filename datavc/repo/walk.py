"""Walk: the names and stats of a tracked directory, in the order of its tree.

One scandir a folder, one stat a file, nothing read, links not followed. Memory grows with one
segment and the folders above it, not with the directory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, Protocol

from datavc.core.errors import PathError
from datavc.core.paths import sort_key
from datavc.core.tree import SEGMENT_LIMIT, SEGMENT_MASK
from datavc.store.stat_segment import StatKey


class Rules(Protocol):
    """What the walk asks of `.datavcignore`."""

    def is_ignored(self, path: str, *, is_dir: bool) -> bool:
        """Tell whether `path`, below the project's root, is to be passed over."""

    def is_free(self, folder: str) -> bool:
        """Tell whether nothing in `folder` itself is passed over but `RESERVED` names."""


class Found(NamedTuple):
    """One name of the walk: its key in the stat cache, and its mode (0 for an empty directory)."""

    key: StatKey
    mode: int


class Run(NamedTuple):
    """Names of the walk that follow each other: their keys in the stat cache, and their modes."""

    keys: list[StatKey]
    modes: list[int]


RESERVED = frozenset((".git", ".datavc"))
"""Names that no tree can hold: yielded, never looked into, so that whoever records refuses them.

Leaving them out would look like keeping a repository that lies inside, and lose it.
"""

RUN = 4096
"""So many files of a folder make a run at most: what is in memory beside its names."""

_Row = tuple[str, "os.DirEntry[str] | None"]
"""A name, with a slash if something is in that folder; no entry for a folder with nothing."""


def segments(root: str, output: str, rules: Rules) -> Iterator[Run]:
    """Yield what the directory holds, cut where its tree is cut (see `core.tree.cut`)."""
    import xxhash

    hash64 = xxhash.xxh3_64_intdigest
    segment = Run([], [])
    for keys, modes in walk(root, output, rules):
        cuts = [
            index
            for index, key in enumerate(keys)
            if not hash64(key[0].encode("utf-8", "surrogateescape")) & SEGMENT_MASK
        ]
        begin = 0
        for end in (*cuts, len(keys)):
            while (room := SEGMENT_LIMIT - len(segment.keys)) < end - begin:
                _extend(segment, keys[begin : begin + room], modes[begin : begin + room])
                yield segment
                segment = Run([], [])
                begin += room
            _extend(segment, keys[begin:end], modes[begin:end])
            begin = end
            if end < len(keys) and segment.keys:
                yield segment
                segment = Run([], [])
    if segment.keys:
        yield segment


def _extend(run: Run, keys: list[StatKey], modes: list[int]) -> None:
    run.keys.extend(keys)
    run.modes.extend(modes)


def walk(root: str, output: str, rules: Rules) -> Iterator[Run]:
    """Yield every file and link below `output`; a folder with nothing in it for itself.

    Raises:
        PathError: a folder cannot be read.
    """
    pending = [("", iter(_listed(os.path.join(root, output), output, rules)))]
    while pending:
        prefix, rows = pending[-1]
        run = Run([], [])
        below = _look(prefix, rows, run)
        if run.keys:
            yield run
        if below is not None:
            name, item = below
            inside = _listed(item.path, f"{output}/{prefix}{name[:-1]}", rules)
            pending.append((prefix + name, iter(inside)))
        elif len(run.keys) < RUN:
            pending.pop()


def _look(prefix: str, rows: Iterator[_Row], run: Run) -> tuple[str, os.DirEntry[str]] | None:
    """Add to `run` what `rows` name, up to a folder with something in it, which is returned."""
    keys, modes = run
    for name, item in rows:
        if item is None:
            keys.append((prefix + name, 0, 0, 0, 0))
            modes.append(0)
        elif name[-1] == "/":
            return name, item
        else:
            try:
                status = item.stat(follow_symlinks=False)
            except FileNotFoundError:  # it went away meanwhile: then it is not here
                continue
            keys.append(stat_key(prefix + name, status))
            modes.append(status.st_mode)
        if len(keys) == RUN:
            break
    return None


class Status(NamedTuple):
    """What is kept of a file's status, under the names that the system gives it."""

    st_mode: int
    st_ino: int
    st_size: int
    st_mtime_ns: int
    st_ctime_ns: int


def kept(status: os.stat_result) -> Status:
    """Return what is kept of a status."""
    return Status(
        status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


def stat_key(path: str, status: os.stat_result | Status) -> StatKey:
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
        elif _names(item.path, f"{path}/{name}", rules, most=1):
            rows.append((name + "/", item))
        else:
            rows.append((name, None))
    rows.sort(key=_name if plain else _name_bytes)
    return rows


def _names(
    folder: str, path: str, rules: Rules, most: int | None = None
) -> list[os.DirEntry[str]]:
    """Return what a folder holds but for what is ignored, at `most` so many.

    Nothing if the folder went away.

    Raises:
        PathError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as items:
            if rules.is_free(path):
                return list(islice(items, most))
            return list(islice((item for item in items if _is_taken(item, path, rules)), most))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise PathError(
            f"{path} cannot be read: {error.strerror}", "look at its permissions"
        ) from error


def _is_taken(item: os.DirEntry[str], path: str, rules: Rules) -> bool:
    is_dir = item.is_dir(follow_symlinks=False)
    return item.name in RESERVED or not rules.is_ignored(f"{path}/{item.name}", is_dir=is_dir)


def _name(row: _Row) -> str:
    return row[0]


def _name_bytes(row: _Row) -> bytes:
    return sort_key(row[0])
