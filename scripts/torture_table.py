"""Drives the tests of faults at their full length, and makes a table of what they report.

What is tried, and what must hold afterwards, stands in the tests alone: here they are chosen,
told how far to go (TORTURE_* and MUTATIONS), and their reports read.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

KILLS = "tests/crash/test_kills.py"
SUBJECTS: dict[str, tuple[str, ...]] = {
    "add": (KILLS, "-k", "r01 or r02"),
    "checkout": (KILLS, "-k", "r03"),
    "push": (KILLS, "-k", "r04"),
    "pull": (KILLS, "-k", "r05"),
    "gc": (KILLS, "-k", "r06"),
    "undo": (KILLS, "-k", "undo"),
    "hook": (KILLS, "-k", "r60"),
    "power": ("tests/crash/test_power.py",),
    "faults": ("tests/faults",),
    "mutations": ("tests/hostile/test_mutations.py",),
    "hostile": ("tests/hostile", "--ignore", "tests/hostile/test_mutations.py"),
    "network": ("tests/network",),
}
PAGE = Path("datavc/docs/reliability.md")
BEGIN, END = "<!-- torture: begin -->", "<!-- torture: end -->"
PATIENCE_S = 30
"""Seconds that one kill may take with all its checks before a test counts as hung."""


@dataclass(slots=True)
class Row:
    """What is known of one test, over all its cases."""

    bars: str
    title: str
    cases: int = 0
    skipped: int = 0
    failed: int = 0
    seconds: float = 0.0
    figures: list[str] = field(default_factory=list)

    @property
    def result(self) -> str:
        """How it ended, in a word."""
        if self.failed:
            return f"**{self.failed} of {self.cases} failed**"
        if self.skipped == self.cases:
            return "skipped"
        return "held" if not self.skipped else f"held, {self.skipped} skipped"

    @property
    def many(self) -> str:
        """How much was tried: figures of equal words are added up."""
        sums: dict[str, int] = {}
        for figure in self.figures:
            number, words = re.match(r"([\d,]*) *(.*)", figure).groups()  # type: ignore[union-attr]
            sums[words] = sums.get(words, 0) + int(number.replace(",", "") or 1)
        if sums:
            return "; ".join(f"{number:,} {words}" for words, number in sums.items())
        return "1 case" if self.cases == 1 else f"{self.cases:,} cases"


def arguments() -> argparse.Namespace:
    """Return what was asked for."""

    def subjects(text: str) -> list[str]:
        chosen = text.split(",")
        if not set(chosen) <= SUBJECTS.keys():
            raise argparse.ArgumentTypeError(f"choose from {', '.join(SUBJECTS)}")
        return chosen

    parser = argparse.ArgumentParser(prog="scripts/torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, metavar="N")
    parser.add_argument("--files", type=int, default=2000, metavar="N")
    parser.add_argument("--mutations", type=int, default=5000, metavar="N")
    parser.add_argument("--only", type=subjects, default=list(SUBJECTS), metavar="A,B")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def run(subject: str, asked: argparse.Namespace, work: Path) -> list[ElementTree.Element]:
    """Run the tests of one subject, showing how far they are; return their reports."""
    report, told, log = (work / f"{subject}.{kind}" for kind in ("xml", "told", "log"))
    told.touch()
    environment = os.environ | {
        "TORTURE_KILLS": str(asked.kills),
        "TORTURE_FILES": str(asked.files),
        "TORTURE_SHARDS": str(asked.jobs),
        "TORTURE_TOLD": str(told),
        "MUTATIONS": str(asked.mutations),
    }
    command = [sys.executable, "-m", "pytest", *SUBJECTS[subject], f"--junitxml={report}"]
    command += [
        f"--numprocesses={asked.jobs}",
        f"--basetemp={work / subject}",
        "--color=no",
        "--tb=short",
    ]
    command += [f"--timeout={600 + PATIENCE_S * asked.kills}", "-p", "no:cacheprovider"]
    command += ["-o", "tmp_path_retention_policy=failed", "-o", "junit_family=xunit1"]
    began = time.monotonic()
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=environment, stdout=output, stderr=output) as tests,
    ):
        try:
            while tests.poll() is None:
                time.sleep(0.5)
                show(subject, told.stat().st_size, time.monotonic() - began)
        except BaseException:
            tests.send_signal(signal.SIGINT)  # it ends its workers
            raise
    show(subject, told.stat().st_size, time.monotonic() - began, last=True)
    if tests.returncode not in (0, 5):
        sys.stderr.write(log.read_text(errors="replace"))
    if not report.is_file():
        sys.exit(f"torture: the tests of {subject} did not run")
    return list(ElementTree.parse(report).iter("testcase"))


def show(subject: str, count: int, seconds: float, *, last: bool = False) -> None:
    """Say on the terminal how far the tests of a subject are; elsewhere only at their end."""
    if last or sys.stderr.isatty():
        begin, end = ("\r", "\n" if last else "") if sys.stderr.isatty() else ("", "\n")
        done = f"{count:,} kills or mutations, " if count else ""
        print(f"{begin}{subject}: {done}{clock(seconds)} ", end=end, file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """Return a time in minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def known_bars(page: str) -> dict[str, str]:
    """Return the bars by the test that the page names for them."""
    found: dict[str, list[str]] = {}
    for bar, cells in re.findall(r"^\| (R\d\d) \|(.*)$", page, re.MULTILINE):
        for name in re.findall(r"`(test_\w+)`", cells):
            found.setdefault(name, []).append(bar)
    return {name: ", ".join(bars) for name, bars in found.items()}


def rows(cases: Sequence[ElementTree.Element], bars: dict[str, str]) -> list[Row]:
    """Return a row for each test that has a bar or tells a figure, and one a file for the rest."""
    found: dict[str, Row] = {}
    for case in cases:
        name = case.get("name", "").partition("[")[0]
        file = case.get("file", "").removeprefix("tests/")
        properties = case.iter("property")
        figures = [one.get("value", "") for one in properties if one.get("name") == "figure"]
        if name in bars or figures:
            title = re.sub(r"^test_(r\d\d_)*", "", name).replace("_", " ")
            row = found.setdefault(f"{file} {name}", Row(bars.get(name, ""), title))
        else:
            row = found.setdefault(file, Row("", f"others in `{file}`"))
        row.cases += 1
        row.seconds += float(case.get("time", "0"))
        row.skipped += case.find("skipped") is not None
        row.failed += case.find("failure") is not None or case.find("error") is not None
        row.figures += figures
    return sorted(found.values(), key=lambda row: (row.bars or "S", row.title))


def table(found: Sequence[Row], asked: argparse.Namespace, where: str) -> Iterator[str]:
    """Yield the lines of the table, and before them how it was made."""
    command = f"scripts/torture --kills {asked.kills} --files {asked.files}"
    command += f" --mutations {asked.mutations}"
    if len(asked.only) < len(SUBJECTS):
        command += f" --only {','.join(asked.only)}"
    yield f"`{command}`"
    yield f"on {time.strftime('%Y-%m-%d')}: {platform.system()}, Python"
    yield f"{platform.python_version()}, {asked.jobs} tests at once, {where}."
    yield ""
    yield "| bar | what was done | how many | result | time |"
    yield "|---|---|---|---|---|"
    for row in found:
        yield f"| {row.bars} | {row.title} | {row.many} | {row.result} | {clock(row.seconds)} |"


def main() -> None:
    """Run what was asked for; exit with 1 if anything did not hold."""
    asked = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    memory = Path("/dev/shm")
    base = os.environ.get("TORTURE_WORK") or (str(memory) if os.access(memory, os.W_OK) else None)
    work = Path(tempfile.mkdtemp(prefix="datavc-torture-", dir=base))
    cases: list[ElementTree.Element] = []
    try:
        for subject in asked.only:
            cases += run(subject, asked, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    page = PAGE.read_text()
    found = rows(cases, known_bars(page))
    lines = list(table(found, asked, "in memory" if base == str(memory) else f"in {work.parent}"))
    print("\n".join(lines))
    if asked.write:
        before, _, rest = page.partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text("\n".join([f"{before}{BEGIN}", *lines, f"{END}{after}"]))
    sys.exit(any(row.failed for row in found))


if __name__ == "__main__":
    main()
