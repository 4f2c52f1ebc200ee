"""Processes that take over a share of the work on many small files."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from datavc.core.errors import DataError
from datavc.core.hashing import hash_bytes
from datavc.core.progress import SILENT
from datavc.store.crew import WORTH_IT, Crew, gather, hands
from datavc.store.local import LocalStore
from datavc.store.object_store import read
from datavc.store.transfer import copy

pytestmark = pytest.mark.skipif(not hands(), reason="one process does all here")


def doubled(items: Sequence[int]) -> list[int]:
    return [2 * item for item in items]


def flat(results: object) -> list[int]:
    return [value for part in results for value in part]  # type: ignore[attr-defined]


def is_running(pid: int) -> bool:
    """Tell whether a process is there, and not only its name until somebody asks for it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_results_come_in_the_order_of_what_was_handed_out():
    crew = Crew(doubled, 3)
    try:
        one, two = crew.begin(range(1_000)), crew.begin(range(1_000, 1_100))

        assert flat(two) == list(range(2_000, 2_200, 2))
        assert flat(one) == list(range(0, 2_000, 2))
    finally:
        crew.close()


def test_more_than_is_ever_on_the_way_at_once_is_handed_out_and_back():
    def blown_up(items: Sequence[str]) -> list[str]:
        return [item * 2 for item in items]

    long = ["x" * 2_000] * 20_000
    crew = Crew(blown_up, 2)
    try:
        assert sum(len(part) for part in crew.begin(long)) == len(long)
    finally:
        crew.close()


def test_a_process_that_was_ended_is_an_error_and_no_endless_wait():
    def ended(items: Sequence[int]) -> list[int]:
        if 7 in items:
            os.kill(os.getpid(), signal.SIGKILL)
        return list(items)

    crew = Crew(ended, 2)
    try:
        with pytest.raises(DataError, match="ended"):
            flat(crew.begin(range(100)))
    finally:
        crew.close()


def test_one_process_does_all_where_the_system_allows_no_more(monkeypatch: pytest.MonkeyPatch):
    def refused() -> int:
        raise BlockingIOError(errno.EAGAIN, "no more processes")

    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "fork", refused)

    assert gather(doubled, 10 * WORTH_IT) is None
    assert len(os.listdir("/proc/self/fd")) == before


def test_nobody_is_left_when_a_crew_is_closed_with_work_still_undone():
    def slow(items: Sequence[int]) -> list[int]:
        time.sleep(0.01)
        return [os.getpid()]

    crew = Crew(slow, 2)
    found = crew.begin(range(100_000))
    pids = set(next(found))
    crew.close()

    assert not any(map(is_running, pids))


BOSS = """
import os, time
from datavc.store.crew import Crew

def work(items):
    time.sleep(0.05)
    return [os.getpid()]

crew = Crew(work, 2)
answers = crew.begin(range(10_000))
print(*{next(answers)[0] for _ in range(6)}, flush=True)
time.sleep(60)
"""


def test_a_crew_does_not_outlive_who_it_works_for():
    with subprocess.Popen([sys.executable, "-c", BOSS], stdout=subprocess.PIPE, text=True) as boss:
        assert boss.stdout is not None
        pids = [int(pid) for pid in boss.stdout.readline().split()]
        boss.kill()
    patience = time.monotonic() + 10
    while any(map(is_running, pids)) and time.monotonic() < patience:
        time.sleep(0.01)

    assert pids
    assert not any(map(is_running, pids))


# folders beside each other


COUNT = WORTH_IT + 200


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """Return a store with many objects."""
    store = LocalStore(str(tmp_path / "here"), "blake3")
    with store.writer() as writer:
        for number in range(COUNT):
            writer.put_bytes(b"%d" % number)
    return store


def digest(number: int) -> str:
    return hash_bytes(b"%d" % number, "blake3").digest


def test_many_objects_are_copied_and_none_is_half_there(store: LocalStore, tmp_path: Path):
    target = LocalStore(str(tmp_path / "there"), "blake3")
    wanted = [(found.digest, found.size) for found in store.iter()]

    done = copy(store, target, wanted, jobs=1, progress=SILENT)

    assert (done.copied, done.failures) == (COUNT, ())
    assert done.size == sum(size for _, size in wanted)
    assert all(hash_bytes(read(target, d), "blake3").digest == d for d, _ in wanted)
    assert os.listdir(tmp_path / "there/tmp") == []


def test_one_damaged_among_many_is_named_and_the_rest_arrives(store: LocalStore, tmp_path: Path):
    target = LocalStore(str(tmp_path / "there"), "blake3")
    wanted = [(found.digest, found.size) for found in store.iter()]
    damaged, gone = digest(5), digest(6)
    path = store.path(damaged)
    os.chmod(path, 0o644)
    Path(path).write_bytes(b"6")
    os.unlink(store.path(gone))

    done = copy(store, target, wanted, jobs=1, progress=SILENT)

    assert {failure.digest for failure in done.failures} == {damaged, gone}
    assert done.copied == COUNT - 2
    assert target.missing([d for d, _ in wanted]) == {damaged, gone}


def test_what_many_took_in_is_there_once_however_often_it_was_given(tmp_path: Path):
    store = LocalStore(str(tmp_path / "here"), "blake3")

    def taken(numbers: Sequence[int]) -> list[str]:
        return [writer.put_bytes(b"%d" % (number % 100)).digest for number in numbers]

    new = 0
    with store.writer() as writer:
        crew = writer.crew(taken, 20_000)
        assert crew is not None
        for _, batch in crew.begin(range(20_000)):
            new += writer.adopt(batch)

    assert new == sum(len(str(number)) for number in range(100))
    assert len(list(store.iter())) == 100
    assert os.listdir(tmp_path / "here/tmp") == []
