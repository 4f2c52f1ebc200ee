"""System calls of a command, counted by strace: what a file costs, free of noise.

cost = per_file(small, large)      # each the counts of the same work on fewer and more files
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.kill import DATAVC
from tests.support.repo import RepoBuilder

Calls = dict[str, int]
"""How often each kind of call was made."""

KINDS = {
    "stat": {"stat", "lstat", "fstat", "newfstatat", "statx", "access", "faccessat", "faccessat2"},
    "open": {"open", "openat", "openat2", "creat"},
    "read": {"read", "pread64", "readv"},
    "write": {"write", "pwrite64", "writev", "copy_file_range", "sendfile"},
    "name": {
        "rename",
        "renameat",
        "renameat2",
        "link",
        "linkat",
        "unlink",
        "unlinkat",
        "symlinkat",
    },
    "mode": {"chmod", "fchmod", "fchmodat", "utimensat", "ftruncate", "fallocate"},
    "sync": {"fsync", "fdatasync", "sync_file_range"},
}
"""Calls by what they are about; a kernel or a libc may know several names of one."""


def made(repo: RepoBuilder, log: Path, *arguments: str) -> Calls:
    """Run `datavc ARGUMENTS`, which must succeed, and return what it and its children called."""
    traced = ",".join(f"?{call}" for calls in KINDS.values() for call in sorted(calls))
    options = ["-f", "-qqq", "-c", "-U", "calls,name", "-o", str(log), "-e", f"trace={traced}"]
    repo.start("strace", *options, *DATAVC, *arguments)
    counts = {call: int(count) for count, call in re.findall(r"(\d+) +(\w+)", log.read_text())}
    return {kind: sum(counts.get(call, 0) for call in calls) for kind, calls in KINDS.items()}


def per_file(small: Calls, large: Calls, files: int) -> dict[str, float]:
    """Return the calls that each of `files` more files took; what the start takes cancels out."""
    return {kind: (large[kind] - small[kind]) / files for kind in KINDS}
