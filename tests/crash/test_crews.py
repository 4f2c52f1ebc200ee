"""Killed with -9 while several processes work on many files: these end too, nothing is torn."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from datavc.store.crew import WORTH_IT, hands
from tests.support import soundness
from tests.support.kill import DATAVC
from tests.support.repo import RepoBuilder

pytestmark = pytest.mark.skipif(not hands(), reason="one process does all here")
FILES = {f"{number % 16}/{number:05}": b"content %d" % number for number in range(2 * WORTH_IT)}
MOMENTS_S = (0.15, 0.22, 0.3)


@pytest.fixture
def repo(tmp_path: Path) -> RepoBuilder:
    """Return a project with many files in `data`, and a folder as its remote."""
    repo = RepoBuilder(tmp_path / "repo")
    for path, content in FILES.items():
        repo.write(f"data/{path}", content)
    repo.run("remote", "add", "-d", "far", str(tmp_path / "remote"))
    return repo


def killed_alone(repo: RepoBuilder, *arguments: str, delay_s: float) -> None:
    """Kill a command by itself after a while; what it had started must see to its own end."""
    with subprocess.Popen([*DATAVC, *arguments], cwd=repo.root, env=repo.env) as process:
        time.sleep(delay_s)
        process.kill()


def test_add_that_was_killed_is_finished_by_the_next(repo: RepoBuilder):
    cache = repo.root / ".datavc/cache"
    for delay_s in MOMENTS_S:
        killed_alone(repo, "add", "-q", "data", delay_s=delay_s)

        assert soundness.torn(cache) == []
        assert soundness.dangling(repo.root, cache) == []
        assert repo.tree("data") == FILES
        (repo.root / "data.datavc").unlink(missing_ok=True)
        shutil.rmtree(cache, ignore_errors=True)
        shutil.rmtree(repo.root / ".datavc/state", ignore_errors=True)
    killed_alone(repo, "add", "-q", "data", delay_s=MOMENTS_S[1])
    repo.run("add", "data")

    names = {path: soundness.name_of(content) for path, content in FILES.items()}
    assert soundness.recorded(repo.root / "data.datavc", cache) == names


def test_push_and_pull_that_were_killed_are_finished_by_the_next(repo: RepoBuilder):
    repo.run("add", "data")
    remote, cache = repo.root.parent / "remote", repo.root / ".datavc/cache"
    for delay_s in MOMENTS_S:
        killed_alone(repo, "push", "-q", delay_s=delay_s)

        assert soundness.torn(remote) == []
    repo.run("push")
    for delay_s in MOMENTS_S:
        shutil.rmtree(repo.root / "data", ignore_errors=True)
        shutil.rmtree(cache, ignore_errors=True)
        killed_alone(repo, "pull", "-q", delay_s=delay_s)

        assert soundness.torn(cache) == []
    repo.run("pull")

    assert repo.tree("data") == FILES


def test_checkout_that_was_killed_is_finished_by_the_next(repo: RepoBuilder):
    repo.run("add", "data")
    for delay_s in MOMENTS_S:
        shutil.rmtree(repo.root / "data", ignore_errors=True)
        killed_alone(repo, "checkout", "-q", delay_s=delay_s)

        assert repo.tree("data").items() <= FILES.items()
        repo.run("checkout")
        assert repo.tree("data") == FILES
