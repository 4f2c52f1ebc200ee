"""move: rename tracked data with its pointer, its ignore line and all that is known of it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from datavc.core import paths
from datavc.core.errors import DatavcError, PathError
from datavc.core.outputs import POINTER_SUFFIX, TrackedOutput
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.repo import ignore, pointers
from datavc.repo.inventory import Inventory
from datavc.repo.journal import ABSENT, PathChange, State
from datavc.repo.repo import Repo
from datavc.repo.targets import repo_path
from datavc.verbs import publishing, workspaces
from datavc.verbs.renaming import carry_records, make_folder, rename_data
from datavc.verbs.scanning import inventory, unreadable
from datavc.verbs.withdrawing import pointer_text, stage, whole_output, withdraw

COMMAND = "move"
"""What the journal calls it; `undo` renames such data back."""


@dataclass(frozen=True, slots=True)
class MoveResult:
    """Old and new path; `data` tells whether bytes lay in the workspace and moved along."""

    old: RepoPath
    new: RepoPath
    data: bool
    dry_run: bool = False
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return both paths."""
        return {"old": self.old, "new": self.new, "data": self.data, "dry_run": self.dry_run}


def move(
    repo: Repo, source: str, target: str, *, dry_run: bool = False, progress: Progress = SILENT
) -> MoveResult:
    """Rename the output `source` to `target`, or into it where that is a folder.

    The new pointer comes first and the old one goes last: after a kill both are there, the data
    is in one place or the other, and the same command finishes the work.

    Raises:
        PathError: `source` is no tracked output, or `target` cannot be its new place.
    """
    known = inventory(repo)
    hint = "rename it with `mv`, then `datavc commit` the directory that it is in"
    old = whole_output(repo, known, source, hint)
    new = _new_place(repo, known, old, target)
    unfinished = _is_unfinished(repo, known, old, new)
    if not unfinished:
        _check(repo, known, old, new)
    here = _lies(repo, old.path) or (unfinished and _lies(repo, new))
    if not dry_run:
        with repo.lock(progress):
            _carry_out(repo, old, new, resume=unfinished)
    return MoveResult(old.path, new, here, dry_run, unreadable(known))


def _lies(repo: Repo, path: str) -> bool:
    return os.path.lexists(repo.layout.absolute(path))


def _new_place(repo: Repo, known: Inventory, old: TrackedOutput, text: str) -> RepoPath:
    """Return the new path that the user's `text` means."""
    path = repo_path(repo.root, repo.here, text)
    full = repo.layout.absolute(path)
    into = os.path.isdir(full) and not os.path.islink(full) and known.containing(path) is None
    if into or text.endswith("/"):
        return paths.parse(paths.join(path, paths.name(old.path)))
    if path.endswith(POINTER_SUFFIX):
        return RepoPath(path.removesuffix(POINTER_SUFFIX))
    return path


def _is_unfinished(repo: Repo, known: Inventory, old: TrackedOutput, new: RepoPath) -> bool:
    """Tell whether the last operation was this very move, and was killed."""
    ids = repo.journal.ids()
    if not ids or new not in known.outputs:
        return False
    last = repo.journal.read(ids[-1])
    touched = {change.path for change in last.changes}
    return last.command == COMMAND and touched == {old.recorded_in, pointers.pointer_path(new)}


def _check(repo: Repo, known: Inventory, old: TrackedOutput, new: RepoPath) -> None:
    """Refuse a place that is taken, or where data cannot be tracked."""
    around = known.containing(new)
    if around is not None and around.path != new:
        raise PathError(
            f"{new} lies inside {around.path}, which is tracked as a whole",
            f"move the data there with `mv`, then `datavc add {new}` and `datavc remove` the old",
        )
    inside = [output for output in known.below(new) if output.path != new]
    if inside:
        raise PathError(f"{new} has {inside[0].path} inside, which is tracked by itself")
    for path in (new, pointers.pointer_path(new)):
        if _lies(repo, path):
            raise PathError(
                f"{path} exists, and nothing is overwritten", "choose another name, or remove it"
            )
    _check_ignored(repo, old, new)
    in_git = repo.git.tracked([new])
    if in_git:
        raise PathError(
            f"{new} is tracked by Git", f"`git rm -r --cached {new}` takes it out of Git first"
        )
    _check_folder(repo, old, new)


def _check_ignored(repo: Repo, old: TrackedOutput, new: RepoPath) -> None:
    rule = ignore.load(repo.root).match(new, is_dir=old.is_directory)
    if rule is not None:
        raise PathError(
            f"{new} is ignored by {rule.file}:{rule.line}: {rule.pattern}",
            "change the pattern, or choose another place",
        )
    pointer = pointers.pointer_path(new)
    if repo.git.ignored([pointer]):
        raise PathError(
            f"Git ignores {pointer}, so the pointer would be lost to others",
            f"`git check-ignore -v {pointer}` shows the line to take out",
        )
    pointers.ignore_line(paths.name(new), is_dir=old.is_directory)


def _check_folder(repo: Repo, old: TrackedOutput, new: RepoPath) -> None:
    """Refuse a folder that is none, or that data cannot be renamed into."""
    folder = paths.parent(new)
    while folder and not _lies(repo, folder):
        folder = paths.parent(folder)
    full = repo.layout.absolute(folder)
    if not os.path.isdir(full):
        raise PathError(f"{folder} is a file, so nothing can be moved into it")
    if not _lies(repo, old.path):
        return
    if os.lstat(repo.layout.absolute(old.path)).st_dev != os.stat(full).st_dev:
        raise DatavcError(
            f"{old.path} and {new} are on different file systems, so a rename cannot do it",
            f"copy the data, `datavc add {new}`, then `datavc remove --outs {old.path}`",
        )


def _carry_out(repo: Repo, old: TrackedOutput, new: RepoPath, *, resume: bool) -> None:
    before = pointer_text(repo, old)
    pointer = old.pointer._replace(path=paths.name(new))
    placed_at = pointers.pointer_path(new)
    after = pointers.text_of(pointer, before)
    if not resume:
        changes = [
            PathChange(old.recorded_in, State(text=before), ABSENT),
            PathChange(placed_at, ABSENT, State(text=after)),
        ]
        repo.journal.record(COMMAND, changes)
    make_folder(repo.root, paths.parent(new))
    touched = publishing.ignore(repo, [(new, old.is_directory)])
    pointers.write_text(repo.root, placed_at, after)
    carry_records(repo, old, new)
    rename_data(repo.root, old.path, new)
    gone = withdraw(repo, [old])
    workspaces.announce(repo)
    stage(repo, [placed_at, *touched, *gone])
