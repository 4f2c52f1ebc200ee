"""unprotect: links become private copies that can be edited."""

from __future__ import annotations

import os

import pytest

from datavc.core.errors import PathError
from datavc.verbs.unprotect import UnprotectResult, unprotect
from tests.support.repo import RepoBuilder
from tests.support.work import Work


def free(work: Work, *targets: str, **options: bool) -> UnprotectResult:
    return unprotect(work.repo(), targets, **options)


@pytest.fixture(params=["hardlink", "symlink"])
def linking(work: Work, request: pytest.FixtureRequest) -> Work:
    """Return a project whose files are links to the cache."""
    work.settings["cache.type"] = request.param
    work.write("d/one", "1")
    work.write("d/two", "2")
    work.write("d/empty", "")
    work.add("d")
    assert not os.access(work.root / "d/one", os.W_OK) or os.geteuid() == 0
    return work


def shares(work: Work, path: str, content: bytes) -> bool:
    return os.path.samefile(work.root / path, work.object(content))


def test_linked_files_become_copies_that_can_be_edited(linking: Work) -> None:
    assert shares(linking, "d/one", b"1")

    result = free(linking, "d")

    assert (result.files, result.bytes, result.failures) == (2, 2, [])
    assert not shares(linking, "d/one", b"1") and not shares(linking, "d/two", b"2")
    with open(linking.root / "d/one", "ab") as stream:
        stream.write(b"more")
    assert linking.object(b"1").read_bytes() == b"1"
    assert free(linking, "d").files == 0


def test_a_path_inside_leaves_the_other_links(linking: Work) -> None:
    assert free(linking, "d/one").files == 1

    assert not shares(linking, "d/one", b"1") and shares(linking, "d/two", b"2")


def test_a_dry_run_counts_and_copies_nothing(linking: Work) -> None:
    assert free(linking, "d", dry_run=True).files == 2

    assert shares(linking, "d/one", b"1")


def test_what_is_not_tracked_or_not_here_is_an_error(linking: Work) -> None:
    with pytest.raises(PathError, match="nope is not tracked"):
        free(linking, "nope")
    with pytest.raises(PathError, match="d/three names nothing"):
        free(linking, "d/three")
    linking.remove("d")
    with pytest.raises(PathError, match="d is not in the workspace"):
        free(linking, "d")


def test_plain_copies_are_left_and_it_is_said(repo: RepoBuilder) -> None:
    repo.write("x.csv", "x")
    repo.run("add", "x.csv")

    assert "No linked files" in repo.run("unprotect", "x.csv").stdout
