"""Patterns that would take for ever take no time, and mean what they meant."""

from __future__ import annotations

import re
import time
import warnings

import pathspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datavc.repo import ignore
from tests.support import inside
from tests.support.repo import RepoBuilder

BOMBS = {
    "letters": "*a" * 60 + "*b",
    "stars": "/a" + "*" * 400 + "b",
    "letters in folders": "*a*a*a*a*a*a/" * 8 + "b",
    "marks": "*?" * 60 + "b",
    "classes": "*[a-c]" * 60 + "z",
    "folders": "a/**/" * 4 + "b",
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_pattern_that_is_a_bomb_does_not_go_off(repo: RepoBuilder, kind: str):
    repo.write(".datavcignore", BOMBS[kind] + "\n")
    repo.write("d/" + "a" * 250, "1")
    repo.write("d/" + "a/" * 60 + "a", "2")
    began = time.monotonic()

    done = inside.run(repo.root, "add", "d")

    assert time.monotonic() - began < 10
    assert done.code in (0, 1), done


def test_too_many_stars_of_folders_are_refused_by_line(repo: RepoBuilder):
    repo.write(".datavcignore", "*.tmp\n" + "a/**/" * 20 + "b\n")
    repo.write("d/a", "1")

    done = inside.run(repo.root, "add", "d")

    assert done.code == 1
    assert ".datavcignore: line 2" in done.stderr


@settings(max_examples=400, deadline=None)
@given(
    pattern=st.text("ab*?/[]!-\\.", min_size=1, max_size=9),
    paths=st.lists(st.text("ab./[", min_size=1, max_size=8), min_size=4, max_size=12),
)
def test_a_pattern_means_what_it_meant(pattern: str, paths: list[str]):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            (found,) = pathspec.GitIgnoreSpec.from_lines([pattern]).patterns
        except (ValueError, re.error):
            return
        ours = ignore._compile(pattern)
        for path in paths:
            theirs = found.include is not None and found.regex.search(path) is not None
            assert (ours is not None and ours.search(path) is not None) == theirs, (pattern, path)
