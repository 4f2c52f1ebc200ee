"""check-ignore: which paths `.datavcignore` excludes, and by which line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from datavc.core.paths import RepoPath
from datavc.repo import ignore
from datavc.repo.ignore import Rule
from datavc.repo.repo import Repo
from datavc.repo.targets import repo_path

MATCHED, NONE_MATCHED = 0, 1


@dataclass(frozen=True, slots=True)
class Checked:
    """A path as it was typed, and the lines that match it, the deciding one last."""

    path: str
    ignored: bool
    rules: tuple[Rule, ...]

    def to_json(self) -> dict[str, object]:
        """Return path, answer and lines."""
        rules = [{"file": r.file, "line": r.line, "pattern": r.pattern} for r in self.rules]
        return {"path": self.path, "ignored": self.ignored, "rules": rules}


@dataclass(frozen=True, slots=True)
class CheckIgnoreResult:
    """All paths that were asked about, in their order."""

    checked: tuple[Checked, ...]

    @property
    def exit_code(self) -> int:
        """0 if a path is ignored, else 1."""
        return MATCHED if any(found.ignored for found in self.checked) else NONE_MATCHED

    def to_json(self) -> object:
        """Return one object a path."""
        return self.checked


def check_ignore(repo: Repo, paths: Iterable[str]) -> CheckIgnoreResult:
    """Ask the rules about each path; a path need not exist, and one that ends in / is a folder.

    Raises:
        PathError: a path lies outside the project.
        FormatError: a file of patterns cannot be read.
    """
    rules = ignore.load(repo.root)
    return CheckIgnoreResult(tuple(_check(rules, text, *_path_of(repo, text)) for text in paths))


def _path_of(repo: Repo, text: str) -> tuple[RepoPath, bool]:
    path = repo_path(repo.root, repo.here, text)
    full = repo.layout.absolute(path)
    return path, text.endswith("/") or (os.path.isdir(full) and not os.path.islink(full))


def _check(
    rules: ignore.IgnoreRules,
    text: str,
    path: RepoPath,
    is_dir: bool,  # noqa: FBT001
) -> Checked:
    if not path:
        return Checked(text, False, ())
    found = tuple(rules.matching(path, is_dir=is_dir))
    return Checked(text, bool(found) and not found[-1].negated, found)
