"""The entry: what needs no command line library, and the only text of failures.

Nothing heavy is imported here: `--version` and the hooks of Git end in a few milliseconds.
Measured, CPU time: the interpreter alone 11 ms, with typer 58.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from importlib import import_module

from datavc import __version__
from datavc.cli.plumbing import PLUMBING
from datavc.core.errors import DatavcError

OK, CANNOT, USAGE = 0, 1, 2
INTERRUPTED, PIPE_CLOSED, BUG = 130, 141, 255

_ADVICE = {
    errno.ENOSPC: "free some space, then run the same command again",
    errno.EDQUOT: "free some space, then run the same command again",
    errno.EMFILE: "`ulimit -n` raises how many files may be open; `-j 1` needs fewer",
    errno.ENFILE: "the whole machine has too many files open; `-j 1` needs fewer",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "look at its owner and permissions with `ls -l`",
    errno.EPERM: "look at its owner and permissions with `ls -l`",
}


def main(argv: list[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 cannot, 2 usage, 3 partly … as in `datavc help`."""
    arguments = sys.argv[1:] if argv is None else argv
    # A command makes up to millions of small values and few cycles, then ends. Rare collections
    # make a million entries in 1.2 s instead of 1.7, and long transfers still lose their cycles.
    gc.set_threshold(100_000, 20, 50)
    _open_streams()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else OK
    except KeyboardInterrupt:
        print("Interrupted", file=sys.stderr)
        code = INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        code = PIPE_CLOSED
    except Exception as error:
        code = _fail(error, arguments)
    sys.exit(code)


def _open_streams() -> None:
    """Put nothing in place of streams that the caller closed, so that no file is taken for one."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(nothing, mode, encoding="utf-8"))


def _drop_output() -> None:
    """Send what is still buffered nowhere: it would fail once more when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):
        print(__version__)
        return OK
    module = PLUMBING.get(arguments[0]) if arguments else None
    if module and arguments[1:] not in (["-h"], ["--help"]):
        code: int = import_module(f"datavc.cli.commands.{module}").main(arguments[1:])
        return code
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(encoding="utf-8", errors="backslashreplace")
    done: int | None = import_module("datavc.cli.quick").run(arguments)
    if done is None:
        done = import_module("datavc.cli.app").run(arguments)
    return done or OK


def _fail(error: Exception, arguments: list[str]) -> int:
    """Say what went wrong, as text and, if it was asked for, as JSON; return the exit code."""
    if isinstance(error, DatavcError):
        message, hint, code = error.message, error.hint, error.exit_code
    elif isinstance(error, OSError) and error.strerror:
        message, hint, code = _system_sentence(error), _ADVICE.get(error.errno or 0, ""), CANNOT
    else:
        message, hint, code = import_module("datavc.cli.crash").report(error, arguments), "", BUG
    render = import_module("datavc.cli.render")
    print(f"Error: {render.display(message)}", file=sys.stderr)
    if hint:
        print(f"Hint: {render.display(hint)}", file=sys.stderr)
    try:
        if "--json" in arguments:
            answer = {"error": {"message": message, "hint": hint, "exit_code": code}}
            sys.stdout.write(render.json_text(answer) + "\n")
        sys.stdout.flush()
    except OSError:
        _drop_output()
    return code


def _system_sentence(error: OSError) -> str:
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if name]
    return f"{' and '.join(names) or 'the system says'}: {error.strerror}"
