"""What Git prints, as values. Pure: starts nothing, reads no file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from datavc.core import paths
from datavc.core.errors import PathError
from datavc.core.outputs import LOCK_FILE, POINTER_SUFFIX, is_record
from datavc.core.paths import RepoPath
from datavc.core.stage import STAGE_FILE
from datavc.repo.layout import FOLDER

RECORD_PATHSPECS = (f"*{POINTER_SUFFIX}", f"*{LOCK_FILE}", f"*{FOLDER}/*")
"""Pathspecs of pointers and locks, and of the folders that tell nested projects apart."""
PROJECT_PATHSPECS = (*RECORD_PATHSPECS, f"*{STAGE_FILE}")
"""The same, and stage files."""


class Listing(NamedTuple):
    """What a project is described by: pointers and locks, and stage files; each sorted."""

    records: list[RepoPath]
    stage_files: list[RepoPath]


_RECORD = re.compile(rb"([0-9]+ [0-9a-f]+ [0-3])\t([^\0]+)\0((?:  [^\n]*\n)*)")
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class GitFile(NamedTuple):
    """A file in a commit: path, blob, size in bytes, and Git's mode (0o100644, 0o120000, …)."""

    path: RepoPath
    blob: str
    size: int
    mode: int


class IndexEntry(NamedTuple):
    """A path in the index: its blob, and its stage, which is 0 unless there is a conflict."""

    path: str
    blob: str
    stage: int


def is_id(text: str) -> bool:
    """Tell whether `text` is the full name of an object of Git's."""
    return _ID.fullmatch(text) is not None


def names(out: bytes) -> list[str]:
    """Return the paths of a list that ends each with NUL, once each, in order."""
    return list(dict.fromkeys(os.fsdecode(name) for name in out.split(b"\0") if name))


def values(out: bytes) -> list[str]:
    """Return the items of a list that ends each with NUL, doubles and all, in order."""
    return [os.fsdecode(item) for item in out.split(b"\0")[:-1]]


def index_entries(out: bytes) -> Iterator[IndexEntry]:
    """Yield what `ls-files -s -z` says."""
    for record in out.split(b"\0")[:-1]:
        fields, _, path = record.partition(b"\t")
        _, blob, stage = fields.split()
        yield IndexEntry(os.fsdecode(path), blob.decode(), int(stage))


def changed_records(before: bytes, after: bytes) -> set[str]:
    """Return the paths of which two outputs of `ls-files -z -s --debug` differ."""
    one, other = _records(before), _records(after)
    return {path for path in {*one, *other} if one.get(path) != other.get(path)}


def _records(out: bytes) -> dict[str, list[tuple[bytes, bytes]]]:
    """Return path → what is said of it, once for each stage."""
    records: dict[str, list[tuple[bytes, bytes]]] = {}
    for found in _RECORD.finditer(out):
        entry, path, details = found.groups()
        records.setdefault(os.fsdecode(path), []).append((entry, details))
    return records


def tree_files(out: bytes, prefix: str) -> list[GitFile]:
    """Return what `ls-tree -r -z -l --full-tree` says of files below `prefix`, as seen from it.

    Names that a hostile commit may hold but no project can (`..`, `.git`) are left out.
    """
    files = []
    for record in out.split(b"\0")[:-1]:
        fields, _, name = record.partition(b"\t")
        mode, kind, blob, size = fields.split()
        path = os.fsdecode(name)
        if kind == b"blob" and paths.is_inside(path, prefix) and path != prefix:
            path = paths.relative(path, prefix)
            files.append(GitFile(RepoPath(path), blob.decode(), int(size), int(mode, 8)))
    return files


def blob_ids_before(out: bytes) -> dict[str, str | None]:
    """Return path → the blob it had, None if it had none, from `diff-index -z` without renames."""
    fields = out.split(b"\0")
    before: dict[str, str | None] = {}
    for record, path in zip(fields[::2], fields[1::2], strict=False):
        blob = record.split()[2].decode()
        before[os.fsdecode(path)] = blob if blob.strip("0") else None
    return before


def blob_sizes(out: bytes) -> dict[str, int]:
    """Return blob → bytes from `cat-file --batch-check`; what is missing is left out."""
    lines = (line.split() for line in out.decode("ascii", "replace").splitlines())
    return {line[0]: int(line[2]) for line in lines if len(line) == 3 and line[1] == "blob"}


def blob_bytes(out: bytes, sizes: dict[str, int]) -> dict[str, bytes]:
    """Return blob → content from `cat-file --batch`, which was asked for `sizes` in order."""
    found, start = {}, 0
    for blob, size in sizes.items():
        start = out.index(b"\n", start) + 1
        found[blob] = out[start : start + size]
        start += size + 1
    return found


def nested_in(listed: Iterable[str]) -> Callable[[str], bool]:
    """Return the question whether a path is a nested project's, judged by a list of files."""
    mark = f"/{FOLDER}/"
    folders = tuple({f"{path.partition(mark)[0]}/" for path in listed if mark in path})
    return lambda path: path.startswith(folders)


def own_files(
    listed: Iterable[str],
    is_nested: Callable[[str], bool],
    is_wanted: Callable[[str], bool] = is_record,
) -> list[RepoPath]:
    """Return the files of `listed` that are wanted and belong to this project, sorted.

    What stands below `.datavc/`, and names that no project can hold, are left out.
    """
    ours = {path for path in listed if is_wanted(path) and not is_nested(path)}
    return sorted(RepoPath(path) for path in ours if _is_sound(path))


def _is_sound(path: str) -> bool:
    try:
        paths.parse(path)
    except PathError:
        return False
    return True
