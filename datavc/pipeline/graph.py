"""Graph: which stage needs which, checked to be sound. Stages are named by their position."""

from __future__ import annotations

import heapq
import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from datavc.core import paths
from datavc.core.errors import FormatError, PathError
from datavc.core.nearest import nearest
from datavc.core.outputs import POINTER_SUFFIX
from datavc.core.paths import RepoPath
from datavc.core.stage import STAGE_FILE, Stage


class UnknownStageError(PathError):
    """What a user named is no stage, and no output of one."""


class Graph(NamedTuple):
    """Stages in the order of their files, and by position what each needs and is needed by.

    `rank` is each stage's place in the one order that respects `needs` and departs least from the
    files; `producer` says which stage makes an output.
    """

    stages: tuple[Stage, ...]
    needs: tuple[tuple[int, ...], ...]
    needed_by: tuple[tuple[int, ...], ...]
    rank: tuple[int, ...]
    producer: dict[RepoPath, int]


def build(stages: Sequence[Stage], data: Collection[RepoPath] = ()) -> Graph:
    """Return the graph of `stages`; `data` are the outputs that pointer files record.

    A stage needs another if one of its inputs is an output of it, lies inside one, or is a folder
    with one inside.

    Raises:
        FormatError: outputs overlap, are tracked as data too or hold a stage file, or stages need
            each other in a circle; names the stages.
    """
    producer = _producers(stages)
    _check_data(stages, producer, data)
    _check_stage_files(stages, producer)
    inside = folders(producer)
    found: dict[RepoPath, Collection[int]] = {}
    needs = []
    for i, stage in enumerate(stages):
        needed: set[int] = set()
        for path in inputs(stage):
            made_by = found.get(path)
            if made_by is None:
                made_by = found[path] = makers(path, producer, inside)
            if i in made_by:
                raise FormatError(
                    f"stage {_name(stage)} depends on {path}, which it makes itself",
                    "take it out of its `deps`, or out of its `outs`",
                )
            needed.update(made_by)
        needs.append(tuple(sorted(needed)))
    needed_by = _turned(needs)
    return Graph(tuple(stages), tuple(needs), needed_by, _rank(stages, needs, needed_by), producer)


def inputs(stage: Stage) -> Iterator[RepoPath]:
    """Yield the paths that a stage depends on: dependencies, then parameter files."""
    yield from stage.deps
    for params in stage.params:
        yield params.file


def order(graph: Graph, chosen: Iterable[int]) -> list[int]:
    """Return the stages `chosen` so that each comes after what it needs, else as in the files."""
    return sorted(set(chosen), key=graph.rank.__getitem__)


def upstream(graph: Graph, targets: Iterable[int], *, past_frozen: bool = True) -> set[int]:
    """Return the targets and all that they need; unless `past_frozen`, no frozen stage's needs."""
    if past_frozen:
        return _reached(graph.needs, targets)
    stages = graph.stages
    thawed = [() if stages[i].frozen else needed for i, needed in enumerate(graph.needs)]
    return _reached(thawed, targets)


def downstream(graph: Graph, targets: Iterable[int]) -> set[int]:
    """Return the targets and all that need them."""
    return _reached(graph.needed_by, targets)


def critical(graph: Graph, seconds: Sequence[float]) -> list[float]:
    """Return for each stage how long the longest way through it to the end takes, itself included.

    `seconds` is what each stage takes by itself.
    """
    longest = list(seconds)
    for i in reversed(order(graph, range(len(longest)))):
        longest[i] += max((longest[later] for later in graph.needed_by[i]), default=0.0)
    return longest


def components(graph: Graph) -> list[list[int]]:
    """Return the pipelines: stages that are connected in any way, each in the order of files."""
    around = [one + other for one, other in zip(graph.needs, graph.needed_by, strict=True)]
    seen: set[int] = set()
    found = []
    for i in range(len(around)):
        if i not in seen:
            reached = _reached(around, [i])
            seen |= reached
            found.append(sorted(reached))
    return found


def find(graph: Graph, text: str, here: str = "", *, glob: bool = False) -> list[int]:
    """Return the stages that a user means by `text`, typed in the folder `here` of the project.

    In this order: a stage or group of the file in `here`, then of the root's file, then of one
    other file; a stage file; `FILE:STAGE`; an output, or a path inside one, for the stage that
    makes it. With `glob`, all stages whose name or address matches the pattern.

    Raises:
        UnknownStageError: it names nothing; names the nearest.
        PathError: it names stages of several files.
    """
    if glob:
        found = [i for i, s in enumerate(graph.stages) if _matches(s, text, here)]
    else:
        found = _by_name(graph, text, here) or _by_file(graph, text, here)
    if not found and not glob:
        maker = _above(seen_from(here, text), graph.producer)
        found = [] if maker is None else [graph.producer[maker]]
    if not found:
        raise _unknown(graph, text)
    return found


def _name(stage: Stage) -> str:
    return f"{stage.name} ({stage.file})"


def _placed(stage: Stage) -> str:
    return f"{stage.name} ({stage.where})"


def _producers(stages: Sequence[Stage]) -> dict[RepoPath, int]:
    """Return which stage makes each output.

    Raises:
        FormatError: two outputs are equal, or one lies in the other.
    """
    producer: dict[RepoPath, int] = {}
    for i, stage in enumerate(stages):
        for out in stage.outs:
            other = producer.setdefault(out.path, i)
            if other != i:
                raise FormatError(
                    f"{out.path} is an output of two stages: "
                    f"{_placed(stages[other])} and {_placed(stage)}",
                    "each output has one stage that makes it",
                )
    clear: set[str] = set()
    for path, i in producer.items():
        folder = _above(RepoPath(paths.parent(path)), producer, clear)
        if folder is not None:
            raise FormatError(
                f"{path}, an output of stage {_name(stages[i])}, lies inside {folder}, "
                f"an output of stage {_name(stages[producer[folder]])}",
                "outputs must not overlap",
            )
    return producer


def _check_data(
    stages: Sequence[Stage], producer: Mapping[RepoPath, int], data: Collection[RepoPath]
) -> None:
    """Refuse outputs that pointer files record too.

    Raises:
        FormatError: an output of a stage is one of `data`, lies inside one, or contains one.
    """
    tracked = dict.fromkeys(data)
    clear: tuple[set[str], set[str]] = (set(), set())
    inside_data = ((out, _above(out, tracked, clear[0])) for out in producer)
    inside_outs = ((_above(path, producer, clear[1]), path) for path in tracked)
    for out, path in (*inside_data, *inside_outs):
        if out is not None and path is not None:
            clash = "is" if path == out else f"overlaps with {path}, which is"
            raise FormatError(
                f"{out}, an output of stage {_name(stages[producer[out]])}, "
                f"{clash} tracked as data too",
                f"`datavc remove {path}{POINTER_SUFFIX}` leaves it to the stage",
            )


def _check_stage_files(stages: Sequence[Stage], producer: Mapping[RepoPath, int]) -> None:
    """Refuse outputs around a stage file: they go away before their stage runs.

    Raises:
        FormatError: there is one.
    """
    for file in dict.fromkeys(stage.file for stage in stages):
        out = _above(RepoPath(paths.parent(file)), producer)
        if out is not None:
            raise FormatError(
                f"{file} lies inside {out}, an output of stage {_name(stages[producer[out]])}",
                "a stage makes its outputs anew: take the stage file out of there",
            )


def _above(
    path: RepoPath, known: Collection[RepoPath], clear: set[str] | None = None
) -> RepoPath | None:
    """Return which of `known` is `path` or a folder above it, None if none is.

    `clear` remembers the paths for which none is.
    """
    candidate: str = path
    passed = []
    while candidate and (clear is None or candidate not in clear):
        if candidate in known:
            return RepoPath(candidate)
        passed.append(candidate)
        candidate = paths.parent(candidate)
    if clear is not None:
        clear.update(passed)
    return None


def folders(producer: Mapping[RepoPath, int]) -> dict[str, set[int]]:
    """Return which stages make something inside each folder."""
    inside: dict[str, set[int]] = {}
    for path, i in producer.items():
        folder = paths.parent(path)
        while folder and i not in (found := inside.setdefault(folder, set())):
            found.add(i)
            folder = paths.parent(folder)
    return inside


def makers(
    path: RepoPath, producer: Mapping[RepoPath, int], inside: Mapping[str, set[int]]
) -> Collection[int]:
    """Return the stages that make `path`, what it lies inside of, or something inside it."""
    out = _above(path, producer.keys())
    return inside.get(path, ()) if out is None else (producer[out],)


def _turned(needs: Sequence[Iterable[int]]) -> tuple[tuple[int, ...], ...]:
    needed_by: list[list[int]] = [[] for _ in needs]
    for i, needed in enumerate(needs):
        for other in needed:
            needed_by[other].append(i)
    return tuple(map(tuple, needed_by))


def _rank(
    stages: Sequence[Stage],
    needs: Sequence[tuple[int, ...]],
    needed_by: Sequence[tuple[int, ...]],
) -> tuple[int, ...]:
    """Return each stage's place in the order: of all that are ready, the first in the files.

    Raises:
        FormatError: there is none, since stages need each other in a circle.
    """
    waiting = [len(needed) for needed in needs]
    ready = [i for i, count in enumerate(waiting) if not count]
    rank = [-1] * len(needs)
    for place in range(len(needs)):
        if not ready:
            raise _circle(stages, needs, rank)
        i = heapq.heappop(ready)
        rank[i] = place
        for later in needed_by[i]:
            waiting[later] -= 1
            if not waiting[later]:
                heapq.heappush(ready, later)
    return tuple(rank)


def _circle(
    stages: Sequence[Stage], needs: Sequence[tuple[int, ...]], rank: Sequence[int]
) -> FormatError:
    """Return the error that names a circle among the stages without a rank, in order."""
    at = rank.index(-1)
    way: dict[int, None] = {}
    while at not in way:
        way[at] = None
        at = next(other for other in needs[at] if rank[other] < 0)
    circle = [*way][[*way].index(at) :]
    named = " needs ".join(_name(stages[i]) for i in [*circle, at])
    return FormatError(
        f"stages need each other in a circle: {named}", "take out one of the dependencies"
    )


def _reached(edges: Sequence[Iterable[int]], targets: Iterable[int]) -> set[int]:
    todo = [*targets]
    seen = set(todo)
    while todo:
        fresh = [other for other in edges[todo.pop()] if other not in seen]
        seen.update(fresh)
        todo += fresh
    return seen


def seen_from(here: str, text: str) -> RepoPath:
    """Return the path below the root that `text` names in the folder `here`."""
    return RepoPath(posixpath.normpath(posixpath.join(here, text)))


def _by_name(graph: Graph, text: str, here: str) -> list[int]:
    by_file: dict[str, list[int]] = {}
    for i, stage in enumerate(graph.stages):
        if text in (stage.name, stage.group):
            by_file.setdefault(stage.file, []).append(i)
    for folder in (here, ""):
        near = by_file.get(paths.join(folder, STAGE_FILE))
        if near:
            return near
    if len(by_file) > 1:
        one, other = (graph.stages[found[0]].file for found in [*by_file.values()][:2])
        raise PathError(f"{text} is a stage of {one} and of {other}", f"say which: `{one}:{text}`")
    return [i for found in by_file.values() for i in found]


def _by_file(graph: Graph, text: str, here: str) -> list[int]:
    file, colon, name = text.rpartition(":")
    if not colon:
        file, name = text, ""
    for folder in (here, ""):
        path = seen_from(folder, file or STAGE_FILE)
        found = [
            i
            for i, stage in enumerate(graph.stages)
            if stage.file == path and (not name or name in (stage.name, stage.group))
        ]
        if found:
            return found
    return []


def _matches(stage: Stage, pattern: str, here: str) -> bool:
    near = stage.file in (STAGE_FILE, paths.join(here, STAGE_FILE))
    return fnmatchcase(stage.address, pattern) or (near and fnmatchcase(stage.name, pattern))


def _unknown(graph: Graph, text: str) -> UnknownStageError:
    known = [stage.address for stage in graph.stages]
    near = nearest(text, [*known, *(s.group for s in graph.stages), *graph.producer])
    return UnknownStageError(
        f"there is no stage or output {text!r}",
        f"did you mean {near}?" if near else "`datavc stage list --all` shows all stages",
    )
