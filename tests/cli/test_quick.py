"""The way past the command line library understands what the library would, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from datavc.cli import quick
from datavc.cli.quick_table import TABLE
from tests.support.repo import Completed, RepoBuilder

ROOT = Path(__file__).parent.parent.parent


def test_the_table_is_what_the_commands_declare() -> None:
    made = subprocess.run(
        [sys.executable, "scripts/quick_table.py"], cwd=ROOT, capture_output=True, check=True
    )
    tidy = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", "datavc/cli/t.py", "-"],
        cwd=ROOT,
        input=made.stdout,
        capture_output=True,
        check=True,
    )
    assert (ROOT / "datavc/cli/quick_table.py").read_bytes() == tidy.stdout, (
        "`scripts/quick_table` writes it anew"
    )


@pytest.mark.parametrize(
    ("line", "parameters"),
    [
        ("status", {}),
        ("status --json -q", {"json": True, "quiet": True}),
        ("status a b --granular", {"granular": True, "targets": ["a", "b"]}),
        ("push -r backup --jobs 4", {"remote": "backup", "jobs": 4}),
        ("push --remote=backup -j 4", {"remote": "backup", "jobs": 4}),
        ("add a --desc=x=y", {"targets": ["a"], "desc": "x=y"}),
    ],
)
def test_plain_words_are_understood(line: str, parameters: dict[str, object]) -> None:
    name, *words = line.split()
    assert quick.parse(TABLE[name], words) == parameters


@pytest.mark.parametrize(
    "line",
    [
        "status --help",
        "status -h",
        "status --remote",
        "status -qv",
        "status -v",
        "status --jsn",
        "status --json=yes",
        "status -- a",
        "status -",
        "push -j 0",
        "push -j -1",
        "push -j four",
        "push -j",
        "push -j4",
        "push -j=4",
        "push -r=backup",
        f"push -j {'9' * 5000}",
        "push -r -q",
        "push --remote=",
        "add",
        "add --label one a",
        "diff a b",
    ],
)
def test_all_else_is_left_to_the_library(line: str) -> None:
    name, *words = line.split()
    assert quick.parse(TABLE[name], words) is None


@pytest.mark.parametrize(
    "line",
    [
        "status",
        "status --json",
        "status -q",
        "status data",
        "status nothing",
        "status --exit-code",
        "add data --dry-run",
        "checkout --summary",
        "commit --force --dry-run",
        "diff --json",
        "push",
        "push -r nowhere --json",
    ],
)
def test_both_ways_give_the_same_answer(repo: RepoBuilder, line: str) -> None:
    repo.write("data/a", "one")
    repo.run("add", "data")
    repo.commit("one")
    repo.write("data/b", "two")
    name, *words = line.split()
    assert quick.parse(TABLE[name], words) is not None

    ours = repo.run(*line.split(), check=False)
    theirs = repo.run("-c", "core.jobs=2", *line.split(), check=False)

    assert timeless(ours) == timeless(theirs)


def timeless(done: Completed) -> tuple[int, str, str]:
    """Return an answer without the time that it took."""
    return done.code, re.sub(r"\d+\.\d s", "", done.stdout), done.stderr
