"""Takes the programs through the steps over a pipeline, in turns, and looks at what they leave.

A program that fails, leaves other bytes than it must, or writes other outputs than it must, ends
the benchmark.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from bench_pipeline_stages import ALONE, PROGRAMS, begin, finish_by_hand, keep
from bench_pipeline_steps import TURNS, Pipeline, Step
from bench_run import LIMIT, Samples
from bench_tools import Sample, Tool

FIRST = "0001.txt"
Stamps = dict[str, tuple[int, int]]
"""Inode and time of change, by the name of an output."""


@dataclass(frozen=True, slots=True)
class _Course:
    """A pipeline, and the homes of those that have run it."""

    pipeline: Pipeline
    programs: dict[str, str]
    base: Path
    tools: dict[str, Tool] = field(default_factory=dict)

    def begin(self, name: str) -> Tool:
        """Return a tool in a fresh home."""
        if name in self.tools:
            self.tools.pop(name).remove()
        self.tools[name] = begin(name, self.programs[name], self.base, self.pipeline.stages)
        return self.tools[name]

    def take(self, step: Step, name: str, turn: int) -> Sample:
        """Return what one sample of a step took."""
        tool = self.begin(name) if step.begins else self.tools[name]
        if step.changes:
            (tool.home / "work/in" / FIRST).write_text(f"changed {turn}\n")
        before = _stamps(tool)
        taken = tool.sh(getattr(PROGRAMS[name], step.line))
        self._check(step, tool, before)
        if step.begins or step.changes:
            keep(tool)
        return taken

    def _check(self, step: Step, tool: Tool, before: Stamps) -> None:
        """End the benchmark if a step did too little or too much."""
        work = tool.home / "work"
        for stage in self.pipeline.stages:
            due = b"".join((work / dep).read_bytes() for dep in stage.deps)
            if (work / stage.out).read_bytes() != due:
                sys.exit(f"{tool.name}: {step.title}: {stage.out} is not what {stage.name} makes")
        if not step.begins:
            written = {each for each, stamp in _stamps(tool).items() if before[each] != stamp}
            if written != ({FIRST} if step.changes else set()):
                sys.exit(f"{tool.name}: {step.title}: {len(written)} outputs were written")


def _stamps(tool: Tool) -> Stamps:
    found = ((file.name, file.stat()) for file in (tool.home / "work/out").glob("*.txt"))
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in found}


def run_pipeline(
    pipeline: Pipeline, programs: dict[str, str], base: Path, only: frozenset[str]
) -> Samples:
    """Return the samples of the wanted steps, and of the one that leads up to them."""
    course = _Course(pipeline, programs, base)
    if pipeline.many:
        dvc = course.begin("dvc")
        finish_by_hand(dvc, pipeline.stages)
        keep(dvc)
    samples: Samples = defaultdict(list)
    chosen = pipeline.wanted(only)
    for step in pipeline.steps:
        turns = TURNS if step in chosen else int(step.begins)
        for turn in range(turns):
            print(f"  {len(pipeline.stages):,} stages: {step.name} {turn + 1}", file=sys.stderr)
            _take_turn(course, step, turn, samples)
    for tool in course.tools.values():
        tool.remove()
    return samples


def _take_turn(course: _Course, step: Step, turn: int, samples: Samples) -> None:
    for name in list(course.programs)[:: 1 if turn % 2 == 0 else -1]:
        asked = getattr(PROGRAMS[name], step.line)
        if asked and turn < course.pipeline.turns(step, name):
            samples[step.name, name].append(course.take(step, name, turn))
            if step.ms_a_stage and name == "datavc":
                samples[step.name, LIMIT].append(_alone(course.tools[name]))


def _alone(tool: Tool) -> Sample:
    """Return what the commands of the stages take with nothing around them."""
    tool.sh("mkdir -p ../alone/out && cp -r in ../alone")
    return tool.sh(ALONE, where="alone")
