"""Reading any file of any version: Git's from the commit, tracked ones from the cache."""

from __future__ import annotations

import os

from datavc.core import paths
from datavc.core.digest import Digest
from datavc.core.errors import DataError, PathError
from datavc.core.paths import RepoPath
from datavc.repo.files import CommitFiles, Files, WorkspaceFiles
from datavc.repo.inventory import Inventory, load
from datavc.repo.layout import FOLDER
from datavc.repo.repo import Repo
from datavc.repo.snapshot import at_commit
from datavc.store.object_store import read
from datavc.verbs.scanning import inventory
from datavc.verbs.tree_lookup import entries_below, entry_at

FILES = 10_000
"""Files of one folder that are looked at, at most."""


class Reader:
    """The files of one version. Nothing is asked for before it is needed."""

    def __init__(self, repo: Repo, commit: str | None) -> None:
        """Read from a full commit id, or with None from the workspace as it lies."""
        self._repo = repo
        self.commit = commit
        self._known: Inventory | None = None
        self.files: Files = (
            WorkspaceFiles(repo.git) if commit is None else CommitFiles(repo.git, commit)
        )

    def read(self, path: RepoPath) -> bytes | None:
        """Return a file's bytes, None if this version has no such file.

        Raises:
            PathError: it cannot be read, or is too large.
            DataError: it is tracked, but its bytes are not in the cache.
        """
        try:
            data = self.files.read(path)
        except PathError:
            if self.commit is not None or self._digest(path) is None:
                raise
            data = None  # a link into a cache that lies elsewhere
        else:
            if data is not None or self.commit is None:
                return data
        digest = self._digest(path)
        return None if digest is None else self._stored(path, digest)

    def below(self, folder: RepoPath) -> list[RepoPath]:
        """Return the files in a folder at any depth, sorted; a file's own path; [] if neither is.

        Raises:
            PathError: there are more than anybody looks at.
            DataError: a tracked directory's list of files is not in the cache.
        """
        found = self._lying(folder) if self.commit is None else self._recorded(folder)
        if len(found) > FILES:
            raise PathError(f"{folder or '.'} has more than {FILES:,} files to look at")
        return sorted(found)

    def _lying(self, folder: RepoPath) -> list[RepoPath]:
        top = os.path.join(self._repo.root, folder)
        if not os.path.isdir(top):
            return [folder] if os.path.exists(top) else []
        found: list[RepoPath] = []
        for where, folders, names in os.walk(top):
            folders[:] = [name for name in folders if name not in (".git", FOLDER)]
            inside = os.path.relpath(where, self._repo.root)
            prefix = "" if inside == "." else inside
            found += [paths.join(prefix, name) for name in names]
            if len(found) > FILES:
                break
        return found

    def _recorded(self, folder: RepoPath) -> list[RepoPath]:
        commit = self.commit or ""
        found = {file.path for file in self._repo.git.tree_paths(commit, folder)}
        known = self._inventory()
        containing = known.containing(folder)
        for output in [containing] if containing else known.below(folder):
            if not output.is_directory:
                found.add(output.path)
                continue
            inside = paths.relative(folder, output.path) if containing and folder else ""
            inside = "" if folder == output.path else inside
            try:
                entries = list(entries_below(self._repo.objects, output.digest, inside))
            except DataError as error:
                raise self._lost(f"the list of files in {output.path}", folder) from error
            found |= {paths.join(output.path, entry.path) for entry in entries if entry.digest}
        if containing and not found and self._digest(folder) is not None:
            found.add(folder)
        return list(found)

    def _inventory(self) -> Inventory:
        if self._known is None:
            commit = self.commit
            git = self._repo.git
            self._known = inventory(self._repo) if commit is None else load(at_commit(git, commit))
        return self._known

    def _digest(self, path: RepoPath) -> Digest | None:
        output = self._inventory().containing(path)
        if output is None or output.is_directory == (path == output.path):
            return None
        if not output.is_directory:
            return output.digest
        inside = paths.relative(path, output.path)
        try:
            entry = entry_at(self._repo.objects, output.digest, inside)
        except DataError as error:
            raise self._lost(f"the list of files in {output.path}", path) from error
        return None if entry is None else entry.digest

    def _stored(self, path: RepoPath, digest: Digest) -> bytes:
        try:
            return read(self._repo.objects, digest)
        except DataError as error:
            raise self._lost(path, path) from error

    def _lost(self, what: str, path: str) -> DataError:
        rev = f"--rev {self.commit[:12]} " if self.commit else ""
        return DataError(
            f"{what} is not in the cache, or damaged there",
            f"`datavc fetch {rev}{path}` gets it from a remote",
        )


def shown(repo: Repo, path: str) -> str:
    """Return a path of the project as seen from where the user stands."""
    return os.path.relpath(os.path.join(repo.root, path), repo.here)
