"""merge-driver: what Git calls to merge a pointer or a lock that both sides changed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace

from datavc.core import paths
from datavc.core.errors import DataError, FormatError
from datavc.core.merge import merge_trees
from datavc.core.outputs import LOCK_FILE, POINTER_SUFFIX, Pointer
from datavc.core.paths import RepoPath
from datavc.core.tree import TreeEntry
from datavc.formats import lock_merge
from datavc.formats import pointer as codec
from datavc.repo.repo import Repo
from datavc.store import atomic, trees


@dataclass(frozen=True, slots=True)
class MergeOutcome:
    """How merging `path` went: files or stages in conflict, a sentence and the way out, if any."""

    path: str
    clean: bool
    conflicts: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""

    @property
    def exit_code(self) -> int:
        """What Git is told: 0 merged, 1 a conflict."""
        return 0 if self.clean else 1


@dataclass(frozen=True, slots=True)
class _Version:
    """One side's pointer, as text and as value; no value where the file was not there."""

    file: str
    text: str
    pointer: Pointer | None


def run(top: str, base: str, ours: str, theirs: str, path: str) -> MergeOutcome:
    """Merge for the project that `path`, below Git's `top` folder, belongs to.

    Raises:
        NotARepository: it belongs to none.
    """
    repo = Repo.open(os.path.join(top, os.path.dirname(path)), {})
    return merge_driver(repo, base, ours, theirs, path)


def merge_driver(repo: Repo, base: str, ours: str, theirs: str, path: str) -> MergeOutcome:
    """Merge three versions of `path`, which Git left in files, into the file `ours`.

    Of a pointer, the recorded data is merged first, directories by their trees; then the other
    lines as text. The tree is durable before `ours` names it. A lock is merged stage by stage.
    A conflict stays there between Git's markers.
    """
    files = [os.path.abspath(file) for file in (base, ours, theirs)]
    if paths.name(path) == LOCK_FILE:
        return _merge_locks(repo, files, RepoPath(path))
    if not path.endswith(POINTER_SUFFIX):
        return _as_text(repo, files, MergeOutcome(path, clean=True))
    try:
        was, mine, yours = (_read(file, path) for file in files)
        data = _merge_data(repo, was.pointer, mine.pointer, yours.pointer)
    except FormatError as error:
        return _as_text(repo, files, MergeOutcome(path, False, (), error.message, error.hint))
    except DataError as error:
        hint = (
            "`datavc fetch --rev HEAD --rev OTHER`, where OTHER is what you merge, gets it; "
            f"then `git checkout -m -- {path}` merges again"
        )
        return _as_text(repo, files, MergeOutcome(path, False, (), error.message, hint))
    if isinstance(data, MergeOutcome):
        return _as_text(repo, files, replace(data, path=path, hint=_choose(path)))
    for version in (was, mine, yours):
        if version.pointer is not None:
            text = codec.rewrite(version.text, _with_data(version.pointer, data), path)
            atomic.write_text(version.file, text, durable=False)
    return _as_text(repo, files, MergeOutcome(path, clean=True))


def _merge_locks(repo: Repo, files: list[str], path: RepoPath) -> MergeOutcome:
    base, ours, theirs = (_bytes(file) for file in files)
    try:
        merged = lock_merge.merge(base, ours, theirs, path)
    except FormatError as error:
        return _as_text(repo, files, MergeOutcome(path, False, (), error.message, error.hint))
    atomic.write_bytes(files[1], merged.data, durable=False)
    if not merged.conflicts:
        return MergeOutcome(path, clean=True)
    more = f" and {len(merged.conflicts) - 1} more" if len(merged.conflicts) > 1 else ""
    return MergeOutcome(
        path,
        clean=False,
        conflicts=merged.conflicts,
        message=f"{path}: both sides changed stage {merged.conflicts[0]}{more}",
        hint=f"keep one entry of each in {path}, then `datavc repro` and `git add {path}`",
    )


def _as_text(repo: Repo, files: list[str], outcome: MergeOutcome) -> MergeOutcome:
    """Merge line by line, which leaves the markers; an outcome that is a conflict stays one."""
    base, ours, theirs = files
    clean = repo.git.merge_text(ours, base, theirs)
    return replace(outcome, clean=outcome.clean and clean)


def _bytes(file: str) -> bytes:
    with open(file, "rb") as stream:
        return stream.read()


def _read(file: str, path: str) -> _Version:
    data = _bytes(file)
    pointer = codec.parse(data, path) if data else None
    return _Version(file, data.decode("utf-8", "surrogateescape"), pointer)


def _merge_data(
    repo: Repo, base: Pointer | None, ours: Pointer | None, theirs: Pointer | None
) -> Pointer | MergeOutcome:
    """Return a pointer that records the data of both sides, or the conflict.

    Raises:
        FormatError: a side is empty.
        DataError: a tree that is needed is not in the cache.
    """
    if ours is None or theirs is None:
        raise FormatError("an empty pointer cannot be merged")
    if _data(ours) == _data(theirs) or (base and _data(theirs) == _data(base)):
        return ours
    if base and _data(ours) == _data(base):
        return theirs
    if ours.kind == theirs.kind == "directory":
        return _merge_directories(repo, base, ours, theirs)
    return MergeOutcome("", False, (), f"both sides changed {ours.path}")


def _choose(path: str) -> str:
    return f"keep one side: `git checkout --ours {path}` or `--theirs`, then `git add {path}`"


def _merge_directories(
    repo: Repo, base: Pointer | None, ours: Pointer, theirs: Pointer
) -> Pointer | MergeOutcome:
    was = base if base is not None and base.kind == "directory" else None
    merged = merge_trees(_entries(repo, was), _entries(repo, ours), _entries(repo, theirs))
    if merged.conflicts:
        files = tuple(f"{ours.path}/{conflict.path}" for conflict in merged.conflicts)
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        return MergeOutcome("", False, files, f"both sides changed {files[0]}{more}")
    with repo.objects.writer() as writer:
        summary = trees.write(writer, merged.entries)
    return ours._replace(digest=summary.digest, size=summary.size, files=summary.files)


def _entries(repo: Repo, pointer: Pointer | None) -> Iterable[TreeEntry]:
    if pointer is None:
        return ()
    try:
        return list(trees.entries(repo.objects, pointer.digest))
    except DataError as error:
        raise DataError(
            f"{pointer.path} cannot be merged: a list of its files is not in the cache"
        ) from error


def _data(pointer: Pointer) -> tuple[str, str, bool]:
    """Return what is recorded of the bytes, as opposed to what people say about them."""
    return pointer.kind, pointer.digest, pointer.executable


def _with_data(pointer: Pointer, data: Pointer) -> Pointer:
    return pointer._replace(
        kind=data.kind,
        digest=data.digest,
        size=data.size,
        files=data.files,
        executable=data.executable,
    )
