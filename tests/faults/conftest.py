from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import soundness
from tests.support.repo import RepoBuilder
from tests.support.soundness import Files

NoteFigure = Callable[[str], None]


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> NoteFigure:
    """Say in the report of a long run how much was tried."""
    return lambda text: record_property("figure", text)


def contents(count: int, size: int = 3000, seed: str = "") -> dict[str, bytes]:
    """Return `count` different files of about `size` bytes."""
    drawn = random.Random(seed or count)
    return {f"f{n:04}": drawn.randbytes(drawn.randrange(size // 2, size)) for n in range(count)}


def cache(repo: RepoBuilder) -> Path:
    return repo.root / ".datavc/cache"


def refused(done: object, *names: str) -> None:
    """Check that a command failed with a sentence that holds `names`, not with a traceback."""
    code, said = done.code, done.stdout + done.stderr  # type: ignore[attr-defined]
    assert code not in (0, 255) and code > 0, said
    assert "Traceback" not in said
    for name in names:
        assert name in said, said


def nothing_recorded(repo: RepoBuilder, lying: Files) -> None:
    """Check that a refused `add data` left pointers, ignore files and data as they were."""
    assert not (repo.root / "data.datavc").exists()
    assert repo.tree("data") == lying
    assert soundness.torn(cache(repo)) == []


def share(repo: RepoBuilder, folder: Path) -> None:
    """Commit, and push to a folder as the default remote."""
    repo.commit("data")
    repo.run("remote", "add", "--quiet", "--local", "-d", "folder", str(folder))
    repo.run("push", "--quiet")


def cloned(repo: RepoBuilder, where: Path, remote: Path | None = None) -> RepoBuilder:
    """Return a clone that may use the remote."""
    clone = repo.clone(where)
    if remote is not None:
        clone.run("remote", "add", "--quiet", "--local", "-d", "folder", str(remote))
    return clone
