"""TrackedOutput: a file or directory that datavc keeps versions of, as recorded somewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from datavc.core.digest import Digest
from datavc.core.paths import RepoPath

Kind = Literal["file", "directory"]

POINTER_SUFFIX = ".datavc"
LOCK_FILE = "datavc.lock"


def is_record(path: str) -> bool:
    """Tell whether a file of this name records outputs: a pointer, or the lock of stages."""
    return path.endswith((POINTER_SUFFIX, "/" + LOCK_FILE)) or path == LOCK_FILE


class Pointer(NamedTuple):
    """What one pointer file says. `path` is one component, beside the pointer.

    `size` (bytes) and `files` (of a directory) are for people and planning, never proof.
    """

    path: str
    kind: Kind
    digest: Digest
    size: int | None = None
    files: int | None = None
    executable: bool = False
    cache: bool = True
    push: bool = True
    remote: str | None = None
    desc: str | None = None
    type: str | None = None
    labels: tuple[str, ...] = ()
    meta: Mapping[str, object] = {}


class TrackedOutput(NamedTuple):
    """A pointer, placed: `path` is below the project's root, `recorded_in` is the pointer file.

    What a stage makes is recorded in a lock file instead, under the name of the `stage`.
    """

    path: RepoPath
    recorded_in: RepoPath
    pointer: Pointer
    stage: str = ""

    @property
    def digest(self) -> Digest:
        """The digest of the file, or of the directory's tree."""
        return self.pointer.digest

    @property
    def is_directory(self) -> bool:
        """Whether this is a directory."""
        return self.pointer.kind == "directory"


class Failure(NamedTuple):
    """One thing that could not be done while the rest was: path, digest (or empty), why."""

    path: str
    digest: str
    message: str
