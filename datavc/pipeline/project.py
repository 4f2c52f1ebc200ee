"""Project: all that the stage files of one moment declare.

A stage file is expanded once for the same text and the same parameter and vars files; the result
is remembered by their digests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from datavc import __version__
from datavc.core.errors import DatavcError, FormatError
from datavc.core.paths import RepoPath
from datavc.core.stage import (
    Artifact,
    Out,
    ParamsDep,
    PlotDefinition,
    PlotProperties,
    Stage,
    StageFile,
)
from datavc.pipeline.memo import Memo, digest_of
from datavc.pipeline.rendering import USUAL, Rendering
from datavc.repo.files import Files

MEMO_VERSION = 1
"""To be raised when memos are written in another way. They count for one datavc alone, and for one
shape of what is remembered: another may expand the same file to something else."""

_SHAPE = f"{__version__} {Stage._fields} {Out._fields} {StageFile._fields}"


class Project(NamedTuple):
    """Stage files by path, and those that cannot be used with the reason."""

    files: tuple[StageFile, ...]
    broken: dict[RepoPath, FormatError] = {}

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of all files, in the order of the files and in each file's own."""
        return tuple(stage for file in self.files for stage in file.stages)


def load(files: Files, folder: str | None = None, rendering: Rendering = USUAL) -> Project:
    """Return what `files` declare. One stage file that cannot be used costs no other.

    What was worked out is remembered below `folder`, if one is named.
    """
    memo = Memo(folder, "stages", MEMO_VERSION) if folder is not None else None
    texts: dict[RepoPath, bytes | None] = {}
    found: list[StageFile] = []
    broken: dict[RepoPath, FormatError] = {}
    for path in files.stage_files():
        try:
            data = files.read(path)
            if data is None:
                continue
            known = _remembered(memo, path, (data, rendering), files, texts)
            if known is None:
                from datavc.pipeline.expand import expand

                known = expand(path, data, files, rendering)
                _remember(memo, known, (data, rendering), files, texts)
            found.append(known)
        except FormatError as error:
            broken[path] = error
        except DatavcError as error:
            broken[path] = FormatError(error.message, error.hint)
    if memo is not None:
        memo.save()
    return Project(tuple(found), broken)


_Source = tuple[bytes, Rendering]


def _source(source: _Source) -> tuple[object, ...]:
    data, rendering = source
    return digest_of(data), tuple(rendering), _SHAPE


def _remembered(
    memo: Memo | None,
    path: RepoPath,
    source: _Source,
    files: Files,
    texts: dict[RepoPath, bytes | None],
) -> StageFile | None:
    """Return what the stage file expands to if neither it nor what it reads has changed."""
    found: Any = None if memo is None else memo.get(path, _source(source))
    if found is None:
        return None
    reads, packed = found
    if any(digest_of(_text(files, read, texts)) != digest for read, digest in reads):
        return None
    return _unpacked(packed)


def _remember(
    memo: Memo | None,
    found: StageFile,
    source: _Source,
    files: Files,
    texts: dict[RepoPath, bytes | None],
) -> None:
    if memo is not None:
        reads = tuple((path, digest_of(_text(files, path, texts))) for path in found.reads)
        memo.put(found.file, _source(source), (reads, _packed(found)))


def _text(files: Files, path: RepoPath, texts: dict[RepoPath, bytes | None]) -> bytes | None:
    """Return the bytes of a file that stage files read, each read once."""
    if path not in texts:
        texts[path] = files.read(path)
    return texts[path]


def _packed(value: object) -> object:
    """Return a value whose tuples have no names, as what is remembered may hold no others."""
    if isinstance(value, tuple):
        return tuple(map(_packed, value))
    if isinstance(value, dict):
        return {key: _packed(item) for key, item in value.items()}
    return str(value) if isinstance(value, str) else value


def _unpacked(packed: Any) -> StageFile:  # noqa: ANN401 - of any shape, as it was packed
    file, stages, metrics, params, plots, artifacts, reads = packed
    return StageFile(
        file,
        tuple(map(_stage, stages)),
        metrics,
        params,
        tuple(_plot(*plot) for plot in plots),
        tuple(Artifact(*artifact) for artifact in artifacts),
        reads,
    )


def _stage(packed: Any) -> Stage:  # noqa: ANN401 - of any shape, as it was packed
    stage = Stage._make(packed)
    return stage._replace(
        params=tuple(ParamsDep(*params) for params in stage.params),
        used=tuple(ParamsDep(*params) for params in stage.used),
        outs=tuple(_outs(stage.outs)),
    )


def _outs(packed: Any) -> Iterator[Out]:  # noqa: ANN401 - of any shape, as it was packed
    for fields in packed:
        out = Out._make(fields)
        plots = tuple(PlotProperties(*plot) for plot in out.plots)
        yield out._replace(plots=plots) if plots else out


def _plot(*fields: Any) -> PlotDefinition:  # noqa: ANN401 - of any shape, as it was packed
    plot = PlotDefinition(*fields)
    return plot._replace(properties=PlotProperties(*plot.properties))
