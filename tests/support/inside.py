"""A command line run in this process: many attacks in the time that one process takes."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from datavc.cli.main import main
from tests.support.repo import Completed


def run(root: str | Path, *arguments: str) -> Completed:
    """Run `datavc ARGUMENTS` in the folder `root`; a bug's report is appended to its errors."""
    with contextlib.chdir(root), _streams() as (out, err):
        try:
            main(list(arguments))
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        out.flush()
        err.flush()
        texts = [stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, err)]
    return Completed(texts[0], texts[1] + (_report(root) if code == 255 else ""), code)


@contextlib.contextmanager
def _streams() -> Iterator[tuple[io.TextIOWrapper, io.TextIOWrapper]]:
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace") for _ in "oe")
    before = signal.getsignal(signal.SIGTERM)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        stdin, sys.stdin = sys.stdin, io.StringIO()
        try:
            yield out, err
        finally:
            sys.stdin = stdin
            signal.signal(signal.SIGTERM, before)


def _report(root: str | Path) -> str:
    """Return the report of the last bug."""
    logs = Path(root, ".datavc", "logs")
    reports = sorted(logs.glob("crash-*"), key=os.path.getmtime) if logs.is_dir() else []
    return reports[-1].read_text() if reports else ""
