"""What is timed over pipelines, how often, and the bars for datavc."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench_pipeline_stages import Stage, diamond, independent

MANY = 300
"""With more stages DVC is not run from nothing: it takes minutes, and grows with the square."""
TURNS, FEW = 5, 2


@dataclass(frozen=True, slots=True)
class Step:
    """A row of the table; `line` is the field of Program with the line that is timed.

    `begins` makes a fresh home for each sample; `changes` the first input before each. The bars:
    `faster` than DVC, by number of stages; `seconds` at most; `ms_a_stage`, on top of its command.
    """

    name: str
    title: str
    line: str = "repro"
    begins: bool = False
    changes: bool = False
    faster: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    ms_a_stage: float = 0.0


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages, and the steps over them, the first of which runs all."""

    stages: list[Stage]
    steps: tuple[Step, ...]

    @property
    def many(self) -> bool:
        """Whether DVC is not run from nothing."""
        return len(self.stages) > MANY

    def wanted(self, only: frozenset[str]) -> list[Step]:
        """Return the steps that are asked for, which is all of them if none is named."""
        return [step for step in self.steps if not only or step.name in only]

    def turns(self, step: Step, name: str) -> int:
        """Return how often a program takes a step: seldom if two of three make it long."""
        long = self.many + step.begins + (name == "dvc")
        return (TURNS, TURNS, FEW, 0)[long]


def _from_nothing(*, many: bool) -> Step:
    title = "`repro` from nothing, one at a time"
    if many:
        return Step("scratch", title, begins=True, ms_a_stage=10)
    return Step("scratch", title, begins=True, faster={100: 25})


THEN = (
    Step("nothing", "`repro`, nothing to do", faster={100: 9, 1000: 35}),
    Step("changed", "`repro`, one input changed", changes=True, faster={100: 8, 1000: 25}),
    Step("status", "`status`, nothing changed", "status", faster={100: 5, 1000: 12}),
)
DIAMOND = Step(
    "diamond",
    "`repro -j 8`: a source, eight stages that sleep a second, their join",
    "parallel",
    begins=True,
    seconds=1.35,
)


def pipelines(counts: list[int]) -> list[Pipeline]:
    """Return what is timed: as many independent stages each, and a diamond."""
    plain = [
        Pipeline(independent(count), (_from_nothing(many=count > MANY), *THEN)) for count in counts
    ]
    return [*plain, Pipeline(diamond(8), (DIAMOND,))]
