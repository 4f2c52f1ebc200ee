import os

import pytest

from tests.support.followed import Followed
from tests.support.raw_git import run, write


@pytest.fixture
def followed(tmp_path, monkeypatch):
    return Followed(tmp_path, monkeypatch)


@pytest.fixture
def history(followed):
    """Return a repository on `main` (v1, v2, v3) with `other` (v1, o2, o3) and hooks."""
    followed.git("checkout", "-qb", "other")
    followed.commit("x", "free-1")
    followed.commit("x", "free-2")
    followed.commit("o2")
    followed.commit("o3")
    followed.git("checkout", "-q", "main")
    followed.commit("v2")
    followed.commit("v3")
    followed.install()
    return followed


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A Git repository without commits, with an identity and the project's folder."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    folder = str(tmp_path / "work")
    run(tmp_path, "init", "-qb", "main", folder)
    config = tmp_path / "gitconfig"
    config.write_text(
        '[user]\nname = A\nemail = a@example.com\n[protocol "file"]\nallow = always\n'
    )
    write(folder, ".datavc/config.toml", "")
    return folder
