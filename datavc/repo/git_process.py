"""How `git` is started: which one, with which environment, and what its refusals mean.

Two milliseconds by `posix_spawn` where `subprocess` costs fifteen with its import (measured
November 2026), which is what `status` and the hooks are made of. Nothing here knows a repository.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import signal
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from datavc.core.errors import BusyError, DatavcError, NotARepository

GUARDS = (
    "--no-optional-locks",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "safe.bareRepository=explicit",
)
"""Options of every call: nothing that settings of a clone could start, no lock on the index.

A clone can hold a folder that looks like a repository of its own, settings included; Git from 2.38
on is told not to take it for one.
"""

_KEPT = (
    "GIT_CONFIG_",
    "GIT_EXEC_PATH",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
)
"""The user's own word about Git as a whole; every other GIT_… names one repository or one call."""

_CHOICE = "GIT_PYTHON_GIT_EXECUTABLE"
_PIECE = 1 << 16


class Finished(NamedTuple):
    """Exit code, standard output and standard error of a process that ended."""

    code: int
    out: bytes
    err: bytes


@functools.cache
def executable(untrusted: str) -> str:
    """Return the absolute path of `git` on PATH, never one below the folder `untrusted`.

    Raises:
        DatavcError: there is none.
    """
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        if not os.path.isabs(folder):
            continue
        file = os.path.join(folder, "git")
        if f"{os.path.realpath(folder)}/".startswith(f"{untrusted}/"):
            continue
        if os.path.isfile(file) and os.access(file, os.X_OK):
            return file
    raise DatavcError("Git is not installed, or not on PATH", "install Git 2.36 or newer")


@contextlib.contextmanager
def chosen(program: str) -> Iterator[None]:
    """Have GitPython, which starts Git when it is imported, start `program`.

    Left to itself it takes the first on PATH, be it in the current folder.
    """
    before = os.environ.get(_CHOICE)
    os.environ[_CHOICE] = program
    try:
        yield
    finally:
        del os.environ[_CHOICE]
        if before is not None:
            os.environ[_CHOICE] = before


def stray_variables() -> list[str]:
    """Return the names in the environment that must not reach a call of ours.

    A hook is run with GIT_DIR, and `git stash` with a temporary GIT_INDEX_FILE: followed blindly,
    they would make us answer for another repository or another index.
    """
    return [name for name in os.environ if name.startswith("GIT_") and not name.startswith(_KEPT)]


def environment() -> dict[str, str]:
    """Return the environment of our calls: ours without strays, messages in English."""
    kept = dict(os.environ)
    for name in (*stray_variables(), "LANGUAGE"):
        kept.pop(name, None)
    kept["LC_ALL"] = "C"
    return kept


def spawn(argv: Sequence[str], stdin: bytes = b"") -> Finished:
    """Run `argv`, whose first item is an absolute path, to its end."""
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    ours, theirs = (in_write, out_read, err_read), (in_read, out_write, err_write)
    try:
        pid = os.posix_spawn(
            argv[0],
            [*argv],
            environment(),
            file_actions=[(os.POSIX_SPAWN_DUP2, fd, target) for target, fd in enumerate(theirs)],
            setsigdef=[signal.SIGPIPE],
        )
    except OSError as error:
        for fd in ours:
            os.close(fd)
        raise DatavcError(f"cannot start {argv[0]}: {error.strerror}") from error
    finally:
        for fd in theirs:
            os.close(fd)
    try:
        out, err = _converse(in_write, stdin, out_read, err_read)
    except BaseException:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
        raise
    _, status = os.waitpid(pid, 0)
    return Finished(os.waitstatus_to_exitcode(status), out, err)


def _converse(into: int, stdin: bytes, out: int, err: int) -> tuple[bytes, bytes]:
    """Write `stdin` while both outputs are read, so that no pipe fills up; close all three."""
    taken: dict[int, list[bytes]] = {out: [], err: []}
    left = memoryview(stdin)
    poll = select.poll()
    open_ends = {into, out, err}

    def close(fd: int) -> None:
        poll.unregister(fd)
        open_ends.discard(fd)
        os.close(fd)

    os.set_blocking(into, False)
    poll.register(into, select.POLLOUT)
    poll.register(out, select.POLLIN)
    poll.register(err, select.POLLIN)
    try:
        while open_ends:
            for fd, _ in poll.poll():
                if fd == into:
                    left = _feed(into, left)
                    if not left:
                        close(into)
                elif piece := os.read(fd, _PIECE):
                    taken[fd].append(piece)
                else:
                    close(fd)
    finally:
        for fd in list(open_ends):
            close(fd)
    return b"".join(taken[out]), b"".join(taken[err])


def _feed(into: int, left: memoryview) -> memoryview:
    """Return what is still to be written; nothing if nobody reads any more."""
    try:
        return left[os.write(into, left) :] if left else left
    except BrokenPipeError:
        return left[:0]


def refusal(work_tree: str, action: str, message: str) -> DatavcError:
    """Return Git's standard error as one of our errors; `action` is Git's own command."""
    if "dubious ownership" in message:
        return DatavcError(
            f"Git does not trust {work_tree}, which belongs to another user",
            f"`git config --global --add safe.directory {work_tree}` if you do",
        )
    if "safe.bareRepository" in message:
        return NotARepository(
            f"a folder in {work_tree} looks like a bare repository, and is not entered",
            "work from the top of the repository; `git ls-files` there shows who brought it",
        )
    if "not a git repository" in message:
        return NotARepository(
            f"Git does not take {work_tree} for a repository", "`git status` there says why"
        )
    if ".lock': File exists" in message or "could not lock config file" in message:
        return BusyError(
            "another Git command is changing this repository",
            "try again when it has ended; Git says how to remove a lock that was left behind",
        )
    lines = [line for line in message.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal: ", "error: "))]
    reason = (fatal or lines or ["it gave no reason"])[0].partition(": ")
    return DatavcError(f"`git {action}` failed: {reason[2] or reason[0]}")
