"""`datavc init` as its users meet it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.repo import RepoBuilder


def test_init_begins_a_project(make_repo: Callable[..., RepoBuilder]):
    user = make_repo(init=False)
    user.git("init", "--quiet")

    assert "Would make" in user.run("init", "--dry-run").stdout
    assert not (user.root / ".datavc").exists()

    user.run("init")

    assert user.git("status", "--porcelain").stdout.splitlines() == [
        "A  .datavc/.gitignore",
        "A  .datavc/config.toml",
        "A  .datavcignore",
        "A  .gitattributes",
    ]
    assert user.read(".datavc/config.toml") == b'[core]\ndigest = "blake3"\n'


def test_init_takes_the_digest(make_repo: Callable[..., RepoBuilder]):
    user = make_repo(init=False)
    user.git("init", "--quiet")

    assert user.run("init", "--digest", "md5", check=False).code == 1
    user.run("init", "--digest", "sha256")

    assert user.run("config", "core.digest").stdout == "sha256\n"


def test_init_again_replaces_nothing(repo: RepoBuilder):
    repo.write(".datavcignore", "mine\n")
    (repo.root / ".datavc" / ".gitignore").unlink()

    done = repo.run("init", check=False)

    assert done.code == 1
    assert "already" in done.stderr
    repo.run("init", "-f")
    assert repo.read(".datavcignore") == b"mine\n"
    assert b"/cache/" in repo.read(".datavc/.gitignore")


def test_init_outside_git_leads_on(tmp_path: Path):
    done = RepoBuilder(tmp_path, init=False).run("init", check=False)

    assert done.code == 1
    assert "Hint: `git init`" in done.stderr


def test_init_below_the_top_needs_to_be_said(make_repo: Callable[..., RepoBuilder]):
    user = make_repo(init=False)
    user.git("init", "--quiet")
    user.write("sub/file", "")

    done = user.run("init", cwd="sub", check=False)

    assert "--subdir" in done.stderr
    user.run("init", "--subdir", cwd="sub")
    assert user.run("root", cwd="sub").stdout == ".\n"


def test_init_inside_a_project_is_refused(repo: RepoBuilder):
    repo.write("sub/file", "")

    assert (
        "inside the datavc project" in repo.run("init", "--subdir", cwd="sub", check=False).stderr
    )


def test_init_where_git_ignores_its_folder_is_refused(make_repo: Callable[..., RepoBuilder]):
    user = make_repo(init=False)
    user.git("init", "--quiet")
    user.write(".gitignore", ".datavc/\n")

    done = user.run("init", check=False)

    assert done.code == 1
    assert "Git ignores .datavc" in done.stderr
    assert not (user.root / ".datavc").exists()
