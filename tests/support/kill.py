"""Killing a command and what it started: at a random moment, or on entry to a system call."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.repo import PROGRAM, Completed, RepoBuilder

DATAVC = (sys.executable, PROGRAM)
"""The program by its own interpreter, so that strace follows no shim."""

MUTATING = (
    "openat,write,pwrite64,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,"
    "unlinkat,mkdir,mkdirat,rmdir,fsync,syncfs,ftruncate,chmod,fchmod,fchmodat,flock"
)
"""System calls on entry to which a kill leaves each state that the disk can be in."""


def without_strace() -> str:
    """Return why strace cannot be used here, nothing if it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True)
    return "" if done.returncode == 0 else "strace may not trace processes here"


needs_strace = pytest.mark.skipif(bool(without_strace()), reason=without_strace() or "strace")


def killed_after(repo: RepoBuilder, command: Sequence[str], delay_s: float) -> bool:
    """Run `command` and kill its whole process group after `delay_s`; False if it had ended."""
    process = subprocess.Popen(
        command,
        cwd=repo.root,
        env=repo.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(delay_s)
    except subprocess.TimeoutExpired:
        kill_group(process)
        return True
    kill_group(process)  # what it may have left running
    return process.returncode < 0


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads its own group, and everything in that group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def duration_s(repo: RepoBuilder, command: Sequence[str]) -> float:
    """Return how long `command` takes when nobody disturbs it; it must succeed."""
    begin = time.monotonic()
    repo.start(*command)
    return time.monotonic() - begin


NAMING = "rename,renameat,renameat2,link,linkat,unlink,unlinkat,fsync,syncfs"
"""The few after which the disk says something else."""


class Moment(NamedTuple):
    """A process's entry to a system call: its name, and how many of that name its thread made."""

    call: str
    number: int


def moments(
    repo: RepoBuilder, command: Sequence[str], log: Path, calls: str = MUTATING
) -> list[Moment]:
    """Return when the busiest thread of `command` enters any of `calls`, in order.

    The command must succeed.
    """
    # Stopped at no other call: that is quicker, but strace 6.1 sends no signal that way.
    repo.start(*_strace(log, f"trace={calls}"), "--seccomp-bpf", *command)
    made: dict[str, list[str]] = defaultdict(list)
    for line in log.read_text(errors="replace").splitlines():
        if found := re.match(r"(\d+) +(\w+)\(", line):
            made[found[1]].append(found[2])
    numbers: Counter[str] = Counter()
    busiest = max(made.values(), key=len)
    entered = []
    for call in busiest:
        numbers[call] += 1
        entered.append(Moment(call, numbers[call]))
    return entered


def killed_on_call(repo: RepoBuilder, command: Sequence[str], moment: Moment, log: Path) -> bool:
    """Kill `command` as the first of its threads enters a call for so many times."""
    inject = f"inject={moment.call}:signal=SIGKILL:when={moment.number}"
    killed_after(repo, [*_strace(log, f"trace={moment.call}"), "-e", inject, *command], 60.0)
    return "SIGKILL" in log.read_text(errors="replace")


def failing(
    repo: RepoBuilder, arguments: Sequence[str], *injected: str, path: str | Path = ""
) -> Completed:
    """Run `datavc ARGUMENTS` with failures `injected` (`fsync:error=EIO`), at `path` if given."""
    options = [option for one in injected for option in ("-e", f"inject={one}")]
    at = ["-P", str(path)] if path else []
    calls = ",".join(one.split(":")[0] for one in injected)
    return repo.start(
        *_strace("/dev/null", f"trace={calls}"), *at, *options, *DATAVC, *arguments, check=False
    )


def _strace(log: str | Path, traced: str) -> list[str]:
    return ["strace", "-f", "-qqq", "-o", str(log), "--signal=SIGKILL", "-e", traced]
