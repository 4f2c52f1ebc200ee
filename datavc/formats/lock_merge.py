"""Three-way merge of lock files, stage by stage: an entry is one proof, so it is taken whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from datavc.core.lock import LockEntry
from datavc.core.paths import RepoPath
from datavc.formats import lockfile

_BEFORE, _AFTER = 3, 2
"""Lines around the stages of a lock file."""


class MergedLock(NamedTuple):
    """The file of both sides, and the stages in conflict, which stand in it between markers."""

    data: bytes
    conflicts: tuple[str, ...]


def merge(base: bytes, ours: bytes, theirs: bytes, where: RepoPath) -> MergedLock:
    """Return what both sides made of the lock `base`; one that is empty was not there.

    What one side alone changed, added or removed is taken from it.

    Raises:
        FormatError: a version is no lock file.
    """
    was, mine, yours = (_blocks(data, where) for data in (base, ours, theirs))
    merged: dict[str, bytes] = {}
    conflicts: dict[str, tuple[bytes, bytes]] = {}
    for name in sorted(mine.keys() | yours.keys()):
        before, one, other = was.get(name, b""), mine.get(name, b""), yours.get(name, b"")
        if one != before and other not in (before, one):
            conflicts[name] = one, other
        else:
            merged[name] = other if one == before else one
    kept = [block for block in merged.values() if block]
    lines = lockfile.render({"": LockEntry(())}, where).splitlines(keepends=True)
    if not kept and not conflicts:
        return MergedLock(lockfile.render({}, where), ())
    text = b"".join(
        [
            *lines[:_BEFORE],
            *_marked([*conflicts.values()], last=not kept),
            b",\n".join(kept) + b"\n" * bool(kept),
            *lines[-_AFTER:],
        ]
    )
    return MergedLock(text, tuple(conflicts))


def _blocks(data: bytes, where: RepoPath) -> dict[str, bytes]:
    """Return the text of each stage's entry, without a comma; two are alike if their texts are."""
    lock = lockfile.parse(data, where) if data else {}
    rendered = ((name, lockfile.render({name: entry}, where)) for name, entry in lock.items())
    return {name: b"\n".join(text.splitlines()[_BEFORE:-_AFTER]) for name, text in rendered}


def _marked(conflicts: Sequence[tuple[bytes, bytes]], *, last: bool) -> Iterator[bytes]:
    """Yield the entries of both sides between markers that name the stage.

    They stand before all others, so that a comma is right behind whichever is kept; behind the
    `last` of all there is none.
    """
    for at, (one, other) in enumerate(conflicts, 1):
        end = b"\n" if last and at == len(conflicts) else b",\n"
        stage = (one or other).partition(b"\n")[0].strip().removesuffix(b": {")
        yield b"<<<<<<< ours: stage " + stage + b"\n" + (one and one + end)
        yield b"=======\n" + (other and other + end)
        yield b">>>>>>> theirs: stage " + stage + b"\n"
