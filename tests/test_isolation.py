"""The ground that all tests stand on: nobody's home or settings, and real repositories."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repo import RepoBuilder


def test_nothing_can_be_written_into_the_home():
    with pytest.raises(NotADirectoryError):
        Path("~/.config").expanduser().mkdir(parents=True)


def test_git_knows_no_settings_but_those_of_the_session(make_repo: Callable[..., RepoBuilder]):
    repo = make_repo(init=False)
    repo.git("init", "--quiet")

    origins = repo.git("config", "--list", "--show-origin", "--name-only").stdout.splitlines()

    own = f"file:{os.environ['GIT_CONFIG_GLOBAL']}\t"
    assert [line for line in origins if not line.startswith((own, "file:.git/config\t"))] == []


def test_a_builder_shows_what_lies_in_its_repository(make_repo: Callable[..., RepoBuilder]):
    repo = make_repo(init=False)
    repo.git("init", "--quiet")
    repo.write("data/a.bin", b"\0\1")
    repo.write("data/b/c", "text")
    commit = repo.commit("one")

    copy = repo.clone(repo.root.parent / "copy")

    assert copy.tree() == {"data/a.bin": b"\0\1", "data/b/c": b"text"}
    assert copy.tree("data") == {"a.bin": b"\0\1", "b/c": b"text"}
    assert copy.git("rev-parse", "HEAD").stdout.strip() == commit


def test_a_command_that_fails_fails_the_test_with_what_it_said(
    make_repo: Callable[..., RepoBuilder],
):
    with pytest.raises(AssertionError, match="not a git repository"):
        make_repo(init=False).git("rev-parse", "HEAD")
