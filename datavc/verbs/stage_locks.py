"""Stage locks: the lock files of the workspace, read once, and written when a run is over."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence

from datavc.core import paths
from datavc.core.lock import Lock, LockEntry
from datavc.core.outputs import LOCK_FILE
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.core.stage import StageFile
from datavc.formats import lockfile
from datavc.pipeline.deciding import Locks, lock_of
from datavc.pipeline.running import Done
from datavc.repo import pointers
from datavc.repo.lock_journal import LockJournal
from datavc.repo.repo import Repo
from datavc.repo.snapshot import read_record
from datavc.verbs import linking, publishing


class StageLocks:
    """The locks beside some stage files; `entries` is what they and their journals say."""

    def __init__(self, repo: Repo, files: Sequence[StageFile]) -> None:
        """Read the lock beside each of `files`.

        Raises:
            FormatError: one is malformed, or holds the markers of a conflict; names the file.
        """
        self._repo = repo
        self._journal = LockJournal(repo.layout.lock_journals)
        self._texts: dict[RepoPath, bytes | None] = {}
        self._defined: dict[RepoPath, set[str]] = {}
        self._unfinished: set[RepoPath] = set()
        self._to_write: set[RepoPath] = set()
        self._files = files
        self.written: list[RepoPath] = []
        self.left: list[RepoPath] = []
        """Lock files that changed, and outputs that no stage makes any more."""
        self.entries: Locks = {}
        for file in files:
            lock = paths.join(paths.parent(file.file), LOCK_FILE)
            self._defined[lock] = {stage.name for stage in file.stages}
            self._read(lock)

    def _read(self, path: RepoPath) -> None:
        data = self._texts[path] = read_record(self._repo.root, path)
        lock = {} if data is None else lockfile.parse(data, path)
        added = self._journal.entries(path, data)
        if added:
            self._unfinished.add(path)
        found = lock | added
        if not found.keys() <= self._defined[path]:
            self._to_write.add(path)
        for name, entry in found.items():
            self.entries[path, name] = entry

    def finish(self, progress: Progress) -> None:
        """Write down what a run that was killed had noted, and take out what is not declared."""
        stale = {path for path, name in self.entries if name not in self._defined[path]}
        if self._unfinished or stale:
            self.write(self._unfinished | stale, progress)
            self._unfinished = set()

    def note(self, done: Iterable[Done]) -> None:
        """Note good results durably; all that they name is durable already."""
        by_lock: dict[RepoPath, Lock] = {}
        for one in done:
            by_lock.setdefault(lock_of(one.stage), {})[one.stage.name] = one.entry
        for path, entries in by_lock.items():
            self._journal.append(path, self._texts[path], entries)
            self._to_write.add(path)
            for name, entry in entries.items():
                self.entries[path, name] = entry

    def close(self, progress: Progress) -> None:
        """Write the locks of which results were noted since, or that name stages of the past."""
        self.write(self._to_write, progress)
        self._to_write = set()

    def write(self, changed: Collection[RepoPath], progress: Progress) -> None:
        """Write these lock files whole, without stages that are not defined any more."""
        if not changed:
            return
        with self._repo.lock(progress):
            written = [path for path in sorted(changed) if self._write(path)]
            publishing.stage(self._repo, written)
        self.written += written

    def _write(self, path: RepoPath) -> bool:
        """Write one lock; others may have changed the file since it was read: theirs stays."""
        now = read_record(self._repo.root, path)
        ours = {name: entry for (lock, name), entry in self.entries.items() if lock == path}
        if now != self._texts[path] and now is not None:
            ours = lockfile.parse(now, path) | self._noted(path)
        kept: dict[str, LockEntry] = {
            name: entry for name, entry in ours.items() if name in self._defined[path]
        }
        dropped = ours.keys() - kept
        self.let_go(out.path for name in dropped for out in ours[name].outs)
        for name in dropped:
            self.entries.pop((path, name), None)
        data = lockfile.render(kept, path)
        if data != now:
            pointers.write_text(self._repo.root, path, data.decode("utf-8"))
        self._journal.drop(path)
        self._texts[path] = data
        return data != now

    def let_go(self, outputs: Iterable[RepoPath]) -> None:
        """Leave to their user those of `outputs` that nothing tracks any more, or Git keeps.

        Git sees them from here on, and nothing of ours takes them away.
        """
        gone = set(outputs)
        if not gone:
            return
        outs = [out for file in self._files for stage in file.stages for out in stage.outs]
        declared = {out.path for out in outs}
        gone -= {out.path for out in outs if out.cache}
        lines: dict[RepoPath, list[tuple[str, bool]]] = {}
        for path in sorted(gone):
            if os.path.lexists(self._repo.layout.absolute(pointers.pointer_path(path))):
                continue
            linking.leave_plain(self._repo, path, SILENT)
            self._repo.placed.forget(path)
            if path not in declared and os.path.lexists(self._repo.layout.absolute(path)):
                self.left.append(path)
            folder = RepoPath(paths.parent(path))
            lines.setdefault(folder, []).append((paths.name(path), False))
        pointers.remove_ignore_lines(self._repo.root, lines)

    def _noted(self, path: RepoPath) -> Lock:
        return self._journal.entries(path, self._texts[path])
