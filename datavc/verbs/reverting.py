"""Reverting: what lies at the paths of an operation now, and what is known once it is undone."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from datavc.core.errors import DatavcError
from datavc.core.outputs import TrackedOutput
from datavc.core.paths import RepoPath
from datavc.core.progress import Progress
from datavc.core.tree import EMPTY_DIRECTORY, TreeEntry
from datavc.repo.file_reader import FileReader
from datavc.repo.inventory import tracked
from datavc.repo.journal import PathChange, State
from datavc.repo.placed import PlacedRecord
from datavc.repo.repo import Repo
from datavc.repo.scan import Trust
from datavc.repo.snapshot import read_record
from datavc.repo.walk import Found, stat_key
from datavc.store import trees
from datavc.store.stat_segment import StatKey
from datavc.verbs.scanning import reader, scanner


class Lying(NamedTuple):
    """What is at a path now: a pointer's text, or a file of data and its stat; or nothing."""

    text: str | None = None
    entry: TreeEntry | None = None
    key: StatKey | None = None

    def is_like(self, state: State) -> bool:
        """Tell whether this is what the journal says."""
        if state.text is not None:
            return self.text == state.text
        if state.entry is not None:
            return self.entry is not None and self.entry.identity == state.entry.identity
        return self.text is None and self.entry is None


def is_pointer(change: PathChange) -> bool:
    """Tell whether a change is to a small text, not to data."""
    return change.before.text is not None or change.after.text is not None


def current(repo: Repo, change: PathChange, eyes: FileReader) -> Lying:
    """Return what is at the path of `change`; data is read and hashed."""
    if is_pointer(change):
        data = read_record(repo.root, change.path)
        return Lying(None if data is None else data.decode("utf-8", "surrogateescape"))
    full = repo.layout.absolute(change.path)
    try:
        status = os.lstat(full)
        if stat.S_ISDIR(status.st_mode):
            return _folder(change.path, full)
    except (FileNotFoundError, NotADirectoryError):
        return Lying()
    key = stat_key("", status)
    value = eyes.read(change.path, Found(key, status.st_mode), None)
    return Lying(None, TreeEntry(change.path, value.content, value.size, value.flags), key)


def _folder(path: RepoPath, full: str) -> Lying:
    """Return an empty directory as the entry that it is; one with files is no entry itself."""
    if os.listdir(full):
        return Lying()
    return Lying(None, TreeEntry(path, "", 0, EMPTY_DIRECTORY), (path, 0, 0, 0, 0))


def output_of(path: RepoPath, text: str | None) -> TrackedOutput | None:
    """Return what a pointer's text of the journal records, None if there is none to read."""
    if text is None:
        return None
    try:
        return tracked(path, text.encode("utf-8", "surrogateescape"))
    except DatavcError:
        return None


def recorded_by(change: PathChange) -> TrackedOutput | None:
    """Return what a pointer records after an operation or, if it went, what it recorded."""
    return output_of(change.path, change.after.text) or output_of(change.path, change.before.text)


def note_placed(repo: Repo, output: TrackedOutput, progress: Progress) -> None:
    """Record which version of `output` this workspace has had: the one that lies there now.

    Where that is no version that was ever recorded, the files of the recorded one that are here.
    """
    scan = scanner(repo, progress).scan(output.path, reader(repo, progress), Trust.IDENTITY)
    if not scan.present:
        repo.placed.forget(output.path)
        return
    if scan.kind == "file":
        version = next(scan.entries()).digest or output.digest
    else:
        version = scan.summary(repo.objects.algorithm).digest
    if not repo.objects.missing([version]):
        repo.placed.put(output.path, PlacedRecord(version, None))
        return
    every = _recorded_paths(repo, output)
    if every is None:
        repo.placed.forget(output.path)
        return
    here = every & {entry.path for entry in scan.entries()}
    record = PlacedRecord(output.digest, None if here == every else frozenset(here))
    repo.placed.put(output.path, record)


def _recorded_paths(repo: Repo, output: TrackedOutput) -> set[RepoPath] | None:
    """Return the paths of the recorded version, None where its list is not here."""
    if not output.is_directory:
        return {RepoPath("")}
    try:
        return {entry.path for entry in trees.entries(repo.objects, output.digest)}
    except DatavcError:
        return None
