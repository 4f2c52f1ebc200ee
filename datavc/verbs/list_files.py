"""list: files that Git tracks and data that datavc tracks, side by side, at one moment.

Told from Git's index or a commit, pointers and trees: the data need not be here.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from datavc.core import digest as digests
from datavc.core import paths
from datavc.core.digest import Digest
from datavc.core.errors import DataError, PathError, UsageError
from datavc.core.nearest import nearest
from datavc.core.outputs import TrackedOutput
from datavc.core.paths import RepoPath, is_inside, sort_key
from datavc.core.tree import EXECUTABLE
from datavc.repo.inventory import Inventory, load
from datavc.repo.layout import FOLDER
from datavc.repo.repo import Repo
from datavc.repo.snapshot import at_commit
from datavc.repo.targets import repo_path
from datavc.verbs.scanning import inventory, unreadable
from datavc.verbs.tree_lookup import entries_below, entry_at


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One name of a listing; `isout` tells whether datavc tracks it.

    `size` is in bytes, None where it is not known; `digest` is None for what Git tracks.
    """

    path: str
    isout: bool
    isdir: bool
    isexec: bool
    size: int | None
    digest: Digest | None = None

    def to_json(self) -> dict[str, object]:
        """Return the shape that scripts read; `md5` is null unless the digest is one."""
        md5 = None
        if self.digest is not None and digests.algorithm(self.digest) == "md5":
            md5 = self.digest.partition(":")[2] + (".dir" if self.isdir else "")
        return {
            "isout": self.isout,
            "isdir": self.isdir,
            "isexec": self.isexec,
            "size": self.size,
            "md5": md5,
            "digest": self.digest,
            "path": self.path,
        }


@dataclass(frozen=True, slots=True)
class ListOptions:
    """`level` folders deep, None for no limit; without `folders` files alone are shown."""

    rev: str | None = None
    level: int | None = 1
    folders: bool = True
    tracked: bool = False


@dataclass(slots=True)
class ListResult:
    """Files and folders, sorted; paths are seen from the folder that was asked for."""

    files: list[ListedFile] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> object:
        """Return the entries."""
        return self.files


def list_files(
    repo: Repo,
    places: Sequence[str] = (),
    options: ListOptions = ListOptions(),
) -> ListResult:
    """List what is below a place: none for the current folder, one path, or folder and path.

    Raises:
        UsageError: the place is another repository.
        PathError: nothing that is tracked has this path.
        DataError: it is a folder in a tracked directory whose list of files is not here.
    """
    path = _place(repo, places)
    commit = None if options.rev is None else repo.git.resolve(options.rev)
    known = inventory(repo) if commit is None else load(at_commit(repo.git, commit))
    result = ListResult(warnings=list(unreadable(known)))
    look = _Look(repo, known, options, result)
    found = list(look.data(path))
    if not options.tracked:
        found += _in_commit(repo, commit, path) if commit else _in_index(repo, path)
    if not found and path and path not in known.outputs:
        raise _nothing(repo, known, path, options.rev)
    result.files = _shown(found, path, look, options)
    return result


def _place(repo: Repo, places: Sequence[str]) -> RepoPath:
    if not places:
        return repo_path(repo.root, repo.here, ".")
    first = places[0]
    if "://" in first or first.startswith("git@"):
        raise UsageError(
            f"only this repository can be listed, not {first}",
            "clone it, then `datavc list` there; `datavc list --rev REV` shows other versions",
        )
    if len(places) == 1:
        return repo_path(repo.root, repo.here, first)
    folder = os.path.normpath(os.path.join(repo.here, first))
    if not os.path.isdir(folder):
        raise UsageError(
            f"{first} is no folder, so {places[1]} cannot be listed in it", "name one path"
        )
    return repo_path(repo.root, folder, places[1])


def _nothing(repo: Repo, known: Inventory, path: RepoPath, rev: str | None) -> PathError:
    near = nearest(path, [str(output) for output in known.outputs])
    at = f" at {rev}" if rev else ""
    hint = f"did you mean {near}?" if near else "`datavc list -R` shows all that is tracked"
    if os.path.isdir(repo.layout.absolute(path)) and not rev:
        return PathError(f"nothing in {path} is tracked", hint)
    return PathError(f"{path} is tracked neither by datavc nor by Git{at}", hint)


def _in_index(repo: Repo, path: RepoPath) -> Iterator[ListedFile]:
    """Yield the files in Git's index; their sizes are those of the workspace."""
    for name in repo.git.tracked([path]):
        if is_inside(name, FOLDER):
            continue
        try:
            status = os.lstat(repo.layout.absolute(name))
        except OSError:
            yield ListedFile(name, False, False, False, None)
            continue
        executable = stat.S_ISREG(status.st_mode) and bool(status.st_mode & stat.S_IXUSR)
        is_submodule = stat.S_ISDIR(status.st_mode)
        size = None if is_submodule else status.st_size
        yield ListedFile(name, False, is_submodule, executable, size)


def _in_commit(repo: Repo, commit: str, path: RepoPath) -> Iterator[ListedFile]:
    for file in repo.git.tree_paths(commit, path):
        if not is_inside(file.path, FOLDER):
            executable = file.mode == stat.S_IFREG | 0o755
            yield ListedFile(file.path, False, False, executable, file.size)


class _Look:
    """Yields tracked data with paths below the project."""

    def __init__(
        self, repo: Repo, known: Inventory, options: ListOptions, result: ListResult
    ) -> None:
        self._store = repo.objects
        self._known = known
        self._options = options
        self._warnings = result.warnings
        self._opened: set[str] = set()

    def is_data(self, path: str) -> bool:
        """Tell whether `path` is an output, or lies in one."""
        return self._known.containing(path) is not None

    def is_closed(self, listed: ListedFile) -> bool:
        """Tell whether this is a tracked directory of which no file is shown."""
        return listed.digest is not None and listed.path not in self._opened

    def _fetch(self, output: TrackedOutput) -> str:
        rev = self._options.rev
        return f"datavc fetch --rev {rev} {output.path}" if rev else f"datavc fetch {output.path}"

    def data(self, path: RepoPath) -> Iterator[ListedFile]:
        """Yield what datavc tracks at `path`, inside it, or around it."""
        around = self._known.containing(path)
        if around is None:
            for output in self._known.below(path):
                yield from self._output(output, path)
        elif around.path == path:
            yield from self._asked(around, "")
        elif around.is_directory:
            yield from self._asked(around, paths.relative(path, around.path))

    def _output(self, output: TrackedOutput, seen_from: RepoPath) -> Iterator[ListedFile]:
        """Yield an output, and what is in it as far as the listing goes that deep."""
        yield _whole(output)
        depth = paths.relative(output.path, seen_from).count("/") + 1
        deep_enough = self._options.level is not None and depth >= self._options.level
        if not output.is_directory or deep_enough:
            return
        try:
            yield from self._inside(output, "")
        except DataError:
            self._warnings.append(
                f"the list of files in {output.path} is not in the cache; "
                f"`{self._fetch(output)}` gets it"
            )

    def _asked(self, output: TrackedOutput, inside: str) -> Iterator[ListedFile]:
        """Yield what is in an output that was asked for, or at a path inside it."""
        if not output.is_directory:
            yield _whole(output)
            return
        try:
            yield from self._inside(output, inside)
            entry = entry_at(self._store, output.digest, inside) if inside else None
        except DataError as error:
            raise DataError(
                f"the list of files in {output.path} is not in the cache",
                f"`{self._fetch(output)}` gets it",
            ) from error
        if entry is not None and entry.digest is not None:
            path = paths.join(output.path, inside)
            executable = entry.flags == EXECUTABLE
            yield ListedFile(path, True, False, executable, entry.size, entry.digest)

    def _inside(self, output: TrackedOutput, folder: str) -> Iterator[ListedFile]:
        for entry in entries_below(self._store, output.digest, folder):
            self._opened.add(output.path)
            path = paths.join(output.path, entry.path)
            executable = entry.flags == EXECUTABLE
            size = entry.size if entry.digest else None
            isdir = not entry.content
            yield ListedFile(path, True, isdir, executable, size, entry.digest)


def _whole(output: TrackedOutput) -> ListedFile:
    pointer = output.pointer
    isdir = output.is_directory
    return ListedFile(output.path, True, isdir, pointer.executable, pointer.size, pointer.digest)


def _shown(
    found: Sequence[ListedFile], path: RepoPath, look: _Look, options: ListOptions
) -> list[ListedFile]:
    """Return what the listing shows, folder by folder, seen from `path`; a file by its own name.

    Of what lies too deep, the folders as far as the listing goes.
    """
    shown: dict[str, ListedFile] = {}
    for listed in found:
        below = paths.name(path) if listed.path == path else paths.relative(listed.path, path)
        parts = below.split("/")
        level = len(parts) if options.level is None else options.level
        cut = len(parts) > level
        first = 1 if options.folders else level
        for depth in range(first, min(len(parts), level + 1)):
            folder = "/".join(parts[:depth])
            if folder not in shown:
                isout = look.is_data(paths.join(path, folder))
                shown[folder] = ListedFile(folder, isout, True, False, None)
        if not cut and (options.folders or not listed.isdir or look.is_closed(listed)):
            shown[below] = replace(listed, path=below)
    return sorted(shown.values(), key=lambda listed: [*map(sort_key, listed.path.split("/"))])
