from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datavc.core import paths
from datavc.core.errors import PathError
from tests.support.values import REPO_PATHS


@given(REPO_PATHS)
def test_a_path_of_allowed_names_is_kept_as_it_is(path: str) -> None:
    assert paths.parse(path) == path


@given(st.text())
def test_whatever_is_accepted_stays_below_the_root(text: str) -> None:
    try:
        path = paths.parse(text)
    except PathError:
        return
    assert posixpath.normpath(f"/root/{path}") == f"/root/{path}"
    assert not {part.lower() for part in path.split("/")} & {".git", ".datavc"}


@pytest.mark.parametrize(
    "text",
    ["", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a\0b", ".git", "a/.GIT/x"]
    + [".Git ", ".git.", ".g\u200cit", "git~1", ".git::$INDEX", ".datavc/cache", "C:\\x", "c:"]
    + ["..\\x", "\\x", "a" * 256, "/".join(["a" * 200] * 30), "\ud800"],
)
def test_a_hostile_path_is_refused(text: str) -> None:
    with pytest.raises(PathError):
        paths.parse(text)


@pytest.mark.parametrize("text", ["a b", ".gitignore", "é/ü", "a\n", "x\udcff", "-x", "a:b"])
def test_an_unusual_path_is_accepted(text: str) -> None:
    assert paths.parse(text) == text


def test_parts_of_paths() -> None:
    assert paths.join("", "a") == "a"
    assert paths.join("a/b", "c") == "a/b/c"
    assert (paths.parent("a/b"), paths.parent("a"), paths.name("a/b")) == ("a", "", "b")
    assert paths.is_inside("a/b", "a")
    assert not paths.is_inside("ab", "a")
    assert paths.relative(paths.parse("a/b/c"), "a") == "b/c"
