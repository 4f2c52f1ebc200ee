from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.kill import duration_s, killed_after, killed_on_call, moments
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

    @property
    def _share(self) -> int:
        """Kills that fall to this shard."""
        return len(range(self._shard, KILLS, SHARDS))

    def at_random(self, command: Sequence[str]) -> Rounds:
        """Yield the repository after each kill at a random moment of `command`."""
        spent = duration_s(self.repo, command)
        drawn = random.Random(self._shard)
        for _ in range(2 * self._share):  # some end before they are killed
            if self.killed == self._share:
                break
            self._template.again()
            self._count(killed_after(self.repo, command, drawn.uniform(0.03, spent)))
            yield self.repo

    def on_calls(self, command: Sequence[str]) -> Rounds:
        """Yield the repository after each kill on entry to a mutating system call of `command`.

        By turns, at moments spread over the whole run, and at each kind of call, however rare.
        """
        self._template.again()
        made = moments(self.repo, command, self._log)
        drawn = random.Random(self._shard)
        kinds = sorted({moment.call for moment in made})
        for turn in range(self._shard, KILLS, SHARDS):
            self._template.again()
            moment = made[len(made) * turn // KILLS]
            if turn // SHARDS % 2:
                kind = kinds[turn // 2 % len(kinds)]
                moment = drawn.choice([moment for moment in made if moment.call == kind])
            self._count(killed_on_call(self.repo, command, moment, self._log))
            yield self.repo

    def on_each(self, command: Sequence[str], calls: str) -> Rounds:
        """Yield the repository after a kill on entry to each of `calls`, or to every third."""
        self._template.again()
        made = moments(self.repo, command, self._log, calls)
        for moment in made[self._shard :: SHARDS if LONG else 3]:
            self._template.again()
            self._count(killed_on_call(self.repo, command, moment, self._log))
            yield self.repo

    def _count(self, killed: bool) -> None:
        self.killed += killed
        tell()


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
