"""Places in a stage file: what errors name, and what paths written there mean."""

from __future__ import annotations

import re
from typing import NamedTuple

from datavc.core import paths
from datavc.core.errors import FormatError, PathError
from datavc.core.paths import RepoPath
from datavc.core.stage import Value
from datavc.formats.people_yaml import Document

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


class Place(NamedTuple):
    """A line of a stage file; `owner` begins each error there, as in `stage train: `."""

    document: Document
    line: int
    owner: str = ""

    def error(self, problem: str, hint: str = "") -> FormatError:
        """Return the error that names file, line and owner."""
        return self.document.error(f"{self.owner}{problem}", self.line, hint)

    def of(self, container: Value, key: str | int) -> Place:
        """Return the place of a key or an item of a map or list of the file."""
        line = self.document.lines.get(id(container), {}).get(key, self.line)
        return self if line == self.line else self._replace(line=line)

    def path(self, folder: str, written: str) -> RepoPath:
        """Return what `written` means below `folder`, seen from the project's root.

        Raises:
            FormatError: it is no path inside the project.
        """
        found = self.folder(folder, written)
        if not found:
            raise self.error(f"{written} is the project itself", "name files or folders inside it")
        return RepoPath(found)

    def folder(self, folder: str, written: str) -> str:
        """Return the same, where the empty text is the project's root."""
        if paths.is_plain(written):
            return paths.join(folder, written)
        if _URL.match(written):
            raise self.error(
                f"{written} is not a path in the project",
                "bring a copy in, `datavc add` it, and name the file here",
            )
        if written.startswith("/"):
            raise self.error(
                f"{written} lies outside the project, or is not seen from it",
                "move it in, or bring a copy in, and name it by its path from here",
            )
        parts = folder.split("/") if folder else []
        for part in written.split("/"):
            if part == ".." and not parts:
                raise self.error(f"{written} leads out of the project")
            if part == "..":
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        try:
            return paths.parse("/".join(parts)) if parts else ""
        except PathError as error:
            raise self.error(error.message) from error
