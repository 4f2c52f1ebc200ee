"""Inventory: every output that is tracked at a snapshot; what all plans start from."""

from __future__ import annotations

from typing import NamedTuple

from datavc.core import paths
from datavc.core.errors import DatavcError, FormatError, PathError
from datavc.core.lock import Locked
from datavc.core.outputs import POINTER_SUFFIX, Pointer, TrackedOutput
from datavc.core.paths import RepoPath
from datavc.formats import lockfile
from datavc.formats import pointer as codec
from datavc.repo.snapshot import Snapshot


class Inventory(NamedTuple):
    """Outputs by path, sorted; and records that could not be read, with the reason.

    No two outputs overlap: the second to claim a place is broken.
    """

    outputs: dict[RepoPath, TrackedOutput]
    broken: dict[RepoPath, FormatError] = {}

    def containing(self, path: str) -> TrackedOutput | None:
        """Return the output that is `path` or has it inside."""
        candidate = path
        while candidate:
            output = self.outputs.get(RepoPath(candidate))
            if output is not None:
                return output
            candidate = paths.parent(candidate)
        return None

    def below(self, folder: str) -> list[TrackedOutput]:
        """Return the outputs that lie in `folder`, or are it."""
        return [out for path, out in self.outputs.items() if paths.is_inside(path, folder)]


def load(snapshot: Snapshot) -> Inventory:
    """Return what `snapshot` tracks. One bad record costs no other."""
    found: list[TrackedOutput] = []
    broken: dict[RepoPath, FormatError] = {}
    for recorded_in, data in snapshot.records().items():
        try:
            if isinstance(data, PathError):
                raise data
            found += recorded(recorded_in, data)
        except FormatError as error:
            broken[recorded_in] = error
        except DatavcError as error:
            broken[recorded_in] = FormatError(f"{recorded_in}: {error.message}", error.hint)
    outputs: dict[RepoPath, TrackedOutput] = {}
    last = None
    for output in sorted(found, key=lambda output: output.path + "/"):
        if last is not None and paths.is_inside(output.path, last.path):
            broken.setdefault(output.recorded_in, _overlap(output, last))
            continue
        outputs[output.path] = last = output
    return Inventory(outputs, broken)


def recorded(recorded_in: RepoPath, data: bytes) -> list[TrackedOutput]:
    """Return the outputs that a record's bytes name: one of a pointer, many of a lock.

    Outputs of a lock that are left to Git are not among them.

    Raises:
        FormatError, PathError: the record is malformed or hostile.
    """
    if recorded_in.endswith(POINTER_SUFFIX):
        return [tracked(recorded_in, data)]
    return [
        made_by(name, recorded_in, out)
        for name, entry in lockfile.parse(data, recorded_in).items()
        for out in entry.outs
        if out.cache
    ]


def made_by(stage: str, recorded_in: RepoPath, out: Locked) -> TrackedOutput:
    """Return what a lock records of one output of a stage."""
    pointer = Pointer(
        paths.name(out.path),
        out.kind,
        out.digest,
        out.size,
        out.files,
        executable=out.executable,
        push=out.push,
        remote=out.remote,
    )
    return TrackedOutput(out.path, recorded_in, pointer, stage)


def tracked(recorded_in: RepoPath, data: bytes) -> TrackedOutput:
    """Return the output that a pointer file's bytes record.

    Raises:
        FormatError, PathError: the pointer is malformed or hostile.
    """
    pointer = codec.parse(data, recorded_in)
    path = paths.parse(paths.join(paths.parent(recorded_in), pointer.path))
    return TrackedOutput(path, recorded_in, pointer)


def _overlap(output: TrackedOutput, other: TrackedOutput) -> FormatError:
    return FormatError(
        f"{output.recorded_in}: {output.path} overlaps with {other.path}, "
        f"which {other.recorded_in} records",
        "take one of the two out of its file",
    )
