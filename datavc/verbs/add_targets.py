"""What `add` may track: every target is checked before anything is written."""

from __future__ import annotations

import glob as globbing
import os
import stat
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from datavc.core import paths
from datavc.core.errors import PathError, UsageError
from datavc.core.nearest import nearest
from datavc.core.outputs import POINTER_SUFFIX, TrackedOutput
from datavc.core.paths import RepoPath
from datavc.repo import ignore, pointers
from datavc.repo.inventory import Inventory
from datavc.repo.repo import Repo
from datavc.repo.targets import repo_path


class Target(NamedTuple):
    """An output to record: as it is tracked now, if it is, and which paths inside it are meant."""

    path: RepoPath
    tracked: TrackedOutput | None
    inside: tuple[RepoPath, ...] = ()

    @property
    def pointer_path(self) -> RepoPath:
        """Where the pointer file is, or will be."""
        return self.tracked.recorded_in if self.tracked else pointers.pointer_path(self.path)


def resolve(repo: Repo, known: Inventory, texts: Sequence[str], *, glob: bool) -> list[Target]:
    """Return what the user's `texts` mean, outputs sorted, parts of one output together.

    Raises:
        PathError: one of them cannot be tracked.
        FormatError: the pointer file of one of them cannot be read.
    """
    found: dict[RepoPath, Target] = {}
    for text in _expanded(repo, texts) if glob else texts:
        target = _target(repo, known, text)
        other = found.get(target.path)
        if other is not None and target.inside and other.inside:
            target = target._replace(inside=(*other.inside, *target.inside))
        elif other is not None:
            target = target._replace(inside=())
        found[target.path] = target
    new = [target.path for target in found.values() if target.tracked is None]
    _refuse_nested(new)
    for path in found:
        _refuse_cache(repo, path)
    for path in new:
        _refuse_other_repository(repo, path)
    _refuse_tracked_by_git(repo, new)
    _refuse_hidden_from_git(repo, new)
    return [found[path] for path in sorted(found)]


def _expanded(repo: Repo, patterns: Sequence[str]) -> list[str]:
    matches = []
    for pattern in patterns:
        found = globbing.glob(pattern, root_dir=repo.here, recursive=True)
        if not found:
            raise PathError(f"{pattern} matches nothing in {repo.here}")
        matches += sorted(path for path in found if not path.endswith(POINTER_SUFFIX))
    return matches


def _target(repo: Repo, known: Inventory, text: str) -> Target:
    path = repo_path(repo.root, repo.here, text)
    if not path:
        raise PathError(
            "the project itself cannot be tracked", "name the files and folders that are data"
        )
    output = known.containing(path) or known.outputs.get(
        RepoPath(path.removesuffix(POINTER_SUFFIX))
    )
    pointer = path if path.endswith(POINTER_SUFFIX) else pointers.pointer_path(path)
    if output is None and pointer in known.broken:
        raise known.broken[pointer]
    if output is None:
        _check_new(repo, known, path, text)
        return Target(path, None)
    if output.stage:
        raise PathError(
            f"{text} is made by the stage {output.stage!r}",
            f"`datavc commit {output.stage}` records it as it lies there, "
            f"`datavc repro {output.stage}` makes it anew",
        )
    if path in (output.path, output.recorded_in):
        _check_present(repo, known, output.path, text)
        return Target(output.path, output)
    if not output.is_directory:
        raise PathError(f"{text} names nothing: {output.path} is tracked as a file")
    return Target(output.path, output, (paths.relative(path, output.path),))


def _check_present(repo: Repo, known: Inventory, path: RepoPath, text: str) -> int:
    """Return the mode of what is at `path`."""
    try:
        return os.lstat(os.path.join(repo.root, path)).st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PathError(f"{text} does not exist", _where_it_may_be(known, path)) from error


def _where_it_may_be(known: Inventory, path: RepoPath) -> str:
    if path in known.outputs:
        return f"`datavc checkout {path}` brings it back, `datavc remove {path}` stops tracking it"
    near = nearest(path, map(str, known.outputs))
    return f"did you mean {near}?" if near else "check the spelling"


def _check_new(repo: Repo, known: Inventory, path: RepoPath, text: str) -> None:
    mode = _check_present(repo, known, path, text)
    if path.endswith(POINTER_SUFFIX):
        raise PathError(f"{text} ends in {POINTER_SUFFIX}, as only pointer files may")
    if stat.S_ISLNK(mode):
        target = os.readlink(os.path.join(repo.root, path))
        raise PathError(f"{text} is a symbolic link", f"`datavc add` its target: {target}")
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise PathError(f"{text} is neither a file nor a folder (a pipe, socket or device)")
    inside = known.below(path)
    if inside:
        raise PathError(
            f"{text} has {inside[0].path} inside, which is tracked by itself",
            f"`datavc remove {inside[0].path}` first, or add the other parts of {text} one by one",
        )
    rule = ignore.load(repo.root).match(path, is_dir=stat.S_ISDIR(mode))
    if rule is not None:
        raise PathError(
            f"{text} is ignored by {rule.file}:{rule.line}: {rule.pattern}",
            "change the pattern, or leave the data untracked",
        )
    pointers.ignore_line(paths.name(path), is_dir=stat.S_ISDIR(mode))


def _refuse_nested(new: Sequence[RepoPath]) -> None:
    known = set(new)
    for path in new:
        folder = paths.parent(path)
        while folder:
            if folder in known:
                raise UsageError(f"{path} lies inside {folder}", "add one of the two")
            folder = paths.parent(folder)


def _refuse_cache(repo: Repo, path: RepoPath) -> None:
    """Refuse data around or in the cache: to check out another version would delete objects."""
    cache = repo.objects.root
    full = repo.layout.absolute(path)
    if paths.is_inside(cache, full) or paths.is_inside(full, cache):
        raise PathError(
            f"{path} and the cache, {cache}, lie one in the other",
            "`datavc cache dir` names another folder; move the objects there first",
        )


def _refuse_other_repository(repo: Repo, path: RepoPath) -> None:
    """Refuse what lies in a submodule or a nested repository: our Git never sees its pointer."""
    folder = paths.parent(path)
    while folder:
        if os.path.lexists(os.path.join(repo.root, folder, ".git")):
            raise PathError(
                f"{path} lies in {folder}, which is a Git repository of its own",
                f"`cd {folder}`, `datavc init` there and add it there",
            )
        folder = paths.parent(folder)


def _refuse_tracked_by_git(repo: Repo, new: Sequence[RepoPath]) -> None:
    in_git = sorted(repo.git.tracked(new)) if new else []
    if in_git:
        count = f" and {len(in_git) - 1} more" if len(in_git) > 1 else ""
        top = next(path for path in new if paths.is_inside(in_git[0], path))
        raise PathError(
            f"{in_git[0]}{count} is already tracked by Git",
            f"`git rm -r --cached {top}` takes it out of Git and leaves the files, then add again",
        )


def _refuse_hidden_from_git(repo: Repo, new: Sequence[RepoPath]) -> None:
    """Refuse data whose pointer file no commit could have: it would be versioned nowhere."""
    hidden = sorted(repo.git.ignored([pointers.pointer_path(path) for path in new]))
    if hidden:
        raise PathError(
            f"Git ignores {hidden[0]}, so the pointer would be lost to others",
            f"`git check-ignore -v {hidden[0]}` shows the line to take out; datavc has Git "
            "ignore the data itself",
        )


def collisions(output: RepoPath, found: Iterable[str]) -> list[str]:
    """Return a warning for each name that equals another but for letter case or Unicode form."""
    seen: dict[str, str] = {}
    warnings = []
    for path in found:
        other = seen.setdefault(paths.folded(path), path)
        if other != path:
            one, two = paths.join(output, path), paths.join(output, other)
            warnings.append(f"{one} and {two} are one name on macOS and Windows")
    return warnings
