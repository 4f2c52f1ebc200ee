"""What strace says of a stage: which files its programs opened, made and renamed.

One file for each process (`-ff`), so that no line is cut in two. With `-y` an open that succeeded
ends in the path that the kernel resolved, and a relative one names the folder it starts from.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

PREFIX = "strace"
"""What the names of the records begin with; a process id follows."""

_CALLS = "open,openat,openat2,creat,execve,rename,renameat,renameat2,mkdir,mkdirat,link,linkat"
_OPTIONS = ("-f", "-ff", "-y", "-qqq", "--seccomp-bpf", "-s", "4096", "-e", "signal=none")

_LINE = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)(?:<(.*)>)?(?: (E\w+) .*)?$")
_FOLDER = re.compile(r"AT_FDCWD<([^>]*)>")
_QUOTED = re.compile(r'(?:\w+<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9a-f]{2}|.)")
_NAMED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f"}


class Touched(NamedTuple):
    """One use of a file: `r` read, `w` written, `l` listed; the path is absolute."""

    kind: str
    path: str


def program() -> str | None:
    """Return strace's path if it is here and may trace; None if not."""
    for folder in os.get_exec_path():
        path = os.path.join(folder, "strace")
        if os.path.isabs(path) and os.access(path, os.X_OK):
            return path if _works(path) else None
    return None


def words(program: str, folder: str) -> tuple[str, ...]:
    """Return what stands before a command to have its records written below `folder`."""
    return program, *_OPTIONS, "-e", f"trace={_CALLS}", "-o", os.path.join(folder, PREFIX)


def parse(record: bytes, start: str) -> list[Touched]:
    """Return the uses in one process's record; `start` is the folder that it began in."""
    found: list[Touched] = []
    for line in record.decode("latin-1").splitlines():
        if match := _LINE.match(line):
            if folder := _FOLDER.search(line):
                start = _unescape(folder[1])
            found += _uses(match, start)
    return found


def _uses(match: re.Match[str], start: str) -> list[Touched]:
    call, arguments, _, resolved, failure = match.groups()
    if failure and failure != "EACCES":
        return []
    paths = [
        os.path.normpath(os.path.join(_unescape(folder) or start, _unescape(path)))
        for folder, path in _QUOTED.findall(arguments)
    ]
    if not paths:
        return []
    if call.startswith(("open", "creat")):
        return _opened(call, arguments, _unescape(resolved) if resolved else paths[0])
    if call == "execve":
        return [Touched("r", paths[0])]
    return [Touched("w", paths[1 if call.startswith(("rename", "link")) else 0])]


def _opened(call: str, arguments: str, path: str) -> list[Touched]:
    if "O_DIRECTORY" in arguments:
        return [Touched("l", path)]
    written = call == "creat" or "O_WRONLY" in arguments or "O_RDWR" in arguments
    read = "O_RDONLY" in arguments or ("O_RDWR" in arguments and "O_TRUNC" not in arguments)
    return [Touched("r", path)] * read + [Touched("w", path)] * written


def _unescape(text: str) -> str:
    """Return a path as Python has it, from strace's octal escapes."""

    def plain(match: re.Match[bytes]) -> bytes:
        escape = match[1]
        if escape[:1].isdigit():
            return bytes([int(escape, 8) & 0xFF])
        return (
            bytes.fromhex(escape[1:].decode()) if len(escape) == 3 else _NAMED.get(escape, escape)
        )

    return os.fsdecode(_ESCAPE.sub(plain, text.encode("latin-1")))


def _works(path: str) -> bool:
    """Ask by tracing something small: containers may forbid it, old versions lack options."""
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    command = [path, *_OPTIONS, "-e", "trace=openat", "-o", os.devnull, "true"]
    try:
        pid = os.posix_spawn(
            path, [part for part in command if part != "-ff"], os.environ, file_actions=null
        )
    except OSError:
        return False
    return os.waitpid(pid, 0)[1] == 0
