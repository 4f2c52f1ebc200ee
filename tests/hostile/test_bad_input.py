"""Bad input, case by case: one sentence that names it, the way out, the right exit code.

Each case lays something out and runs one command; nothing in the repository may change by it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support import inside
from tests.support.bad_cases import CASES
from tests.support.bad_layouts import Case
from tests.support.repo import RepoBuilder


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Return what may not change: all files but those of state, logs and temporary ones."""
    found = {}
    for base, folders, names in os.walk(root):
        here = Path(base)
        if here == root / ".datavc":
            folders[:] = [
                name for name in folders if name not in {"state", "tmp", "logs", "cache", "ops"}
            ]
        if here == root:
            folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            path = here / name
            status = path.lstat()
            regular = path.is_file() and not path.is_symlink()
            found[str(path)] = status.st_mode, path.read_bytes() if regular else b""
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_named_and_changes_nothing(repo: RepoBuilder, case: Case):
    repo.git("config", "core.hooksPath", "/dev/null")
    case.lay(repo)
    before, index = snapshot(repo.root), repo.git("ls-files", "-s").stdout

    done = inside.run(repo.root, *case.command)

    assert done.code == case.code, done
    assert case.names in done.stderr, done
    assert case.advises in done.stderr, done
    assert "Traceback" not in done.stderr
    first = done.stderr.splitlines()[-1 if done.code in (3, 4) else 0]
    assert first.startswith(("Error: ", "Warning: ", "Hint: ")), done
    assert snapshot(repo.root) == before
    assert repo.git("ls-files", "-s").stdout == index


def test_no_git_repository(tmp_path: Path):
    for command in (("status",), ("add", "x"), ("pull",), ("install",)):
        done = inside.run(tmp_path, *command)

        assert done.code == 1
        assert str(tmp_path) in done.stderr
        assert "`datavc init`" in done.stderr
    done = inside.run(tmp_path, "init")
    assert done.code == 1
    assert "not in a Git repository" in done.stderr
    assert not list(tmp_path.iterdir())


def test_git_that_is_gone_is_said(repo: RepoBuilder):
    shutil.rmtree(repo.root / ".git")

    done = inside.run(repo.root, "status")

    assert done.code == 1
    assert "not in a Git repository" in done.stderr
