"""How datavc alone grows: the same steps over some files, ten and a hundred times as many."""

from __future__ import annotations

from pathlib import Path

from bench_data import Digests, write_small
from bench_run import Samples, run_part
from bench_steps import COMMIT, Part, Step
from bench_table import duration

MEAN_SIZE = 1024
"""Bytes: a million files and their objects are to fit into memory."""
STEPS = (
    Step("add", "`add`", "$T add -q data", before="mv ../../source/v1 data"),
    Step("add-again", "`add` again, nothing changed", "$T add -q data"),
    Step(
        "status",
        "`status`, nothing changed",
        "$T status",
        before=f"{COMMIT} v1; git tag v1",
    ),
    Step(
        "status-one",
        "`status`, one file changed",
        "$T status",
        before="printf changed >data/00/0000000.bin",
    ),
    Step("add-one", "`add`, one file changed", "$T add -q data"),
    Step(
        "switch",
        "`git checkout`, one file changed, data moved by the hook",
        "git checkout -q v1",
        before=f"{COMMIT} v2; git tag v2",
        leaves="v1",
    ),
    Step(
        "gc",
        "`gc`, one version of the directory goes",
        "$T -c gc.grace=0 gc -q -w -f --unpushed --expire-undo",
    ),
)


def measure(count: int, program: str, base: Path, only: frozenset[str]) -> str:
    """Run the steps for three sizes; return the Markdown table."""
    sizes = [count * factor for factor in (1, 10, 100)]
    samples = [run_part(_part(size), {"datavc": program}, base, {}, only) for size in sizes]
    names = " | ".join(f"{size:,} files" for size in sizes)
    head = [f"| work | {names} | growth | peak memory, MiB |", "|---|---:|---:|---:|---|---:|"]
    steps = [step for step in STEPS if samples[0][step.name, "datavc"]]
    return "\n".join(head + [_row(step, samples) for step in steps])


def _part(count: int) -> Part:
    def write(folder: Path) -> dict[str, Digests]:
        return write_small(folder, count, MEAN_SIZE)

    return Part(frozenset(), f"{count:,} files", count, 1, STEPS, write)


def _row(step: Step, samples: list[Samples]) -> str:
    taken = [each[step.name, "datavc"][0] for each in samples]
    times = " | ".join(duration(one.seconds) for one in taken)
    growth = ", ".join(
        f"{after.seconds / before.seconds:.1f}×"
        for before, after in zip(taken, taken[1:], strict=False)
    )
    peaks = " / ".join(f"{one.mib:.0f}" for one in taken)
    return f"| {step.title} | {times} | {growth} | {peaks} |"
