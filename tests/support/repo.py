"""RepoBuilder: a real Git repository in a temporary folder, worked on as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAM = str(Path(sys.executable).parent / "datavc")
"""The console script of this environment; tests start it as a process, hooks included."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What a process left: both outputs as text, and its exit code."""

    stdout: str
    stderr: str
    code: int


class RepoBuilder:
    """A repository at `root`. Every method that runs something returns when it has ended."""

    def __init__(
        self, root: str | Path, *, init: bool = True, env: dict[str, str] | None = None
    ) -> None:
        """Make the folder; with `init`, also `git init` and `datavc init`."""
        self.root = Path(root)
        self.root.mkdir(parents=True, exist_ok=True)
        self.env = dict(os.environ) | (env or {})
        if init:
            self.git("init", "--quiet", "--initial-branch=main")
            self.run("init", "--quiet")

    def start(self, *command: str, cwd: str | Path = "", check: bool = True) -> Completed:
        """Run any command below the repository; with `check`, fail the test unless it exits 0."""
        done = subprocess.run(
            command,
            cwd=self.root / cwd,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=120,
        )
        if check and done.returncode != 0:
            shown = f"{' '.join(command)}: exit code {done.returncode}"
            raise AssertionError(f"{shown}\n{done.stdout}\n{done.stderr}")
        return Completed(done.stdout, done.stderr, done.returncode)

    def run(self, *arguments: str, cwd: str | Path = "", check: bool = True) -> Completed:
        """Run `datavc ARGUMENTS`."""
        return self.start(PROGRAM, *arguments, cwd=cwd, check=check)

    def git(self, *arguments: str, cwd: str | Path = "", check: bool = True) -> Completed:
        """Run `git ARGUMENTS`."""
        return self.start("git", *arguments, cwd=cwd, check=check)

    def commit(self, message: str) -> str:
        """Commit all that Git sees and return the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD").stdout.strip()

    def write(self, path: str, content: bytes | str) -> Path:
        """Write a file, its folders too. What stood there is replaced, not written through."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        return (self.root / path).read_bytes()

    def tree(self, below: str = "") -> dict[str, bytes]:
        """Return path → bytes of all files below a folder but those of Git and datavc."""
        found = {}
        for folder, folders, names in os.walk(self.root / below):
            folders[:] = [name for name in folders if name not in {".git", ".datavc"}]
            for name in names:
                file = Path(folder, name)
                if file.is_file():
                    found[file.relative_to(self.root / below).as_posix()] = file.read_bytes()
        return found

    def clone(self, where: str | Path, *options: str) -> RepoBuilder:
        """Return a Git clone of this repository; `datavc install` is left to the test."""
        self.git("clone", "--quiet", *options, "--", str(self.root), str(where))
        return RepoBuilder(where, init=False, env=self.env)
