"""Drawings of a pipeline: as lines of text, for Graphviz, and for Mermaid."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from datavc.core.outputs import POINTER_SUFFIX
from datavc.core.paths import RepoPath
from datavc.core.stage import STAGE_FILE, Stage
from datavc.pipeline import graph as graphs
from datavc.pipeline.graph import Graph

_DOTS = {"stage": "●", "data": "○", "output": "●"}
_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_STROKES = " ╵╷│╴╯╮┤╶╰╭├─┴┬┼"
"""By the directions in which a line leaves, as their sum."""


class Node(NamedTuple):
    """A stage by its address, data by its pointer file, or an output by its path."""

    name: str
    kind: Literal["stage", "data", "output"]
    frozen: bool = False


class Picture(NamedTuple):
    """Nodes, and by position those that each needs, which come before it.

    Only where a group of stages is one node may one come after: they need each other then.
    """

    nodes: tuple[Node, ...]
    needs: tuple[tuple[int, ...], ...]


def of_stages(graph: Graph, data: Collection[RepoPath], *, collapse: bool = False) -> Picture:
    """Return the stages and the pointer files that they need; `data` is what those record.

    With `collapse`, all stages that one foreach or matrix made are one node.
    """
    nodes = [node(stage, collapse=collapse) for stage in graph.stages]
    known = {path: nodes[i] for path, i in graph.producer.items()}
    known |= {path: Node(path + POINTER_SUFFIX, "data") for path in data}
    return _picture(graph, known, {i: [made] for i, made in enumerate(nodes)})


def node(stage: Stage, *, collapse: bool) -> Node:
    """Return how a stage is drawn; with `collapse`, by the name of its group."""
    if not collapse:
        return Node(stage.address, "stage", stage.frozen)
    group = stage.group if stage.file == STAGE_FILE else f"{stage.file}:{stage.group}"
    return Node(group, "stage", stage.frozen)


def of_outputs(graph: Graph, data: Collection[RepoPath]) -> Picture:
    """Return the outputs of stages, and the data that those need."""
    known = {path: Node(path, "output") for path in graph.producer}
    made = {i: [known[out.path] for out in stage.outs] for i, stage in enumerate(graph.stages)}
    return _picture(graph, known | {path: Node(path, "data") for path in data}, made)


def part(picture: Picture, chosen: Collection[Node], *, full: bool) -> Picture:
    """Return the nodes `chosen` and all that they need; with `full`, all that is connected."""
    edges: list[set[int]] = [set(needs) for needs in picture.needs]
    if full:
        for place, needs in enumerate(picture.needs):
            for other in needs:
                edges[other].add(place)
    todo = [place for place, node in enumerate(picture.nodes) if node in chosen]
    kept = set(todo)
    while todo:
        fresh = edges[todo.pop()] - kept
        kept |= fresh
        todo += fresh
    places = {old: new for new, old in enumerate(sorted(kept))}
    return Picture(
        tuple(picture.nodes[place] for place in places),
        tuple(tuple(places[other] for other in picture.needs[place]) for place in places),
    )


def text(picture: Picture) -> Iterator[str]:
    """Yield lines: each node on one, below all that it needs, with strokes between them."""
    last: dict[int, int] = {}
    for place, needs in enumerate(picture.needs):
        last |= dict.fromkeys((other for other in needs if other < place), place)
    lanes = _Lanes()
    for place, node in enumerate(picture.nodes):
        drawn = [other for other in picture.needs[place] if other < place]
        later = [picture.nodes[o].name for o in picture.needs[place] if o > place]
        yield from lanes.lead(place, drawn, {other for other in drawn if last[other] == place})
        label = f"{node.name} (frozen)" if node.frozen else node.name
        label += f" (also needs {', '.join(later)})" if later else ""
        yield lanes.dot(_DOTS[node.kind], goes_on=place in last) + " " + label


def dot(picture: Picture) -> Iterator[str]:
    """Yield the picture in the language of Graphviz."""
    names = [
        '"' + node.name.replace("\\", "\\\\").replace('"', '\\"') + '"' for node in picture.nodes
    ]
    yield "strict digraph {"
    yield from (f"{name};" for name in names)
    yield from (f"{names[one]} -> {names[other]};" for one, other in _edges(picture))
    yield "}"


def mermaid(picture: Picture) -> Iterator[str]:
    """Yield the picture in the language of Mermaid."""
    yield "flowchart TD"
    for number, node in enumerate(picture.nodes, 1):
        # Entities, numbers among them, are written with a hash sign: quotes, marks and itself.
        name = "".join(f"#{ord(c)};" if c in '"#<>&`\\' else c for c in node.name)
        yield f'\tnode{number}["{name}"]'
    yield from (f"\tnode{one + 1}-->node{other + 1}" for one, other in _edges(picture))


def _edges(picture: Picture) -> Iterator[tuple[int, int]]:
    """Yield what is needed and what needs it."""
    for place, needs in enumerate(picture.needs):
        for other in needs:
            yield other, place


def _picture(
    graph: Graph, known: Mapping[RepoPath, Node], made: Mapping[int, Iterable[Node]]
) -> Picture:
    """Return the nodes that each stage has `made`, each with what is `known` at its inputs."""
    paths = [*known]
    places = {path: place for place, path in enumerate(paths)}
    inside = graphs.folders(places)
    needs: dict[Node, dict[Node, None]] = {}
    apart = (graphs.order(graph, group) for group in graphs.components(graph))
    for i in (i for group in apart for i in group):
        inputs = [
            known[paths[place]]
            for path in graphs.inputs(graph.stages[i])
            for place in sorted(graphs.makers(path, places, inside))
        ]
        for node in made[i]:
            needs.setdefault(node, {}).update(dict.fromkeys(n for n in inputs if n != node))
    order = {node: place for place, node in enumerate(_ordered(needs))}
    return Picture(
        tuple(order),
        tuple(tuple(sorted(order[other] for other in needs.get(node, ()))) for node in order),
    )


def _ordered(needs: Mapping[Node, Iterable[Node]]) -> Iterator[Node]:
    """Yield all nodes, each right after those of its needs that did not come before."""
    seen: set[Node] = set()
    for node in needs:
        stack = [(node, iter(needs[node]))] if node not in seen else []
        seen.add(node)
        while stack:
            below = next((n for n in stack[-1][1] if n not in seen), None)
            if below is None:
                yield stack.pop()[0]
            else:
                seen.add(below)
                stack.append((below, iter(needs.get(below, ()))))


class _Lanes:
    """The columns of a drawing, and whose line goes down in each."""

    def __init__(self) -> None:
        """Begin with no line."""
        self._lanes: list[int | None] = []
        self._place = self._column = -1

    def lead(self, place: int, needs: Collection[int], ended: Collection[int]) -> Iterator[str]:
        """Yield the strokes that lead from `needs` to the next node, of which some end there."""
        before = self._column
        self._place = place
        columns = {column for column, lane in enumerate(self._lanes) if lane in needs}
        ending = {column for column in columns if self._lanes[column] in ended}
        self._column = min(ending, default=self._free())
        if columns - {self._column}:
            yield self._strokes(columns | {self._column}, ending)
        elif not columns and self._column == before:
            yield self._row({})
        for column in ending:
            self._lanes[column] = None

    def dot(self, mark: str, *, goes_on: bool) -> str:
        """Return the row of the node that `lead` led to."""
        self._lanes += [None] * (self._column + 1 - len(self._lanes))
        row = self._row({self._column: mark})
        self._lanes[self._column] = self._place if goes_on else None
        while self._lanes and self._lanes[-1] is None:
            self._lanes.pop()
        return row

    def _free(self) -> int:
        return self._lanes.index(None) if None in self._lanes else len(self._lanes)

    def _row(self, marks: Mapping[int, str]) -> str:
        lines = enumerate("│" if lane is not None else " " for lane in self._lanes)
        return " ".join(marks.get(column, line) for column, line in lines).rstrip()

    def _strokes(self, joined: Collection[int], ending: Collection[int]) -> str:
        """Return the row that joins columns; lines that it crosses pass behind it."""
        first, last = min(joined), max(joined)
        row = ""
        for column in range(max(len(self._lanes), last + 1)):
            line = column < len(self._lanes) and self._lanes[column] is not None
            if column in joined:
                ways = _UP * line + _LEFT * (column > first) + _RIGHT * (column < last)
                ways += _DOWN * (column == self._column or column not in ending)
                row += _STROKES[ways]
            else:
                row += "│" if line else "─" if first < column < last else " "
            row += "─" if first <= column < last else " "
        return row.rstrip()
