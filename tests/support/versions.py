"""A project with two versions of one directory, made once and laid out anew for every kill."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.support.ladder import FILES
from tests.support.repo import RepoBuilder
from tests.support.soundness import Files

NO_HOOKS = ("-c", "core.hooksPath=/dev/null")


def files(version: int, count: int = FILES) -> dict[str, bytes]:
    """Return `count` files of a version: most are the same in all, some change, come or go."""
    found = {}
    for number in range(count):
        drawn = random.Random(f"{number}-{version if number % 3 else 0}")
        size = 300_000 if number % 97 == 5 else drawn.randrange(20, 6000)
        found[f"{number % 7}/{number:05}"] = drawn.randbytes(size)
    for number in range(count // 20):
        found[f"only-{version}/{number}"] = random.Random(f"{number}+{version}").randbytes(900)
    return found


def lay(repo: RepoBuilder, content: Files, below: str = "data") -> None:
    """Make a directory hold exactly `content`."""
    shutil.rmtree(repo.root / below, ignore_errors=True)
    for path, data in content.items():
        repo.write(f"{below}/{path}", data)


class Template:
    """A folder as it was, from which fresh copies are laid out under one and the same path."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._kept = root.with_name(root.name + ".template")
        subprocess.run(["cp", "-a", str(root), str(self._kept)], check=True)

    def again(self) -> None:
        """Lay it out anew."""
        shutil.rmtree(self.root, ignore_errors=True)
        subprocess.run(["cp", "-a", str(self._kept), str(self.root)], check=True)


def project(root: Path, prepare: Callable[[RepoBuilder], None]) -> tuple[RepoBuilder, Template]:
    """Return a project below `root`/world, and the template of that world after `prepare`."""
    repo = RepoBuilder(root / "world" / "repo")
    prepare(repo)
    return repo, Template(root / "world")


def two_versions(repo: RepoBuilder) -> None:
    """Record and commit version 1, tagged v1, then version 2, tagged v2."""
    for version in (1, 2):
        lay(repo, files(version))
        repo.run("add", "--quiet", "data")
        repo.commit(f"version {version}")
        repo.git("tag", f"v{version}")
