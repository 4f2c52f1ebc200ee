"""run-cache: what the run cache knows, and what of it is still here."""

from __future__ import annotations

import time
from typing import NamedTuple

from datavc.repo.repo import Repo
from datavc.verbs import run_shelf


class KnownRun(NamedTuple):
    """One entry: the stage that made it, when it was last asked for (epoch, s), its bytes.

    `present` tells whether all that it made is in the cache; `seconds` is what running took.
    """

    key: str
    stage: str
    command: str
    used: float
    seconds: float
    bytes: int
    present: bool


class RunCacheInfo(NamedTuple):
    """All entries, those last asked for first."""

    runs: tuple[KnownRun, ...]

    def to_json(self) -> dict[str, object]:
        """Return totals and one object an entry."""
        return {
            "runs": len(self.runs),
            "bytes": sum(run.bytes for run in self.runs),
            "seconds": sum(run.seconds for run in self.runs),
            "entries": [run._asdict() for run in self.runs],
        }


def info(repo: Repo) -> RunCacheInfo:
    """Return what the run cache knows."""
    cache = run_shelf.of_cache(repo)
    now = time.time()
    found = []
    for run in run_shelf.readable(cache.known_keys(), cache.read):
        present = not repo.objects.missing([out.digest for out in run.entry.outs])
        size = sum(out.size or 0 for out in run.entry.outs)
        used = now - cache.unused_s(run.key)
        command = "; ".join(run.entry.cmd)
        found.append(KnownRun(run.key, run.stage, command, used, run.seconds, size, present))
    return RunCacheInfo(tuple(sorted(found, key=lambda run: -run.used)))
