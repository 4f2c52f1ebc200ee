"""Processes of stages: whether they are alive, and commands that are hard to end."""

import os
import sys
import time
from pathlib import Path

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and a subreaper")


def run(executor, action):
    executor.submit(action)
    return executor.wait(30)[0]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pid, patience_s=5.0):
    return until(lambda: not alive(pid), patience_s)


def until(true, patience_s=10.0):
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.01)
    return False


def pid_in(file):
    assert until(lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())


SETSID = "setsid sh -c 'echo $$ > pid; exec sleep 300' & "
DAEMON = (
    "cat > daemon.sh <<'END'\n"
    "trap '' TERM HUP\n"
    "echo $$ > pid\n"
    "while :; do sleep 1; done\n"
    "END\n"
    "(setsid sh daemon.sh & ) ; "
)
"""Leaves its session, loses its parent, and does not hear TERM."""
