"""The programs that are timed, each in a home of its own, and how one shell line is timed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
SHARED_MEMORY = Path("/dev/shm")


class Sample(NamedTuple):
    """What one run of a line took; memory is the peak of its largest process."""

    seconds: float
    mib: float


@dataclass(frozen=True, slots=True)
class Tool:
    """One program in its own folder; `env` keeps it away from the user's files."""

    name: str
    home: Path
    env: dict[str, str]

    def sh(self, line: str, where: str = "work") -> Sample:
        """Run a shell line, in which `$T` is the program; a failure ends the benchmark."""
        os.sync()
        reading, writing = os.pipe()
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-S", HERE / "bench_launch.py", str(writing), line],
                cwd=self.home / where,
                env=self.env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                pass_fds=[writing],
            )
        finally:
            os.close(writing)
        with open(reading) as pipe:
            seconds, kib, code = pipe.read().split() or ("0", "0", "1")
        if int(code):
            sys.exit(f"{self.name}: {line}: exit code {code}\n{done.stdout}{done.stderr}")
        return Sample(float(seconds), int(kib) / 1024)

    def remove(self) -> None:
        """Delete the home; what the program made read-only goes too."""
        subprocess.run(["chmod", "-R", "u+w", self.home], check=True)
        shutil.rmtree(self.home)


def prepare(name: str, program: str, base: Path, env: dict[str, str]) -> Tool:
    """Return the tool with an empty repository, hooks included, in `base/NAME/work`.

    Commits are made with `--no-verify`: DVC's hook would show a status before each, untimed.
    """
    home = base / name
    (home / "work").mkdir(parents=True)
    identity = {
        f"GIT_{who}_{what}": "bench@example.invalid"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    own = {
        "T": name,
        "PATH": f"{os.path.dirname(os.path.abspath(program))}:{os.environ['PATH']}",
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(home / "site"),
        "DATAVC_TRUST": "1",
    }
    tool = Tool(name, home, own | identity | env)
    tool.sh("git init -q -b main && $T init -q && $T install -q")
    tool.sh("git add -A && git commit -q --no-verify -m begin")
    return tool


def version(program: str) -> str:
    """Return the number that a program's --version ends with."""
    return subprocess.check_output([program, "--version"], text=True).split()[-1]


def work_folder(room: int) -> str | None:
    """Return where to work: BENCH_WORK, memory if `room` bytes are free there, None for /tmp."""
    chosen = os.environ.get("BENCH_WORK")
    if chosen or not os.access(SHARED_MEMORY, os.W_OK):
        return chosen
    return str(SHARED_MEMORY) if shutil.disk_usage(SHARED_MEMORY).free >= room else None
