"""undo: take back the last operation of this workspace, if all is still as it left it.

The operation is dropped from the log once it is taken back, so a second undo goes one further
back. Paths that are as they were before it already are passed over: an undo that was killed is
finished by the next.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

from datavc.core.errors import DataError, DatavcError, UnsavedChanges
from datavc.core.outputs import Failure, TrackedOutput
from datavc.core.paths import RepoPath, parent
from datavc.core.progress import SILENT, Progress
from datavc.repo import pointers
from datavc.repo.journal import Operation, PathChange, State
from datavc.repo.repo import Repo
from datavc.repo.workspace import Step
from datavc.verbs import linking, move, publishing, workspaces
from datavc.verbs.applying import apply
from datavc.verbs.checkout_plan import OnDisk
from datavc.verbs.renaming import carry_records, make_folder, rename_data
from datavc.verbs.reverting import current, is_pointer, note_placed, output_of, recorded_by
from datavc.verbs.saving import save
from datavc.verbs.scanning import inventory, reader
from datavc.verbs.stage_hands import COMMAND as REPRO
from datavc.verbs.withdrawing import stage, withdraw

SHOWN = 3
"""Paths that are named in the sentence that says what differs."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One operation of the log; `time` in seconds since the epoch."""

    id: str
    time: float
    command: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class UndoList:
    """The operations that can be taken back, newest first."""

    operations: tuple[Listed, ...]

    def to_json(self) -> object:
        """Return the operations."""
        return self.operations


@dataclass(slots=True)
class UndoResult:
    """What was taken back: pointer files rewritten, files put back and files deleted."""

    operation: Listed
    pointers: list[RepoPath] = field(default_factory=list)
    restored: list[RepoPath] = field(default_factory=list)
    deleted: list[RepoPath] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    dry_run: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the operation, and paths by what became of them."""
        return {
            "operation": self.operation,
            "pointers": self.pointers,
            "restored": self.restored,
            "deleted": self.deleted,
            "dry_run": self.dry_run,
            "failures": [failure._asdict() for failure in self.failures],
        }


def operations(repo: Repo) -> UndoList:
    """Return what can be taken back; what is older than `core.undo_days` cannot."""
    found = [one for one in repo.journal.operations() if one.time_s >= _oldest(repo)]
    return UndoList(tuple(map(_listed, reversed(found))))


def _oldest(repo: Repo) -> float:
    """Return the time, in seconds since the epoch, since when operations can be taken back."""
    return time.time() - repo.config.core.undo_days * 86400


def undo(repo: Repo, *, dry_run: bool = False, progress: Progress = SILENT) -> UndoResult:
    """Take back the last operation.

    Raises:
        DatavcError: there is none, or its record is damaged.
        UnsavedChanges: something is no longer as the operation left it; nothing was changed.
        DataError: bytes that it needs are not in the cache; nothing was changed.
    """
    operation = repo.journal.last()
    if operation is None or operation.time_s < _oldest(repo):
        raise DatavcError(
            "there is no operation to take back",
            "operations are what add, commit, checkout, remove and move did in this workspace, "
            f"for {repo.config.core.undo_days} days",
        )
    if not operation.changes:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(operation.time_s))
        raise DatavcError(
            f"the last operation, `datavc {operation.command}` of {when}, cannot be taken back",
            "`git checkout -- datavc.lock`, then `datavc checkout`, brings back the outputs of "
            "the last commit",
        )
    progress.start("Comparing", len(operation.changes))
    work = _Undo(repo, operation, progress)
    result = UndoResult(_listed(operation), dry_run=dry_run)
    result.warnings += _bared(repo, operation)
    if dry_run:
        work.foretell(result)
    else:
        work.carry_out(result)
    return result


def _bared(repo: Repo, operation: Operation) -> list[str]:
    """Warn of data that Git will see, because its pointer, which Git has, goes again."""
    gone = {c.path: recorded_by(c) for c in operation.changes if c.before.absent and c.after.text}
    return [
        f"{pointer} is in Git already: the next `git add --all` takes {output.path} itself into "
        f"Git, unless you `git checkout -- {pointer}`"
        for pointer, output in gone.items()
        if output is not None and pointer in repo.git.tracked([pointer])
    ]


def _listed(operation: Operation) -> Listed:
    """Count files of data, or, if it moved none, what its pointers record."""
    states = [c.after if c.before.absent else c.before for c in operation.changes]
    entries = [state.entry for state in states if state.entry is not None]
    files, size = len(entries), sum(entry.size for entry in entries)
    if not entries:
        outputs = {out.digest: out.pointer for c in operation.changes if (out := recorded_by(c))}
        files = sum(1 if found.files is None else found.files for found in outputs.values())
        size = sum(found.size or 0 for found in outputs.values())
    return Listed(operation.id, operation.time_s, operation.command, files, size)


def _around(path: RepoPath, outputs: set[RepoPath]) -> RepoPath:
    """Return the output that `path` is or lies in, else `path` itself."""
    folder: str = path
    while folder and folder not in outputs:
        folder = parent(folder)
    return RepoPath(folder) if folder else path


class _Undo:
    """One operation, compared with what is there; then taken back."""

    def __init__(self, repo: Repo, operation: Operation, progress: Progress) -> None:
        self._repo = repo
        self._operation = operation
        self._progress = progress
        eyes = reader(repo, progress)
        self._lying = {c.path: current(repo, c, eyes) for c in operation.changes}
        self._check()
        self._todo = [c for c in operation.changes if not self._is_now(c, c.before)]
        self._check_objects()

    def foretell(self, result: UndoResult) -> None:
        """Say what would be done."""
        for change in self._todo:
            if is_pointer(change):
                result.pointers.append(change.path)
            else:
                (result.deleted if change.before.absent else result.restored).append(change.path)

    def carry_out(self, result: UndoResult) -> None:
        """Put data back, then pointers; then forget the operation."""
        repo = self._repo
        unsaved = self._unsaved()
        if unsaved:
            save(repo, unsaved, self._progress)
        self._place(result)
        if result.failures:
            return
        with repo.lock(self._progress):
            touched = self._write_pointers(result)
            if self._operation.command != move.COMMAND:
                for output in self._touched_outputs():
                    note_placed(repo, output, self._progress)
            workspaces.announce(repo)
            stage(repo, touched)
            for part in reversed(self._operation.parts):
                repo.journal.drop(part)

    def _is_now(self, change: PathChange, state: State) -> bool:
        return self._lying[change.path].is_like(state)

    def _check(self) -> None:
        """Refuse if a path is neither as the operation left it nor as it was before."""
        differs: list[str] = [
            change.path
            for change in self._operation.changes
            if not (
                self._is_now(change, change.after)
                or self._is_now(change, change.before)
                or self._was_made_since(change)
            )
        ]
        if self._operation.command == move.COMMAND:
            old, new = self._renamed()
            both = [os.path.lexists(self._repo.layout.absolute(path)) for path in (old, new.path)]
            differs += [old] if all(both) else []
        if differs:
            named = ", ".join(differs[:SHOWN])
            more = f" and {len(differs) - SHOWN} more" if len(differs) > SHOWN else ""
            raise UnsavedChanges(
                f"`datavc {self._operation.command}` cannot be taken back, because of what "
                f"changed since then: {named}{more}",
                "put that back as it was after the operation, then `datavc undo` again",
            )

    def _was_made_since(self, change: PathChange) -> bool:
        """Tell whether a stage made anew what was cleared for it, and the cache has that."""
        _, entry, _ = self._lying[change.path]
        if self._operation.command != REPRO or not change.after.absent or entry is None:
            return False
        return entry.digest is not None and self._repo.objects.holds(entry.digest)

    def _check_objects(self) -> None:
        """Refuse if bytes that are to come back are not here."""
        for change in self._todo:
            entry = change.before.entry
            if entry is not None and entry.digest and not self._repo.objects.holds(entry.digest):
                raise DataError(
                    f"{change.path} cannot be brought back: its bytes are not in the cache",
                    "`datavc fetch --all-commits` may bring them; nothing was changed",
                )

    def _unsaved(self) -> list[tuple[RepoPath, OnDisk]]:
        """Return the files that go though the cache does not have their bytes."""
        found = []
        for change in self._todo:
            _, entry, key = self._lying[change.path]
            if entry is None or key is None or entry.digest is None:
                continue
            if not self._repo.objects.holds(entry.digest):
                found.append((change.path, OnDisk(entry, key)))
        return found

    def _place(self, result: UndoResult) -> None:
        """Put data back and delete what the operation added, output by output."""
        groups: dict[RepoPath, list[Step]] = {}
        outputs = {*self._repo.placed.outputs(), *inventory(self._repo).outputs}
        outputs |= {output.path for output in self._recorded()}
        for change in self._todo:
            if not is_pointer(change):
                around = _around(change.path, outputs)
                step = Step(change.path, change.before.entry, self._lying[change.path].key)
                groups.setdefault(around, []).append(step)
        for output, steps in groups.items():
            self._progress.start(f"Taking back {output}", len(steps))
            applied, _ = apply(self._repo, output, steps, self._progress)
            result.restored += [path for path, _ in applied.placed]
            result.deleted += applied.deleted
            result.failures += applied.failures

    def _recorded(self) -> list[TrackedOutput]:
        """Return what the pointers of the operation record."""
        found = [recorded_by(change) for change in self._operation.changes]
        return [output for output in found if output is not None]

    def _renamed(self) -> tuple[RepoPath, TrackedOutput]:
        """Return the old path and the new output of a move."""
        found = {change.before.absent: recorded_by(change) for change in self._operation.changes}
        old, new = found.get(False), found.get(True)
        if old is None or new is None:
            raise DatavcError(f"operation {self._operation.id} is damaged")
        return old.path, new

    def _write_pointers(self, result: UndoResult) -> list[RepoPath]:
        """Write back what pointers said, rename moved data back, withdraw what was new."""
        root, changes = self._repo.root, [c for c in self._todo if is_pointer(c)]
        back = [out for c in changes if (out := output_of(c.path, c.before.text)) is not None]
        for output in back:
            make_folder(root, parent(output.path))
        touched = publishing.ignore(self._repo, [(out.path, out.is_directory) for out in back])
        for change in changes:
            if change.before.text is not None:
                pointers.write_text(root, change.path, change.before.text)
        if self._operation.command == move.COMMAND:
            old, new = self._renamed()
            carry_records(self._repo, new, old)
            rename_data(root, new.path, old)
        found = [output_of(c.path, c.after.text) for c in changes if c.before.absent]
        new_ones = [output for output in found if output is not None]
        for output in new_ones:
            result.failures += linking.leave_plain(self._repo, output.path, self._progress)
        gone = withdraw(self._repo, new_ones)
        result.pointers += [change.path for change in changes]
        return [*touched, *gone, *result.pointers]

    def _touched_outputs(self) -> list[TrackedOutput]:
        """Return the outputs that are tracked now and that the operation touched."""
        known = inventory(self._repo)
        touched = {out.path for out in self._recorded()}
        for change in self._operation.changes:
            output = known.containing(change.path)
            touched |= {output.path} if output is not None else set()
        return [known.outputs[path] for path in sorted(touched) if path in known.outputs]
