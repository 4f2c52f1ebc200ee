"""Takes the tools through the steps of a part, in turns, and looks at what they leave.

Each cycle gives every tool a fresh workspace. A tool that fails, or leaves other bytes than it
must, ends the benchmark.
"""

from __future__ import annotations

import shutil
import sys
from collections import defaultdict
from pathlib import Path

from bench_data import Digests, digests
from bench_steps import Part, Step
from bench_tools import Sample, Tool, prepare

LIMIT = "limit"
Samples = dict[tuple[str, str], list[Sample]]
"""By the names of step and tool, in the order of the turns."""


def wanted(steps: tuple[Step, ...], only: frozenset[str]) -> tuple[Step, ...]:
    """Return the steps that are asked for, which is all of them if none is named."""
    return tuple(step for step in steps if not only or step.name in only)


def run_part(
    part: Part, programs: dict[str, str], base: Path, env: dict[str, str], only: frozenset[str]
) -> Samples:
    """Time the wanted steps of a part; what leads up to them is done, and not kept."""
    chosen = wanted(part.steps, only)
    before = part.steps[: part.steps.index(chosen[-1]) + 1]
    expected = part.write(base / "source")
    samples: Samples = defaultdict(list)
    for number in range(part.cycles):
        tools = [prepare(name, programs[name], base, env) for name in programs]
        for step in before:
            print(f"  {part.size}, cycle {number + 1}: {step.name}", file=sys.stderr)
            _take(step, tools[:: 1 if number % 2 == 0 else -1], samples, keep=step in chosen)
            _check(step, tools, expected)
        for tool in tools:
            tool.remove()
    shutil.rmtree(base / "source")
    return samples


def _take(step: Step, tools: list[Tool], samples: Samples, *, keep: bool) -> None:
    for tool in tools:
        if step.before:
            tool.sh(step.before)
    turns = step.repeats if keep else int(step.repeats == 1)
    for turn in range(turns):
        for tool in tools[:: 1 if turn % 2 == 0 else -1]:
            taken = tool.sh(step.line, step.where)
            if keep:
                samples[step.name, tool.name].append(taken)
        if keep and step.limit:
            ours = next(tool for tool in tools if tool.name == "datavc")
            samples[step.name, LIMIT].append(ours.sh(step.limit.line, step.limit.where))


def _check(step: Step, tools: list[Tool], expected: dict[str, Digests]) -> None:
    for tool in tools if step.leaves else ():
        if digests(tool.home / step.where / "data") != expected[step.leaves]:
            sys.exit(f"{tool.name}: {step.title}: other bytes than those of {step.leaves}")
