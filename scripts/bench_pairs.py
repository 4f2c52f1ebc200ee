"""Times two tools at the same steps, in turns, and compares what they leave with what must be.

Each cycle gives both a fresh workspace. Steps that change nothing are repeated within a cycle.
A step is one process (or one shell line), timed from outside; dirty pages are flushed before it.
The ratio is the median over pairs, each of two neighbouring samples. A tool that fails, or leaves
other bytes than it must, ends the run.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median

MEAN_SIZE = 4096
"""Bytes; sizes are spread evenly between half of it and one and a half."""
REPEATS = 3
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
PAGE = f"""# Benchmarks

datavc and DVC side by side, written by `scripts/bench`: a step is a whole process, both tools take
turns at it, and what they leave is compared with what must be there.

{BEGIN}
{END}
"""


@dataclass(frozen=True, slots=True)
class Tool:
    """One program in its own folder; `env` keeps it away from the user's files."""

    name: str
    home: Path
    env: dict[str, str]

    def sh(self, line: str, where: str = "work") -> float:
        """Run a shell line, in which `$T` is the program; return its seconds."""
        os.sync()
        begin = time.perf_counter()
        done = subprocess.run(
            line,
            shell=True,
            cwd=self.home / where,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - begin
        if done.returncode:
            sys.exit(f"{self.name}: {line}: exit code {done.returncode}\n{done.stderr}")
        return seconds


@dataclass(frozen=True, slots=True)
class Step:
    """A row of the table. `before` is not timed; `leaves` names the version that must be there."""

    title: str
    line: str
    before: str = ""
    where: str = "work"
    leaves: str = ""
    repeats: int = 1


STEPS = (
    Step("`--version`", "$T --version", repeats=5 * REPEATS),
    Step("status, nothing tracked", "$T status", repeats=REPEATS),
    Step("add", "$T add -q data", before="cp -r ../../v1 data"),
    Step("add again, nothing changed", "$T add -q data", repeats=REPEATS),
    Step(
        "status, nothing changed", "$T status", before="git add -A; git commit -qm v1; git tag v1"
    ),
    Step("status, nothing changed, again", "$T status", repeats=REPEATS),
    Step("status, 1 % changed", "$T status", before="cp -r ../../change/. data", repeats=REPEATS),
    Step("add, 1 % changed", "$T add -q data"),
    Step(
        "`git checkout` to the other version, with its data",
        "git checkout -q v1 && $T checkout -q",
        before="git add -A; git commit -qm v2; git tag v2",
        leaves="v1",
    ),
    Step("`git checkout` back", "git checkout -q main && $T checkout -q", leaves="v2"),
    Step("checkout, data folder gone", "$T checkout -q", before="rm -rf data", leaves="v2"),
    Step("push to a folder", "$T push -q", before="$T remote add -q -d far ../far"),
    Step("push again", "$T push -q", repeats=REPEATS),
    Step(
        "pull into a fresh clone",
        "$T pull -q",
        before="git add -A; git commit -qm far; git clone -q . ../clone",
        where="clone",
        leaves="v2",
    ),
)


def write_data(folder: Path, count: int) -> None:
    """Write `v1`, `change` (1 % of its files, new bytes) and `v2`, the same for equal counts."""
    source = random.Random(count)
    for number in range(count):
        name = Path(f"{number % 100:02}", f"{number:07}.bin")
        size = source.randrange(MEAN_SIZE // 2, MEAN_SIZE * 3 // 2)
        for version in ("v1", "change") if number % 100 == 0 else ("v1",):
            file = folder / version / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(source.randbytes(size))
    shutil.copytree(folder / "v1", folder / "v2")
    shutil.copytree(folder / "change", folder / "v2", dirs_exist_ok=True)


def fingerprint(folder: Path) -> str:
    """Return a digest of all paths and bytes below a folder."""
    total = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(f"{file.relative_to(folder)}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def prepare(name: str, program: str, base: Path) -> Tool:
    """Return the tool with an empty repository in `base/NAME/work`."""
    home = base / name
    (home / "work").mkdir(parents=True)
    identity = {
        f"GIT_{who}_{what}": "bench@example.invalid"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    env = {
        "T": name,
        "PATH": f"{os.path.dirname(os.path.abspath(program))}:{os.environ['PATH']}",
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(home / "site"),
        "DATAVC_TRUST": "1",
        **identity,
    }
    tool = Tool(name, home, env)
    tool.sh("git init -q -b main && $T init -q && git add -A && git commit -qm begin")
    return tool


def cycle(tools: list[Tool], base: Path, samples: dict[tuple[str, str], list[float]]) -> None:
    """Take both tools through all steps and append their seconds to `samples`."""
    for step in STEPS:
        for tool in tools:
            if step.before:
                tool.sh(step.before)
        for turn in range(step.repeats):
            for tool in tools if turn % 2 == 0 else reversed(tools):
                samples[step.title, tool.name].append(tool.sh(step.line, step.where))
        for tool in tools if step.leaves else ():
            if fingerprint(tool.home / step.where / "data") != fingerprint(base / step.leaves):
                sys.exit(f"{tool.name}: {step.title}: other bytes than those of {step.leaves}")


def table(samples: dict[tuple[str, str], list[float]], heading: str) -> str:
    """Return the Markdown table: medians in seconds, and the median of the pairs' ratios."""
    lines = [heading, "", "| step | DVC | datavc | DVC / datavc |", "|---|---:|---:|---:|"]
    for step in STEPS:
        theirs, ours = samples[step.title, "dvc"], samples[step.title, "datavc"]
        ratio = median(a / b for a, b in zip(theirs, ours, strict=True))
        times = f"{median(theirs):.3f} s | {median(ours):.3f} s"
        lines.append(f"| {step.title} | {times} | {ratio:.1f} |")
    return "\n".join(lines)


def put_into(page: Path, text: str) -> None:
    """Replace what stands between the markers of a page; a page that is not there is begun."""
    old = page.read_text() if page.exists() else PAGE
    head, _, rest = old.partition(BEGIN)
    _, marker, tail = rest.partition(END)
    if not marker:
        sys.exit(f"{page} has no line {BEGIN} followed by {END}")
    page.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}")


def version(program: str) -> str:
    """Return the number that a program's --version ends with."""
    return subprocess.check_output([program, "--version"], text=True).split()[-1]


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dvc", required=True)
    parser.add_argument("--datavc", required=True)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--cycles", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    programs = {"dvc": options.dvc, "datavc": options.datavc}
    samples: dict[tuple[str, str], list[float]] = defaultdict(list)
    place = os.environ.get("BENCH_WORK")
    with tempfile.TemporaryDirectory(prefix="datavc-bench-", dir=place) as folder:
        base = Path(folder)
        write_data(base, options.files)
        for number in range(options.cycles):
            tools = [prepare(name, programs[name], base) for name in programs]
            cycle(tools if number % 2 == 0 else tools[::-1], base, samples)
            for tool in tools:
                subprocess.run(["chmod", "-R", "u+w", tool.home], check=True)
                shutil.rmtree(tool.home)
            print(f"cycle {number + 1} of {options.cycles} done", file=sys.stderr)
    heading = (
        f"{options.files:,} files of {MEAN_SIZE // 1024} KiB on average, medians of"
        f" {options.cycles} cycles; DVC {version(options.dvc)}, datavc {version(options.datavc)},"
        f" Python {platform.python_version()}, {platform.system()} {platform.release()},"
        f" {os.cpu_count()} processors."
    )
    text = table(samples, heading)
    print(text)
    if options.out:
        put_into(options.out, text)


if __name__ == "__main__":
    main()
