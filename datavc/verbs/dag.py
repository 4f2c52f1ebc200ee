"""dag: how stages, or their outputs, depend on each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from datavc.core.outputs import POINTER_SUFFIX
from datavc.core.paths import RepoPath
from datavc.pipeline import drawing
from datavc.pipeline import graph as graphs
from datavc.pipeline.drawing import Node, Picture
from datavc.pipeline.graph import Graph
from datavc.repo.repo import Repo
from datavc.verbs import declaring, pipelines

Form = Literal["text", "dot", "mermaid"]
"""Lines for people, the language of Graphviz, or that of Mermaid."""


class DagOptions(NamedTuple):
    """`outs` draws outputs instead of stages, `collapse` each group of stages as one.

    `full` adds to the targets all that is connected with them, not just what they need.
    """

    outs: bool = False
    full: bool = False
    collapse: bool = False


@dataclass(frozen=True, slots=True)
class Dag:
    """What is to be drawn."""

    picture: Picture

    def to_json(self) -> dict[str, object]:
        """Return nodes and edges; an edge leads to what needs the other."""
        nodes, needs = self.picture
        edges = [
            {"from": nodes[other].name, "to": node.name}
            for node, needed in zip(nodes, needs, strict=True)
            for other in needed
        ]
        said = [
            {"name": node.name, "kind": node.kind, **({"frozen": True} if node.frozen else {})}
            for node in nodes
        ]
        return {"nodes": said, "edges": edges}

    def drawn(self, form: Form) -> Iterator[str]:
        """Yield the lines of a drawing."""
        draw = {"text": drawing.text, "dot": drawing.dot, "mermaid": drawing.mermaid}[form]
        return draw(self.picture)


def dag(repo: Repo, targets: Sequence[str], options: DagOptions) -> Dag:
    """Return the stages with the pointer files that they need, or the part that leads to targets.

    A target is a stage, an output, or tracked data.

    Raises:
        PathError: a target names nothing.
        FormatError: a stage file cannot be used, or the stages do not go together.
    """
    data = declaring.data(repo)
    graph = declaring.sound(repo, pipelines.declared(repo))
    if options.outs:
        picture = drawing.of_outputs(graph, data)
    else:
        picture = drawing.of_stages(graph, data, collapse=options.collapse)
    if targets:
        chosen = {node for text in targets for node in _nodes(repo, graph, text, data, options)}
        picture = drawing.part(picture, chosen, full=options.full)
    return Dag(picture)


def _nodes(
    repo: Repo, graph: Graph, text: str, data: Collection[RepoPath], options: DagOptions
) -> list[Node]:
    """Return what a user means by `text`."""
    path = RepoPath(graphs.seen_from(pipelines.here(repo), text).removesuffix(POINTER_SUFFIX))
    if path in data:
        return [Node(path if options.outs else path + POINTER_SUFFIX, "data")]
    if options.outs and path in graph.producer:
        return [Node(path, "output")]
    stages = [graph.stages[i] for i in graphs.find(graph, text, pipelines.here(repo))]
    if options.outs:
        return [Node(out.path, "output") for stage in stages for out in stage.outs]
    return [drawing.node(stage, collapse=options.collapse) for stage in stages]
