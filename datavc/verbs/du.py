"""du: how much room tracked data takes, told from pointers and lists of files alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from datavc.core import paths
from datavc.core.digest import Digest
from datavc.core.errors import DataError, PathError
from datavc.core.outputs import TrackedOutput
from datavc.core.paths import RepoPath
from datavc.repo.inventory import Inventory, load
from datavc.repo.repo import Repo
from datavc.repo.snapshot import at_commit
from datavc.repo.targets import not_tracked, repo_path
from datavc.store import trees
from datavc.verbs.scanning import inventory, unreadable


@dataclass(frozen=True, slots=True)
class DuOptions:
    """`rev` is the version that is measured; `cache` counts what of it lies in the cache."""

    rev: str | None = None
    cache: bool = False


class Usage(NamedTuple):
    """A path and the bytes and files of tracked data that it is or holds."""

    path: str
    bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class DuResult:
    """What lies directly in the folder that was asked for, and all of it together.

    In the cache, bytes that several files share are counted once, in the total too.
    """

    path: str
    entries: tuple[Usage, ...]
    total: Usage
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the total with the entries below it."""
        return {**self.total._asdict(), "entries": self.entries}


@dataclass(slots=True)
class _Sum:
    """Bytes and files of one row; objects by digest where the cache is measured."""

    bytes: int = 0
    files: int = 0
    objects: dict[Digest, int] = field(default_factory=dict)


class _Piece(NamedTuple):
    """Some tracked data: path, bytes, files, and its object where that is one."""

    path: str
    bytes: int
    files: int
    digest: Digest | None


def du(
    repo: Repo,
    target: str = "",
    options: DuOptions = DuOptions(),
) -> DuResult:
    """Measure the tracked data at `target`, the current folder if it is empty.

    Raises:
        PathError: it names nothing that is tracked.
        DataError: the list of a directory's files is needed and not here.
    """
    if options.rev is None:
        known = inventory(repo)
    else:
        known = load(at_commit(repo.git, repo.git.resolve(options.rev)))
    where = repo_path(repo.root, repo.here, target)
    found = _pieces(repo, known, where, options)
    rows: dict[str, _Sum] = {}
    for piece in found:
        _count(rows.setdefault(_row(piece.path, where), _Sum()), piece, options)
    total = _Sum()
    if options.cache:
        for row in rows.values():
            total.objects |= row.objects
    absent = repo.objects.missing(total.objects)
    total.files = sum(row.files for row in rows.values())
    total.bytes = sum(row.bytes for row in rows.values())
    single = rows.keys() == {where}
    listed = [] if single else sorted(rows.items())
    return DuResult(
        where,
        tuple(_usage(path, row, absent, options) for path, row in listed),
        _usage(where or ".", total, absent, options),
        unreadable(known),
    )


def _usage(path: str, row: _Sum, absent: set[Digest], options: DuOptions) -> Usage:
    if not options.cache:
        return Usage(path, row.bytes, row.files)
    here = [size for digest, size in row.objects.items() if digest not in absent]
    return Usage(path, sum(here), row.files)


def _count(row: _Sum, piece: _Piece, options: DuOptions) -> None:
    row.bytes += piece.bytes
    row.files += piece.files
    if options.cache and piece.digest is not None:
        row.objects[piece.digest] = piece.bytes


def _row(path: str, where: str) -> str:
    """Return which name directly in the folder `where` a path belongs to."""
    if path == where:
        return where
    return paths.join(where, paths.relative(path, where).partition("/")[0])


def _pieces(repo: Repo, known: Inventory, where: RepoPath, options: DuOptions) -> Iterator[_Piece]:
    """Yield the data at `where`, in as few pieces as answer the question."""
    around = known.containing(where)
    if around is None:
        outputs = known.below(where)
        if not outputs and where:
            raise not_tracked(known, where)
        for output in outputs:
            yield from _files(repo, output) if options.cache else _whole(repo, output)
        return
    files = _files(repo, around)
    inside = [piece for piece in files if paths.is_inside(piece.path, where)]
    if not inside and where != around.path:
        raise PathError(
            f"{where} names nothing in {around.path}",
            f"`datavc list {around.path}` shows what is there",
        )
    yield from inside


def _whole(repo: Repo, output: TrackedOutput) -> Sequence[_Piece]:
    """Return one output as a single piece; the list of its files only where it says more."""
    pointer = output.pointer
    if pointer.size is not None and (pointer.files is not None or not output.is_directory):
        files = pointer.files if pointer.files is not None else 1
        return [_Piece(output.path, pointer.size, files, None)]
    pieces = list(_files(repo, output))
    size = sum(piece.bytes for piece in pieces)
    return [_Piece(output.path, size, sum(piece.files for piece in pieces), None)]


def _files(repo: Repo, output: TrackedOutput) -> Iterable[_Piece]:
    if not output.is_directory:
        return [_Piece(output.path, _size(repo, output), 1, output.digest)]
    try:
        entries = list(trees.entries(repo.objects, output.digest))
    except DataError as error:
        raise DataError(
            f"the list of files in {output.path} is not in the cache",
            f"`datavc fetch {output.path}` gets it",
        ) from error
    return [
        _Piece(f"{output.path}/{entry.path}", entry.size, int(bool(entry.digest)), entry.digest)
        for entry in entries
    ]


def _size(repo: Repo, output: TrackedOutput) -> int:
    """Return the bytes of a file: as recorded, else as its object has them.

    Raises:
        DataError: neither is known.
    """
    if output.pointer.size is not None:
        return output.pointer.size
    with repo.objects.open(output.digest) as stream:
        return stream.seek(0, 2)
