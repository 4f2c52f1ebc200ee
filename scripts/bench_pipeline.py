"""Times datavc beside DVC, make and doit at pipelines, and prints the table of it.

A step is one process, timed from outside, as in bench_pairs.py; the programs take turns.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import tempfile
from datetime import date
from pathlib import Path

from bench_pipeline_run import run_pipeline
from bench_pipeline_steps import FEW, MANY, TURNS, pipelines
from bench_pipeline_table import HEAD, row
from bench_table import put_into
from bench_tools import work_folder

ROOM = 1 << 30
"""Bytes that four homes with a thousand stages take, many times over."""
PROGRAMS = ("dvc", "datavc", "make", "doit")


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench --pipeline",
        description="Times datavc beside DVC, make and doit at pipelines and prints a Markdown"
        " table. Alone on a quiet machine with 2 processors it takes about 5 minutes.",
        epilog="example: scripts/bench --pipeline --counts 100 --only nothing,status",
    )
    for name in PROGRAMS:
        parser.add_argument(f"--{name}", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--pipeline", action="store_true", help="what chooses this benchmark")
    parser.add_argument(
        "--counts",
        type=lambda text: [int(word) for word in text.split(",")],
        default="100,1000",
        metavar="N,…",
        help="numbers of stages (%(default)s, as the bars ask)",
    )
    parser.add_argument(
        "--only",
        type=lambda text: frozenset(text.split(",")) - {""},
        default="",
        metavar="STEP,…",
        help="time these steps alone: scratch, nothing, changed, status, diamond",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="put the table between the markers of this page"
    )
    found = parser.parse_args()
    known = {step.name for each in pipelines(found.counts) for step in each.steps}
    if unknown := found.only - known:
        parser.error(f"no {', '.join(sorted(unknown))}; there is {', '.join(sorted(known))}")
    return found


def heading(programs: dict[str, str], place: str | None) -> str:
    """Return what was measured, on what and when."""
    what = (
        "Stages of one `cp`, one input and one output each, that do not depend on each other;"
        f" medians of {TURNS} samples, or of {FEW} where a sample is long, and over pairs of"
        f" neighbours; from nothing is a fresh repository each time, where DVC, with over {MANY}"
        " stages, is not run, as it takes minutes and grows with the square: its lock file is"
        " written by hand for the rows after that; DVC runs the diamond one stage after the other"
    )
    versions = ", ".join(
        f"{name} {_version(program)}" for name, program in programs.items() if name != "dvc"
    )
    where = "memory" if place == "/dev/shm" else place or "a temporary folder"
    machine = f"{platform.system()} {platform.release()}, {os.cpu_count()} processors, in {where}"
    tools = f"DVC {_version(programs['dvc'])}, {versions}, Python {platform.python_version()}"
    return f"{what}. {tools}, {machine}, {date.today()}."


def _version(program: str) -> str:
    """Return the number that the first line of a program's --version ends with."""
    said = subprocess.check_output([program, "--version"], text=True)
    return said.splitlines()[0].split()[-1]


def main() -> None:
    """Measure, print, and write where asked."""
    given = options()
    programs = {name: getattr(given, name) for name in PROGRAMS}
    place = work_folder(ROOM)
    lines = [HEAD]
    with tempfile.TemporaryDirectory(prefix="datavc-bench-", dir=place) as folder:
        for pipeline in pipelines(given.counts):
            if chosen := pipeline.wanted(given.only):
                samples = run_pipeline(pipeline, programs, Path(folder), given.only)
                lines += [row(pipeline, step, samples) for step in chosen]
    text = "\n".join([heading(programs, place), "", *lines])
    print(text)
    if given.out:
        put_into(given.out, text, "bench pipeline")


if __name__ == "__main__":
    main()
