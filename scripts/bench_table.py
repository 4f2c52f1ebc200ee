"""Turns samples into rows, and rows into the Markdown table of a page."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench_run import LIMIT, Samples
from bench_steps import ANY, Part, Step
from bench_tools import Sample

PAGE = """# Benchmarks

datavc beside DVC, written by `scripts/bench`: a step is a whole process, the tools take turns at
it, and what they leave is compared with what must be there.

<!-- bench: begin -->
<!-- bench: end -->

<!-- bench million: begin -->
<!-- bench million: end -->
"""
HEAD = """\
| work | DVC | datavc | times faster | bar | peak memory, MiB |
|---|---:|---:|---:|---|---:|"""


class Row(NamedTuple):
    """A line of the table. `needed` is the bar as times faster than DVC, 0 if there is none."""

    work: str
    theirs: float
    ours: float
    times: float
    needed: float
    bar: str
    memory: str

    @property
    def text(self) -> str:
        """The Markdown of it."""
        cells = (self.work, duration(self.theirs), duration(self.ours))
        return f"| {' | '.join(cells)} | {self.times:.1f}× | {self.bar} | {self.memory} |"


def row(part: Part, step: Step, samples: Samples) -> Row:
    """Return a step's row: medians, and medians over the pairs of neighbouring samples."""
    theirs, ours = samples[step.name, "dvc"], samples[step.name, "datavc"]
    times = _over_pairs(theirs, ours, lambda a, b: a / b)
    middle = median(one.seconds for one in theirs)
    needed, bar = _bar(step, part.count, times, ours, samples[step.name, LIMIT])
    if step.limit:
        needed = middle / needed
    return Row(
        step.title if step.once else f"{step.title}, {part.size}",
        middle,
        median(one.seconds for one in ours),
        times,
        needed,
        bar,
        _memory(theirs, ours, step.mib.get(part.count)),
    )


def _bar(
    step: Step, count: int, times: float, ours: list[Sample], bare: list[Sample]
) -> tuple[float, str]:
    """Return the bar as a number, times or seconds, and the cell that says whether it is met."""
    if step.limit is None:
        least = step.faster.get(ANY) or step.faster.get(count, 0.0)
        return least, f"≥ {least:g}×, {_verdict(times >= least)}" if least else ""
    name, middle = step.limit.name, median(one.seconds for one in bare)
    if step.limit.on_top_ms:
        extra = 1000 * _over_pairs(ours, bare, lambda a, b: a - b)
        most = step.limit.on_top_ms
        text = f"≤ {most:g} ms on top of {name} ({duration(middle)}): {extra:.0f} ms"
        return middle + most / 1000, f"{text}, {_verdict(extra <= most)}"
    factor, most = _over_pairs(ours, bare, lambda a, b: a / b), step.limit.within
    text = f"≤ {most:g}× {name} ({duration(middle)}): {factor:.2f}×"
    return middle * most, f"{text}, {_verdict(factor <= most)}"


def _over_pairs(
    ones: list[Sample], others: list[Sample], compare: Callable[[float, float], float]
) -> float:
    pairs = zip(ones, others, strict=True)
    return median(compare(one.seconds, other.seconds) for one, other in pairs)


def _memory(theirs: list[Sample], ours: list[Sample], most: float | None) -> str:
    peak = max(one.mib for one in ours)
    text = f"{max(one.mib for one in theirs):.0f} / {peak:.0f}"
    return f"{text} (≤ {most:g}, {_verdict(peak <= most)})" if most else text


def _verdict(met: bool) -> str:
    return "met" if met else "**missed**"


def duration(seconds: float) -> str:
    """Return a time with three digits."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def put_into(page: Path, text: str, name: str) -> None:
    """Replace what stands between the markers `name` of a page; a new page is begun."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    old = page.read_text() if page.exists() else PAGE
    head, _, rest = old.partition(begin)
    _, marker, tail = rest.partition(end)
    if not marker:
        sys.exit(f"{page} has no line {begin} followed by {end}")
    page.write_text(f"{head}{begin}\n{text}\n{end}{tail}")
