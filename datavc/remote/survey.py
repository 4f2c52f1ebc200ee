"""What does the remote have? Asked in the way that takes the fewest requests.

A few names are asked one by one. For more, one folder is listed, which tells how full all of them
are: digests spread evenly. Then the cheapest of three ways is taken: every name by itself, the
folders that hold wanted names (at once), or all in one sweep (page after page, so each of its
pages counts for several).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from datavc.remote.backend import Backend, BlobInfo
from datavc.store.parallel import each

FEW = 32
"""Names that are asked for one by one without further thought."""
FOLDERS = 256
"""Folders of one algorithm: two hex digits."""
PAGE = 1_000
"""Names in one answer to a listing: S3, GCS; Azure sends 5,000."""
PAGE_COST = 4
"""What a page of a sweep counts for, because none can be asked for before the last one came."""
SWEEP_LIMIT = 64
"""Pages of a sweep at most: it is held in memory."""


class Survey:
    """Asks one backend, with `jobs` requests at once."""

    def __init__(self, backend: Backend, jobs: int) -> None:
        """Remember nothing."""
        self._backend = backend
        self._jobs = jobs

    def sizes(self, keys: Collection[str]) -> dict[str, int]:
        """Return key → bytes of those `keys` (`top/algorithm/2 hex/rest`) that are there."""
        by_top: dict[str, list[str]] = defaultdict(list)
        for key in keys:
            by_top["/".join(key.split("/", 2)[:2])].append(key)
        found: dict[str, int] = {}
        for top, group in by_top.items():
            self._look(top, group, found)
        return {key: found[key] for key in keys if key in found}

    def _look(self, top: str, keys: list[str], found: dict[str, int]) -> None:
        if len(keys) <= FEW or not self._backend.capabilities.lists:
            self._ask(keys, found)
            return
        folders = sorted({key.rpartition("/")[0] for key in keys})
        count = self._take(folders[0], found)
        rest = folders[1:]
        left = [key for key in keys if not key.startswith(f"{folders[0]}/")]
        pages = _pages(count * FOLDERS)
        sweep = PAGE_COST * pages if self._can_sweep(pages) else len(left) + 1
        cheapest = min(len(left), sweep, len(rest) * _pages(count))
        if cheapest == sweep:
            self._take(top, found)
        elif cheapest == len(left):
            self._ask(left, found)
        else:
            each(lambda folder: self._take(folder, found), rest, self._jobs)

    def all(self, top: str) -> Iterator[BlobInfo]:
        """List all that lies below `top`; the first folder tells whether one sweep will do."""
        if not self._backend.capabilities.lists:
            return
        first = list(self._backend.list(f"{top}/00"))
        if self._can_sweep(_pages(len(first) * FOLDERS)):
            yield from self._backend.list(top)
            return
        yield from first
        for number in range(1, FOLDERS):
            yield from self._backend.list(f"{top}/{number:02x}")

    def _can_sweep(self, pages: int) -> bool:
        return self._backend.capabilities.flat and pages <= SWEEP_LIMIT

    def _take(self, folder: str, found: dict[str, int]) -> int:
        blobs = [(blob.key, blob.size) for blob in self._backend.list(folder)]
        found.update(blobs)
        return len(blobs)

    def _ask(self, keys: list[str], found: dict[str, int]) -> None:
        def ask(key: str) -> None:
            blob = self._backend.stat(key)
            if blob is not None:
                found[key] = blob.size

        each(ask, keys, self._jobs)


def _pages(names: int) -> int:
    return names // PAGE + 1
