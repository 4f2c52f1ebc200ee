"""Times datavc beside DVC at what people do every day, and prints the table of it.

A step is one process, or one shell line, timed from outside; dirty pages are flushed before it.
The tools take turns, and ratios are medians over pairs of neighbouring samples.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from bench_data import MEAN_SIZE
from bench_million import MEAN_SIZE as MEAN_OF_A_MILLION
from bench_million import STEPS, measure
from bench_run import run_part, wanted
from bench_steps import Part, parts
from bench_table import HEAD, Row, put_into, row
from bench_tools import HERE, version, work_folder

from tests.support import s3

ROOM = 12 << 30
"""Bytes that the largest part takes, with 10,000 files as the smallest size."""


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Times datavc beside DVC and prints a Markdown table. Alone on a quiet machine"
        " with 2 processors the whole takes about 20 minutes, and 12 GiB in BENCH_WORK,"
        " which is /dev/shm where that has the room. With --pipeline it times pipelines instead,"
        " beside DVC, make and doit: see scripts/bench --pipeline --help.",
        epilog="example: scripts/bench --files 1000 --without 10000,s3 --only add,status,switch",
    )
    parser.add_argument("--dvc", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--datavc", required=True, help=argparse.SUPPRESS)
    parser.add_argument(
        "--files",
        type=int,
        default=10_000,
        metavar="N",
        help="of the smaller size (%(default)s, as the bars ask); the other is ten times it",
    )
    parser.add_argument(
        "--cycles",
        type=int,
        default=3,
        metavar="N",
        help="fresh workspaces for each tool (%(default)s); one with the many files and with S3",
    )
    parser.add_argument(
        "--only", type=_words, default="", metavar="STEP,…", help="time these steps alone"
    )
    parser.add_argument(
        "--without",
        type=_words,
        default="",
        metavar="PART,…",
        help="leave out s3, large, or a number of files",
    )
    parser.add_argument(
        "--million",
        action="store_true",
        help="instead: datavc alone with --files, ten and a hundred times as many",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="put the table between the markers of this page"
    )
    parser.add_argument("--draw", type=Path, metavar="FILE.svg", help="draw the table")
    found = parser.parse_args()
    if found.million and (found.draw or found.without):
        parser.error("--million goes neither with --draw nor with --without")
    known = parts(found.files, found.cycles)
    _check_words(parser, found.without, {word for part in known for word in part.needs})
    steps = STEPS if found.million else tuple(step for part in known for step in part.steps)
    _check_words(parser, found.only, {step.name for step in steps})
    return found


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split(",")) - {""}


def _check_words(parser: argparse.ArgumentParser, given: frozenset[str], known: set[str]) -> None:
    if unknown := given - known:
        parser.error(f"no {', '.join(sorted(unknown))}; there is {', '.join(sorted(known))}")


@contextlib.contextmanager
def s3_server(folder: Path, *, needed: bool) -> Iterator[dict[str, str]]:
    """Serve an empty bucket, if needed, and yield the environment in which it is found."""
    if not needed:
        yield {}
        return
    server = s3.start(folder)
    try:
        server.make_bucket("bench")
        yield {
            "S3_ENDPOINT": server.endpoint,
            "AWS_ACCESS_KEY_ID": server.key,
            "AWS_SECRET_ACCESS_KEY": server.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    finally:
        server.stop()


def compare(
    chosen: list[Part], programs: dict[str, str], base: Path, only: frozenset[str]
) -> list[Row]:
    """Run the parts and return the rows."""
    rows = []
    with s3_server(base / "s3", needed=any("s3" in part.needs for part in chosen)) as address:
        for part in chosen:
            env = address | {"PART": str(part.count)}
            samples = run_part(part, programs, base, env, only)
            rows += [row(part, step, samples) for step in wanted(part.steps, only)]
    return rows


def heading(given: argparse.Namespace, place: str | None) -> str:
    """Return what was measured, on what and when."""
    if given.million:
        what = f"Files of {MEAN_OF_A_MILLION // 1024} KiB on average, one sample of each step"
        programs = f"datavc {version(given.datavc)}"
    else:
        what = (
            f"Files of {MEAN_SIZE // 1024} KiB on average, medians over pairs of neighbours;"
            f" {given.cycles} fresh workspaces for each tool, one for ten times the files and for"
            " S3; steps that change nothing are repeated in each; both tools have their hooks"
            " installed; S3 is SeaweedFS on loopback; memory is DVC's / datavc's"
        )
        programs = f"DVC {version(given.dvc)}, datavc {version(given.datavc)}"
    machine = f"{platform.system()} {platform.release()}, {os.cpu_count()} processors"
    where = "memory" if place == "/dev/shm" else place or "a temporary folder"
    python = platform.python_version()
    return f"{what}. {programs}, Python {python}, {machine}, in {where}, {date.today()}."


def draw(rows: list[Row], file: Path, python: Path) -> None:
    """Draw with the Python that has what that takes: DVC's, which scripts/bench made."""
    values = [{"work": each.work.replace("`", "")} | _marks(each) for each in rows]
    command = [python, HERE / "bench_draw.py", file]
    subprocess.run(command, input=json.dumps(values), text=True, check=True)


def _marks(each: Row) -> dict[str, float]:
    return {"times": each.times, "needed": each.needed}


def main() -> None:
    """Measure, print, and write where asked."""
    given = options()
    place = work_folder(ROOM * given.files // 10_000)
    with tempfile.TemporaryDirectory(prefix="datavc-bench-", dir=place) as folder:
        if given.million:
            table = measure(given.files, given.datavc, Path(folder), given.only)
        else:
            chosen = [
                part
                for part in parts(given.files, given.cycles)
                if not part.needs & given.without and wanted(part.steps, given.only)
            ]
            programs = {"dvc": given.dvc, "datavc": given.datavc}
            rows = compare(chosen, programs, Path(folder), given.only)
            table = "\n".join([HEAD, *(each.text for each in rows)])
    text = f"{heading(given, place)}\n\n{table}"
    print(text)
    if given.out:
        put_into(given.out, text, "bench million" if given.million else "bench")
    if given.draw and not given.million:
        draw(rows, given.draw, Path(given.dvc).parent / "python")


if __name__ == "__main__":
    main()
