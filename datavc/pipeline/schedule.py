"""Schedule: how long a run would have taken with more stages at once. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from datavc.pipeline import graph as graphs
from datavc.pipeline.graph import Graph


def makespan(graph: Graph, seconds: Mapping[int, float], jobs: int) -> float:
    """Return the time (s) that the stages of `seconds` take, up to `jobs` at once.

    Longest chain first, as the runner starts them (list scheduling, Graham 1969); what they
    share besides is left out.
    """
    every = [seconds.get(index, 0.0) for index in range(len(graph.stages))]
    rank = graphs.critical(graph, every)
    left = {i: sum(need in seconds for need in set(graph.needs[i])) for i in seconds}
    ready = [(-rank[index], index) for index in seconds if not left[index]]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < jobs:
            _, index = heapq.heappop(ready)
            heapq.heappush(running, (now + seconds[index], index))
        now, index = heapq.heappop(running)
        for following in graph.needed_by[index]:
            if following in left:
                left[following] -= 1
                if not left[following]:
                    heapq.heappush(ready, (-rank[following], following))
    return now
