"""Requests to a remote, counted at the front door of a real S3 server: exact, kind by kind.

A listing answers a thousand names, so asking for many objects takes two listings: one of a
folder in 256, which tells how many there are, and one of all. What was sent is asked for too: few
objects by a head each, more by listings. The directory's own objects follow its files.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.costs.conftest import Counts
from tests.network.conftest import Far
from tests.support.repo import RepoBuilder

pytestmark = pytest.mark.s3

Asked = Callable[..., Counts]
FILES = 100
PARTS = 3
"""Objects of a directory itself: one name begins a segment, so there are two, and a root."""
HEADER = 1
"""The question what kind of remote it is; once, its answer is written."""


def filled(far: Far, files: int) -> RepoBuilder:
    """Return a project with a directory of `files` small files, added and not pushed."""
    repo = far.project()
    for number in range(files):
        repo.write(f"d/{number:04}", f"content {number}")
    assert far.run(repo, "add", "d").code == 0
    return repo


def kept(far: Far, files: int) -> RepoBuilder:
    """Return such a project, pushed by the quickest way: uncounted, and around the proxy."""
    repo = filled(far, files)
    around = f"remote.store.endpointurl={far.bucket.server.endpoint}"
    assert far.run(repo, "-c", around, "-c", "remote.store.driver=obstore", "push").code == 0
    assert far.server.seen == []
    return repo


def changed(far: Far, repo: RepoBuilder) -> None:
    """Change one file of the directory, and add it."""
    repo.write("d/0007", "changed")
    assert far.run(repo, "add", "d").code == 0


def names(far: Far) -> set[str]:
    """Return the keys of the objects in the bucket."""
    return set(far.filesystem().find(f"{far.bucket.name}/some/prefix/objects"))


def test_new_files_cost_a_put_each_and_when_all_is_there_three_requests_tell(
    far: Far, asked: Asked
):
    repo = filled(far, FILES)

    new, again, status = asked(repo, "push"), asked(repo, "push"), asked(repo, "status", "--cloud")

    assert new == {
        "GET": HEADER,
        "LIST": 2 + 2,  # what is there; what has arrived
        "PUT": FILES + PARTS + HEADER,
        "HEAD": PARTS,
    }
    assert again == status == {"GET": HEADER, "LIST": 2}


def test_one_changed_file_of_a_thousand_costs_its_object_a_segment_and_the_root(
    far: Far, asked: Asked
):
    repo = kept(far, 1_000)
    held = names(far)
    changed(far, repo)

    counts = asked(repo, "push")

    assert len(names(far) - held) == 3
    assert counts == {"GET": HEADER, "LIST": 1 + 2, "PUT": 3, "HEAD": 3}  # two pages of names


def test_a_single_file_costs_its_put_and_a_question_before_and_after(far: Far, asked: Asked):
    repo = kept(far, 1)
    repo.write("one", "by itself")
    far.run(repo, "add", "one")

    counts = asked(repo, "push", "one")

    assert counts == {"GET": HEADER, "HEAD": 1 + 1, "PUT": 1}


def test_fetching_costs_a_get_each_and_nothing_when_all_is_here(far: Far, asked: Asked):
    repo = kept(far, FILES)
    clone = far.clone(repo)

    first, again, pulled = (asked(clone, verb) for verb in ("fetch", "fetch", "pull"))

    assert first == {"GET": HEADER + PARTS + FILES}
    assert again == pulled == {}
    assert clone.tree("d") == repo.tree("d")


def test_pulling_into_a_clone_costs_what_fetching_costs_and_a_change_three_gets(
    far: Far, asked: Asked
):
    repo = kept(far, FILES)
    clone = far.clone(repo)

    first = asked(clone, "pull")
    changed(far, repo)
    far.run(repo, "push")
    repo.commit("changed")
    clone.git("pull", "--quiet")
    second = asked(clone, "pull")

    assert first == {"GET": HEADER + PARTS + FILES}
    assert second == {"GET": HEADER + 3}
    assert clone.tree("d") == repo.tree("d")


def test_a_few_names_are_asked_for_one_by_one(far: Far, asked: Asked):
    repo = filled(far, 20)

    new, again = asked(repo, "push"), asked(repo, "push")

    assert new == {"GET": HEADER, "PUT": 21 + HEADER, "HEAD": 21 + 21}
    assert again == {"GET": HEADER, "HEAD": 21}
