"""Carrying out a plan on the user's files; nothing else writes or deletes them.

Every step goes through the descriptor of a folder that was reached without following a link.
What is in the way was checked by whoever made the plan; here each file is looked at once more,
so that an edit made meanwhile is refused, not overwritten. Deletions come last, except where the
old file stands in the way of a new one.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain
from typing import NamedTuple

from datavc.core import paths, tree
from datavc.core.errors import DataError, DatavcError, PathError, UnsavedChanges
from datavc.core.outputs import Failure
from datavc.core.paths import RepoPath
from datavc.core.progress import Progress
from datavc.core.tree import TreeEntry
from datavc.repo.walk import Status, kept
from datavc.store.crew import gather
from datavc.store.incoming import WHOLE
from datavc.store.links import Blob, Placer
from datavc.store.stat_segment import StatKey
from datavc.store.verified import SMALL

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Step(NamedTuple):
    """One file's way: what is to lie at `path` (below the project), and what lies there now.

    `new` None deletes. `old` is the stat of the file that may be replaced, None if nothing is
    there; its first item does not count.
    """

    path: RepoPath
    new: TreeEntry | None
    old: StatKey | None


class Applied:
    """What was done: path and new stat of each file that was placed, paths deleted, failures."""

    def __init__(self) -> None:
        """Begin with nothing done."""
        self.placed: list[tuple[RepoPath, Status]] = []
        self.deleted: list[RepoPath] = []
        self.failures: list[Failure] = []

    @property
    def done(self) -> set[RepoPath]:
        """The paths of all steps that were carried out."""
        return {path for path, _ in self.placed} | set(self.deleted)


class Folders:
    """Descriptors of folders below the project's root; keeps the last one open."""

    def __init__(self, root: str) -> None:
        """Start at the project's `root`."""
        self._root_fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._path: str | None = None
        self._fd = -1

    def close(self) -> None:
        """Close the descriptors."""
        self._forget()
        os.close(self._root_fd)

    def open(self, folder: str, *, create: bool) -> int:
        """Return a descriptor of `folder`; it stays valid until the next call.

        Raises:
            FileNotFoundError: it is not there and is not to be created.
            PathError: a symbolic link or a file is in the way.
        """
        if folder == self._path:
            return self._fd
        self._forget()
        fd = os.dup(self._root_fd)
        for part in folder.split("/") if folder else ():
            inner = self._step(fd, part, folder, create=create)
            os.close(fd)
            fd = inner
        self._path, self._fd = folder, fd
        return fd

    def _step(self, fd: int, part: str, folder: str, *, create: bool) -> int:
        try:
            if create:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=fd)
            return os.open(part, _FOLDER, dir_fd=fd)
        except OSError as error:
            os.close(fd)
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                raise PathError(
                    f"{folder} cannot be used: {part!r} is a link or a file, not a folder",
                    "move it out of the way",
                ) from error
            raise

    def _forget(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._path, self._fd = None, -1

    def remove_empty(self, folder: str, keep: str) -> None:
        """Remove `folder` and its parents up to `keep` (not included) while they are empty."""
        self._forget()
        while folder and folder != keep:
            try:
                os.rmdir(paths.name(folder), dir_fd=self.open(paths.parent(folder), create=False))
            except (OSError, DatavcError):
                return
            folder = paths.parent(folder)


class WorkspaceWriter:
    """Applies steps; use as a context."""

    def __init__(self, root: str, placer: Placer, progress: Progress) -> None:
        """Write below the project's `root` through `placer`."""
        self._folders = Folders(root)
        self._placer = placer
        self._progress = progress

    def __enter__(self) -> WorkspaceWriter:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close what is open."""
        self._folders.close()
        self._placer.close()

    def apply(self, steps: Sequence[Step], output: RepoPath) -> Applied:
        """Carry out all `steps`, which concern one output; a failure costs no neighbour.

        Folders that become empty go, up to the output itself.
        """
        applied = Applied()
        placing = [step for step in steps if step.new is not None]
        deleting = [step for step in steps if step.new is None]
        obstacles, rest = _split(deleting, placing)
        for step in obstacles:
            self._attempt(step, applied, output)
        for step in self._place_small(placing, applied):
            self._attempt(step, applied, output)
        for step in rest:
            self._attempt(step, applied, output)
        return applied

    def _place_small(self, placing: Sequence[Step], applied: Applied) -> Sequence[Step]:
        """Place many small files by several processes; return the steps that are left.

        Among them are those that failed: what is wrong is found out, and told, by one more try.
        """
        small = [step for step in placing if _is_small(step)]

        def place(numbers: Sequence[int]) -> list[tuple[int, ...] | None]:
            self._placer.apart()
            return [self._placed_plain(small[number]) for number in numbers]

        crew = gather(place, len(small))
        if crew is None:
            return placing
        rest = [step for step in placing if not _is_small(step)]
        try:
            answers = crew.begin(range(len(small)))
            for step, made in zip(small, chain.from_iterable(answers), strict=True):
                if made is None:
                    rest.append(step)
                    continue
                applied.placed.append((step.path, Status(*made)))
                self._progress.advance(1, made[2])
        finally:
            crew.close()
        return rest

    def _placed_plain(self, step: Step) -> tuple[int, ...] | None:
        """Place a file, in a process of a crew; return its status, None if that failed."""
        try:
            return step.new and tuple(self._place(step, step.new))
        except (DatavcError, OSError):
            return None

    def _attempt(self, step: Step, applied: Applied, output: RepoPath) -> None:
        try:
            if step.new is None:
                self._delete(step, output)
                applied.deleted.append(step.path)
            else:
                applied.placed.append((step.path, self._place(step, step.new)))
        except DatavcError as error:
            lost = step.new if isinstance(error, DataError) else None
            content = lost.content if lost is not None else ""
            way_out = f" ({error.hint})" if error.hint else ""
            applied.failures.append(Failure(step.path, content, error.message + way_out))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise
            applied.failures.append(Failure(step.path, "", error.strerror or str(error)))
        self._progress.advance(1, step.new.size if step.new is not None else 0)

    def _place(self, step: Step, entry: TreeEntry) -> Status:
        return kept(self._placed(step, entry))

    def _placed(self, step: Step, entry: TreeEntry) -> os.stat_result:
        name = paths.name(step.path)
        fd = self._folders.open(paths.parent(step.path), create=True)
        if entry.digest is None or entry.size > WHOLE or (step.old and not step.old[1]):
            self._check(fd, name, step)  # any other is so quickly made that one look is enough
        if entry.flags == tree.EMPTY_DIRECTORY:
            if step.old is not None and step.old[1]:
                os.unlink(name, dir_fd=fd)
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=fd)
            return os.stat(name, dir_fd=fd, follow_symlinks=False)
        if step.old is not None and not step.old[1]:
            os.rmdir(name, dir_fd=fd)
        if entry.flags == tree.LINK:
            return self._placer.link(fd, name, entry.content)
        digest = entry.digest
        if digest is None:
            raise PathError(f"{step.path} is of a kind that this version does not know")
        blob = Blob(digest, entry.size, entry.flags == tree.EXECUTABLE)
        return self._placer.place(fd, name, blob, lambda: self._check(fd, name, step))

    def _delete(self, step: Step, output: RepoPath) -> None:
        name = paths.name(step.path)
        try:
            fd = self._folders.open(paths.parent(step.path), create=False)
        except FileNotFoundError:
            return
        self._check(fd, name, step)
        with suppress(FileNotFoundError):
            if step.old is not None and not step.old[1]:
                os.rmdir(name, dir_fd=fd)
            else:
                os.unlink(name, dir_fd=fd)
        self._folders.remove_empty(paths.parent(step.path), paths.parent(output))

    def _check(self, fd: int, name: str, step: Step) -> None:
        """Refuse if what lies there is not what the plan was made for."""
        try:
            now = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except FileNotFoundError:
            return
        if stat.S_ISDIR(now.st_mode):
            if step.old is not None and step.old[1] == 0:
                return
            if step.new is not None and step.new.flags == tree.EMPTY_DIRECTORY:
                return
            os.rmdir(name, dir_fd=fd)  # fails, and is said, unless it is empty
            return
        if step.old is None:
            raise UnsavedChanges(
                f"{step.path} is there already, or a name that this file system takes for it; "
                "it was left alone"
            )
        planned = step.old[1:]
        same = planned[:3] == (now.st_ino, now.st_size, now.st_mtime_ns)
        # A hard link made elsewhere to the same object changes the time of change, not the bytes.
        if not same or (planned[3] != now.st_ctime_ns and now.st_nlink == 1):
            raise UnsavedChanges(f"{step.path} changed while the command ran; it was left alone")


def _is_small(step: Step) -> bool:
    """Tell whether this places a file of which nothing is remembered when it was verified."""
    new = step.new
    return new is not None and new.digest is not None and new.size <= SMALL


def _split(deleting: Sequence[Step], placing: Iterable[Step]) -> tuple[list[Step], list[Step]]:
    """Part deletions into those that stand in the way of a new file, and the rest.

    Where two names are one, a file whose name changed only its letter case stands in its own way.
    """
    new = {step.path for step in placing}
    folders: set[str] = set()
    for path in new:
        folder = paths.parent(path)
        while folder and folder not in folders:
            folders.add(folder)
            folder = paths.parent(folder)
    twins = {paths.folded(path) for path in new} if deleting else set()
    obstacles: list[Step] = []
    rest: list[Step] = []
    for step in deleting:
        stands_in_way = step.path in folders or any(up in new for up in _ancestors(step.path))
        is_twin = paths.folded(step.path) in twins
        (obstacles if stands_in_way or is_twin else rest).append(step)
    return obstacles, rest


def _ancestors(path: str) -> Iterable[RepoPath]:
    folder = paths.parent(path)
    while folder:
        yield RepoPath(folder)
        folder = paths.parent(folder)
