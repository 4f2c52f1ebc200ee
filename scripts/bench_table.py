"""Turns samples into rows, and rows into the Markdown table of a page."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench_run import LIMIT, Samples
from bench_steps import ANY, Limit, Part, Step
from bench_tools import Sample

PAGE = """# Benchmarks

datavc beside DVC, written by `scripts/bench`: a step is a whole process, the tools take turns at
it, and what they leave is compared with what must be there.

<!-- bench: begin -->
<!-- bench: end -->

<!-- bench pipeline: begin -->
<!-- bench pipeline: end -->

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
    if step.limit:
        needed, bar = _bar_beside(step.limit, times, ours, samples[step.name, LIMIT])
    else:
        needed = step.faster.get(ANY) or step.faster.get(part.count, 0.0)
        bar = f"≥ {needed:g}×, {_verdict(times >= needed)}" if needed else ""
    return Row(
        step.title if step.once else f"{step.title}, {part.size}",
        _middle(theirs),
        _middle(ours),
        times,
        needed,
        bar,
        _memory(theirs, ours, step.mib.get(part.count)),
    )


def _bar_beside(
    limit: Limit, times: float, ours: list[Sample], bare: list[Sample]
) -> tuple[float, str]:
    """Return what the bar beside bare tools comes to as times faster than DVC, and its cell."""
    beside = f"{limit.name} ({duration(_middle(bare))})"
    if limit.on_top_ms:
        extra = 1000 * _over_pairs(ours, bare, lambda a, b: a - b)
        now = 1000 * _middle(ours)
        needed = times * now / (now - extra + limit.on_top_ms)
        text = f"≤ {limit.on_top_ms:g} ms on top of {beside}: {extra:.0f} ms"
        return needed, f"{text}, {_verdict(extra <= limit.on_top_ms)}"
    factor = _over_pairs(ours, bare, lambda a, b: a / b)
    text = f"≤ {limit.within:g}× {beside}: {factor:.2f}×"
    return times * factor / limit.within, f"{text}, {_verdict(factor <= limit.within)}"


def _middle(samples: list[Sample]) -> float:
    return median(one.seconds for one in samples)


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
