"""System calls that each small file takes, told by two sizes of the same work: upper bounds."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from datavc.core.hashing import hash_bytes
from tests.support.calls import made, per_file
from tests.support.kill import needs_strace
from tests.support.repo import RepoBuilder

pytestmark = needs_strace
FEWER, MORE = 200, 400
FOLDERS = 16
"""Folders of the cache that the objects lie in: few, so that both sizes use all of them."""
SLACK = 0.05
"""Calls a file that are no cost of the file: threads that meet, a page of a list, an import."""
LONG_AGO_S = 1_000_000_000


def contents() -> Iterator[bytes]:
    """Yield contents, all different, whose objects lie in few folders."""
    for number in itertools.count():
        data = b"content %d" % number
        if int(hash_bytes(data, "blake3").digest.partition(":")[2][:2], 16) < FOLDERS:
            yield data


class Costs:
    """The same work in a project with fewer and in one with more files, in a directory `d`."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "calls"
        self._repos = [RepoBuilder(folder / f"of-{files}") for files in (FEWER, MORE)]
        self.run("config", "cache.type", "copy")
        for repo, files in zip(self._repos, (FEWER, MORE), strict=True):
            for number, data in enumerate(itertools.islice(contents(), files)):
                os.utime(repo.write(f"d/{number:04}", data), (LONG_AGO_S, LONG_AGO_S))

    def run(self, *arguments: str) -> None:
        """Run a command in both, uncounted."""
        for repo in self._repos:
            repo.run(*arguments)

    def empty(self) -> None:
        """Remove the data from both workspaces."""
        for repo in self._repos:
            shutil.rmtree(repo.root / "d")

    def settle(self) -> None:
        """Let the caches look long untouched, and what is seen of them be written down."""
        for repo in self._repos:
            for folder in (repo.root / ".datavc/cache/objects/blake3").iterdir():
                os.utime(folder, (LONG_AGO_S, LONG_AGO_S))
        self.run("status")

    def of(self, *arguments: str) -> dict[str, float]:
        """Return the calls that a file takes, of each kind that it takes any of."""
        small, large = (made(repo, self._log, *arguments) for repo in self._repos)
        found = per_file(small, large, MORE - FEWER)
        return {kind: count for kind, count in found.items() if count > SLACK}


@pytest.fixture
def costs(tmp_path: Path) -> Costs:
    """Return projects in which to count."""
    return Costs(tmp_path)


def at_most(found: dict[str, float], **bounds: int) -> bool:
    """Tell whether each kind of call is made no more often than its bound; without one, never."""
    return all(count <= bounds.get(kind, 0) + SLACK for kind, count in found.items())


def test_a_new_file_is_opened_once_read_once_written_once_and_named_once(costs: Costs):
    found = costs.of("add", "d")

    # Looked at by the walk, before and after it was read, and twice for in the cache.
    assert at_most(found, stat=5, open=2, read=1, write=1, name=1), found


def test_an_unchanged_file_costs_one_look_and_is_not_opened(costs: Costs):
    costs.run("add", "d")
    costs.settle()

    status, add = costs.of("status"), costs.of("add", "d")

    assert at_most(status, stat=1), status
    assert at_most(add, stat=1), add


def test_a_file_that_is_checked_out_is_read_once_written_once_and_named_once(costs: Costs):
    costs.run("add", "d")
    costs.settle()
    costs.empty()

    first = costs.of("checkout")
    costs.settle()
    again, status = costs.of("checkout"), costs.of("status")

    # Its object before and as it is opened, its name before and after, and what was written.
    assert at_most(first, stat=5, open=2, read=1, write=1, name=1), first
    assert at_most(again, stat=1), again
    assert at_most(status, stat=1), status
