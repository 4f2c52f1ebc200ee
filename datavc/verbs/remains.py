"""Remains: what `doctor` finds of commands that were killed, and of a power cut."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator

from datavc.core.errors import DatavcError
from datavc.repo.repo import Repo
from datavc.store import leftovers
from datavc.store.leases import dead
from datavc.store.leftovers import Leftover
from datavc.store.lock import try_lock
from datavc.verbs import repairing
from datavc.verbs.health import Check, ok, warn


def remains_checks(repo: Repo, *, fix: bool) -> Iterator[Check]:
    """Yield temporary files (swept with `fix`), locks, damaged operations, lost objects."""
    yield from _leftovers(repo, fix=fix)
    yield from _locks(repo)
    for name in repo.journal.ids():
        try:
            repo.journal.read(name)
        except DatavcError as error:
            yield warn("undo", error.message, error.hint)
    yield _lost(repo)


def _leftovers(repo: Repo, *, fix: bool) -> Iterator[Check]:
    found = [*_unfinished(repo, time.time()), *(Leftover(p, 0) for p in dead(repo.objects.root))]
    if fix:
        swept = {one.path for one in leftovers.sweep(found)}
        if swept:
            yield ok("leftovers", f"{len(swept)} of interrupted commands were removed")
        found = [one for one in found if one.path not in swept]
    old = {one.path for one in found}
    every = _unfinished(repo, time.time() + leftovers.DAY_S)  # but those of living writers
    young = [one for one in every if one.path not in old]
    today = f"{_counted(young)} from today, left to whoever is at them for a day" if young else ""
    if found:
        also = f"; {today}" if today else ""
        yield warn(
            "leftovers",
            f"{_counted(found)} of interrupted commands, such as {found[0].path}{also}",
            "`datavc doctor --fix` removes them",
        )
    else:
        yield ok("leftovers", today or "none")


def _unfinished(repo: Repo, now_s: float) -> list[Leftover]:
    layout = repo.layout
    return leftovers.find(repo.objects.root, layout.tmp, (layout.state, layout.ops), now_s)


def _counted(found: Iterable[Leftover]) -> str:
    sizes = [one.size for one in found]
    return f"{len(sizes)}, {sum(sizes) / (1 << 20):,.1f} MiB,"


def _locks(repo: Repo) -> Iterator[Check]:
    """Yield who holds the repository's lock, and whether Git's own is there."""
    holder, held = _holder(repo.layout.lock)
    if held:
        yield warn("lock", f"{holder or 'another process'} holds it", "commands wait for its end")
    elif holder:
        yield ok("lock", f"free; {holder} ended without giving it back")
    else:
        yield ok("lock", "free")
    index_lock = os.path.join(repo.git.git_dir, "index.lock")
    if os.path.lexists(index_lock):
        yield warn(
            "git lock",
            f"{index_lock} is there: Git is at work, or was killed",
            "remove it if no Git is running",
        )


def _holder(file: str) -> tuple[str, bool]:
    """Return what a lock file says of its last holder, and whether somebody holds it now."""
    try:
        fd = os.open(file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # not made yet, or not ours to take
        return "", False
    try:
        said = os.pread(fd, 400, 0).decode("utf-8", "replace")
        return said, not try_lock(fd, shared=True)
    finally:
        os.close(fd)


def _lost(repo: Repo) -> Check:
    """Return whether the cache has what pointers name, as far as it was ever here."""
    lost = repairing.lost(repo)
    if not lost:
        return ok("data", "the cache has all that was here and is tracked")
    files = sorted({name for names in lost.values() for name in names})
    return warn(
        "data",
        f"the cache lacks {len(lost):,} objects that were here, such as that of {files[0]}",
        "`datavc fsck` looks for them in the workspace and on the remotes",
    )
