from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.kill import calls_made, duration_s, killed_after, killed_on_call
from tests.support.ladder import KILLS, LONG, SHARDS, tell
from tests.support.repo import RepoBuilder
from tests.support.versions import project

Rounds = Iterator[RepoBuilder]


class Killer:
    """Kills one command again and again, each time in a world laid out anew."""

    def __init__(self, folder: Path, prepare: Callable[[RepoBuilder], None], shard: int) -> None:
        self.repo, self._template = project(folder, prepare)
        self._log = folder / "strace.log"
        self._shard = shard
        self.killed = 0

    def at_random(self, command: Sequence[str]) -> Rounds:
        """Yield the repository after each kill at a random moment of `command`."""
        spent = duration_s(self.repo, command)
        drawn = random.Random(self._shard)
        for _ in range(self._shard, KILLS, SHARDS):
            self._template.again()
            self.killed += killed_after(self.repo, command, drawn.uniform(0.03, spent))
            tell()
            yield self.repo

    def on_calls(self, command: Sequence[str]) -> Rounds:
        """Yield the repository after each kill on entry to a mutating system call of `command`."""
        self._template.again()
        made = calls_made(self.repo, command, self._log)
        for turn in range(self._shard, KILLS, SHARDS):
            self._template.again()
            when = 1 + made * (turn + 1) // (KILLS + 1)
            self.killed += killed_on_call(self.repo, command, when, self._log)
            tell()
            yield self.repo

    def on_each(self, command: Sequence[str], calls: str) -> Rounds:
        """Yield the repository after a kill on entry to each of `calls`, or to every third."""
        self._template.again()
        made = calls_made(self.repo, command, self._log, calls)
        for when in range(1 + self._shard, 1 + made, SHARDS if LONG else 3):
            self._template.again()
            self.killed += killed_on_call(self.repo, command, when, self._log, calls)
            tell()
            yield self.repo


MakeKiller = Callable[[Callable[[RepoBuilder], None]], Killer]


@pytest.fixture(params=range(SHARDS))
def killer(
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    request: pytest.FixtureRequest,
) -> Iterator[MakeKiller]:
    """Return what makes a `Killer` of a prepared project; says how often it killed."""
    made: list[Killer] = []

    def make(prepare: Callable[[RepoBuilder], None]) -> Killer:
        made.append(Killer(tmp_path, prepare, request.param))
        return made[-1]

    yield make
    record_property("figure", f"{sum(one.killed for one in made)} kills")


@pytest.fixture(autouse=True)
def no_keeping(tmp_path: Path) -> Iterator[None]:
    """In a long run, drop the test's folder at once: 2,000 files a round add up."""
    yield
    if LONG:
        os.system(f"rm -rf '{tmp_path}'")
