"""Repeating requests: which, how often, and how long."""

from __future__ import annotations

import io
import time

import pytest

from datavc.core.errors import RemoteError
from datavc.remote import retry
from datavc.remote.limit import LimitBackend
from datavc.remote.memory import MemoryBackend
from datavc.remote.retry import RetryBackend


class Stumbling(MemoryBackend):
    """A backend whose first `failures` requests fail."""

    def __init__(self, failures: int, *, transient: bool = True) -> None:
        super().__init__(f"memory://stumbling-{id(self)}")
        self.left = failures
        self.transient = transient
        self.asked = 0

    def _stumble(self) -> None:
        self.asked += 1
        if self.left:
            self.left -= 1
            raise RemoteError("stumbled", transient=self.transient)

    def put(self, key, stream, size):
        if self.left:
            stream.read(size // 2)
        self._stumble()
        super().put(key, stream, size)

    def get(self, key, start=0, length=None):
        self._stumble()
        return super().get(key, start, length)

    def list(self, prefix):
        for number, blob in enumerate(super().list(prefix)):
            if number == 1:
                self._stumble()
            yield blob


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.001)


def test_transient_failures_are_repeated_until_it_works():
    inner = Stumbling(3)
    backend = RetryBackend(inner, retries=3, deadline_s=10)

    backend.put("k", io.BytesIO(b"xxhello"[2:]), 5)

    assert inner.asked == 4
    assert backend.get("k") == b"hello"


def test_permanent_failures_are_not_repeated():
    inner = Stumbling(9, transient=False)

    with pytest.raises(RemoteError, match="stumbled"):
        RetryBackend(inner, retries=5, deadline_s=10).get("k")

    assert inner.asked == 1


def test_retries_are_bounded_by_count_and_by_time():
    inner = Stumbling(99)
    with pytest.raises(RemoteError):
        RetryBackend(inner, retries=2, deadline_s=10).get("k")
    assert inner.asked == 3

    started = time.monotonic()
    with pytest.raises(RemoteError):
        RetryBackend(Stumbling(10**6), retries=10**6, deadline_s=0.2).get("k")
    assert time.monotonic() - started < 2


def test_a_listing_that_breaks_in_the_middle_names_nothing_twice():
    inner = Stumbling(0)
    for number in range(3):
        inner.put(f"a/{number}", io.BytesIO(b"x"), 1)
    inner.left = 1

    keys = [blob.key for blob in RetryBackend(inner, retries=2, deadline_s=10).list("a")]

    assert sorted(keys) == ["a/0", "a/1", "a/2"]


def test_what_is_not_there_is_an_answer_and_not_repeated():
    inner = Stumbling(0)

    with pytest.raises(FileNotFoundError):
        RetryBackend(inner, retries=5, deadline_s=10).get("nothing")

    assert inner.asked == 1


def test_a_rate_limit_holds_both_ways_together():
    backend = LimitBackend(MemoryBackend("memory://limited"), rate=1_000_000)
    started = time.monotonic()

    backend.put("k", io.BytesIO(bytes(200_000)), 200_000)
    backend.get("k")

    assert 0.35 < time.monotonic() - started < 2
