"""Leftovers: what processes that died left behind, found by age, and swept.

Only temporary files: whatever lies under a final name is never looked at here.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from datavc.store.leases import bury, dead, is_name

DAY_S = 86400.0
"""Temporary files are left alone that long, whoever may still be at them."""


class Leftover(NamedTuple):
    """A temporary file or folder: absolute path and bytes."""

    path: str
    size: int


def find(cache: str, tmp: str, replaced: Sequence[str], now_s: float) -> list[Leftover]:
    """Return what is left in the cache, in `tmp`, and in folders whose files are `replaced`."""
    found = [*in_cache(cache, now_s), *in_folder(tmp, now_s)]
    return found + [one for folder in replaced for one in half_written(folder, now_s)]


def sweep_cache(root: str, now_s: float) -> None:
    """Remove what dead writers left in the cache at `root` more than a day ago."""
    bury(root, now_s - DAY_S)
    if len(os.listdir(os.path.join(root, "tmp"))) > 1:  # besides that of who asks
        sweep(in_cache(root, now_s))


def in_cache(root: str, now_s: float) -> list[Leftover]:
    """Return temporary folders of dead writers in the cache at `root`, older than a day."""
    leases = os.path.join(root, "leases")
    gone = {os.path.basename(path) for path in dead(root)}

    def is_dead(name: str) -> bool:
        return name in gone or not os.path.lexists(os.path.join(leases, name))

    tmp = os.path.join(root, "tmp")
    found = in_folder(tmp, now_s) if not os.path.islink(tmp) else []
    ours = [(one, name) for one in found if is_name(name := os.path.basename(one.path))]
    return [one for one, name in ours if is_dead(name)]


def in_folder(folder: str, now_s: float) -> list[Leftover]:
    """Return everything in a folder for temporary files that is older than a day."""
    return [
        Leftover(path, size) for path, size, time_s in _sized(folder) if time_s < now_s - DAY_S
    ]


def half_written(folder: str, now_s: float) -> list[Leftover]:
    """Return files of `folder` and below that were being replaced when their writer died."""
    found = []
    for base, _, names in os.walk(folder):
        for name in names:
            if not (name.startswith(".") and name.endswith(".tmp")):
                continue
            path = os.path.join(base, name)
            with suppress(FileNotFoundError):
                status = os.lstat(path)
                if max(status.st_mtime, status.st_ctime) < now_s - DAY_S:
                    found.append(Leftover(path, status.st_size))
    return found


def sweep(found: Iterable[Leftover]) -> list[Leftover]:
    """Remove leftovers; return those that are gone. One that cannot be removed stays."""
    import shutil

    swept = []
    for leftover in found:
        with suppress(OSError):
            if stat.S_ISDIR(os.lstat(leftover.path).st_mode):
                shutil.rmtree(leftover.path)
            else:
                os.unlink(leftover.path)
            swept.append(leftover)
    return swept


def _sized(folder: str) -> Iterator[tuple[str, int, float]]:
    """Yield path, bytes and last change (epoch, s) of all that lies in `folder`."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as items:
        for item in items:
            with suppress(FileNotFoundError):
                status = item.stat(follow_symlinks=False)
                time_s, size = max(status.st_mtime, status.st_ctime), status.st_size
                if item.is_dir(follow_symlinks=False):
                    inside = list(_sized(item.path))
                    size = sum(part[1] for part in inside)
                    time_s = max([time_s, *(part[2] for part in inside)])
                yield item.path, size, time_s
