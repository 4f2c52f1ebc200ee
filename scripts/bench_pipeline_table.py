"""Turns samples of pipelines into the Markdown table of the benchmarks page."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from bench_pipeline_steps import Pipeline, Step
from bench_run import LIMIT, Samples
from bench_table import duration
from bench_tools import Sample

HEAD = """\
| work | DVC | make | doit | datavc | faster than DVC | bar |
|---|---:|---:|---:|---:|---:|---|"""
COLUMNS = ("dvc", "make", "doit", "datavc")


def row(pipeline: Pipeline, step: Step, samples: Samples) -> str:
    """Return a step's row: medians, and the median over the pairs of DVC and datavc."""
    times = _times(samples[step.name, "dvc"], samples[step.name, "datavc"])
    title = step.title if step.seconds else f"{step.title}, {len(pipeline.stages):,} stages"
    return " | ".join(
        [
            f"| {title}",
            *(_cell(name, samples[step.name, name]) for name in COLUMNS),
            f"{times:.1f}×" if times else "",
            f"{_bar(pipeline, step, samples, times)} |",
        ]
    )


def _times(theirs: list[Sample], ours: list[Sample]) -> float:
    """Return the median over as many pairs as there are, 0 without any."""
    pairs = list(zip(theirs, ours, strict=False))
    return median(one.seconds / other.seconds for one, other in pairs) if pairs else 0.0


def _cell(name: str, samples: list[Sample]) -> str:
    """Return the median; all can be asked of DVC, but make has no status."""
    if samples:
        return duration(_middle(samples))
    return "not run, minutes" if name == "dvc" else "–"


def _middle(samples: Iterable[Sample]) -> float:
    return median(one.seconds for one in samples)


def _bar(pipeline: Pipeline, step: Step, samples: Samples, times: float) -> str:
    """Return the bar that counts for a step, and whether it is met."""
    ours = samples[step.name, "datavc"]
    if step.seconds:
        return f"≤ {duration(step.seconds)}, {_verdict(_middle(ours) <= step.seconds)}"
    if step.ms_a_stage:
        alone = samples[step.name, LIMIT]
        stage = 1000 / len(pipeline.stages)
        pairs = zip(ours, alone, strict=True)
        extra = stage * median(one.seconds - bare.seconds for one, bare in pairs)
        command = f"its command ({stage * _middle(alone):.1f} ms)"
        met = _verdict(extra <= step.ms_a_stage)
        return f"≤ {step.ms_a_stage:g} ms a stage on top of {command}: {extra:.1f} ms, {met}"
    needed = step.faster.get(len(pipeline.stages))
    return f"≥ {needed:g}×, {_verdict(times >= needed)}" if needed else ""


def _verdict(met: bool) -> str:
    return "met" if met else "**missed**"
