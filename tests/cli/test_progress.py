"""Progress: a bar on a terminal, a sign of life elsewhere, and nothing left behind."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

import pytest

from datavc.cli.progress import Counted, choose

WORK = """
import time
from datavc.cli import progress
shown = progress.choose()
shown.start("Adding", {files}, {size})
for _ in range(20):
    shown.advance(1, 5000)
    time.sleep(0.05)
shown.say("Warning: [b]\\x1b[31m[/b]")
progress.end(shown)
"""


def on_terminal(program: str) -> str:
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-c", program],
        env=os.environ | {"TERM": "xterm", "COLUMNS": "120"},
        stderr=theirs,
    )
    os.close(theirs)
    output = b""
    try:
        while data := os.read(ours, 1 << 16):
            output += data
    except OSError:
        pass
    os.close(ours)
    assert running.wait() == 0
    return output.decode()


@pytest.mark.parametrize(("files", "size"), [(20, 100_000), (20, None), (None, None)])
def test_a_bar_counts_and_goes_away(files: int | None, size: int | None):
    output = on_terminal(WORK.format(files=files, size=size))

    assert "Adding" in output
    assert ("/20 files" in output) == (files is not None)
    assert ("KiB" in output) == (size is not None)
    assert "Traceback" not in output
    assert r"Warning: [b]\x1b[31m[/b]" in output


def test_short_work_draws_nothing():
    program = WORK.replace("0.05", "0").format(files=1, size=1)

    assert on_terminal(program).splitlines() == [r"Warning: [b]\x1b[31m[/b]"]


def test_piped_long_work_gives_signs_of_life(capsys: pytest.CaptureFixture[str]):
    progress = Counted(0.05)

    progress.start("Hashing", 3, 3000)
    progress.advance(2, 2048)
    time.sleep(0.3)
    progress.end()

    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Hashing: 2 of 3 files, 2.0 KiB in 0.")
    time.sleep(0.2)
    assert capsys.readouterr().err == ""


def test_elsewhere_than_on_a_terminal_it_is_silent():
    assert type(choose()) is Counted
