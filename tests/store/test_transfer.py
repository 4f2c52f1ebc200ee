"""Copies between stores: all that can be copied is, the rest is named."""

from __future__ import annotations

import io
import os
import threading
import time

import pytest

from datavc.core.errors import RemoteError
from datavc.core.progress import SILENT
from datavc.store.memory import MemoryStore
from datavc.store.transfer import IN_VAIN, copy


class Counter:
    def __init__(self):
        self.files = self.size = 0
        self.lock = threading.Lock()

    def start(self, phase, files=None, size=None):
        pass

    def advance(self, files=0, size=0):
        with self.lock:
            self.files += files
            self.size += size

    def say(self, message):
        pass


class Faulty(MemoryStore):
    """Opens fail, or give damaged bytes, as told by `opens`: digest → what happens, in turn."""

    def __init__(self):
        super().__init__()
        self.opens = {}
        self.asked = 0

    def open(self, digest):
        self.asked += 1
        plan = self.opens.get(digest)
        if not plan:
            return super().open(digest)
        fault = plan.pop(0)
        if isinstance(fault, Exception):
            raise fault
        return io.BytesIO(fault)


def _fill(store, *contents):
    return [(one.digest, one.size) for one in (store.put(io.BytesIO(data)) for data in contents)]


def test_everything_that_is_wanted_arrives():
    source, target = MemoryStore(), MemoryStore()
    contents = [str(number).encode() for number in range(300)] + [os.urandom(9 << 20), b""]
    wanted = _fill(source, *contents)
    progress = Counter()

    result = copy(source, target, wanted, jobs=8, progress=progress)

    assert target.missing([digest for digest, _ in wanted]) == set()
    assert result.copied == len(result.done) == progress.files == 302
    assert result.size == progress.size == sum(map(len, contents))
    assert result.failures == ()


def test_nothing_wanted_opens_no_session():
    assert copy(MemoryStore(), MemoryStore(), [], jobs=8, progress=SILENT).copied == 0


def test_one_missing_object_does_not_cost_its_neighbours():
    source, target = MemoryStore(), MemoryStore()
    wanted = _fill(source, b"one", b"two", b"three")
    source.delete([wanted[1][0]])

    result = copy(source, target, wanted, jobs=2, progress=SILENT)

    assert result.done == {wanted[0][0], wanted[2][0]}
    assert [failure.digest for failure in result.failures] == [wanted[1][0]]
    assert wanted[1][0] in result.failures[0].message


def test_bytes_damaged_on_the_way_are_asked_for_again():
    source, target = Faulty(), MemoryStore()
    wanted = _fill(source, b"one")
    source.opens[wanted[0][0]] = [b"oNe"]

    result = copy(source, target, wanted, jobs=2, progress=SILENT)

    assert result.failures == ()
    assert target.open(wanted[0][0]).read() == b"one"


def test_bytes_damaged_at_the_source_are_never_published():
    source, target = Faulty(), MemoryStore()
    damaged, good = _fill(source, b"one", b"two")
    source.opens[damaged[0]] = [b"oNe", b"oNe"]

    result = copy(source, target, [damaged, good], jobs=1, progress=SILENT)

    assert result.done == {good[0]}
    assert target.missing([damaged[0]]) == {damaged[0]}
    assert len(result.failures) == 1


def test_progress_is_true_after_a_damaged_large_object():
    source, target, progress = Faulty(), MemoryStore(), Counter()
    data = os.urandom(9 << 20)
    wanted = _fill(source, data)
    source.opens[wanted[0][0]] = [data[:-1] + b"?"]

    copy(source, target, wanted, jobs=1, progress=progress)

    assert (progress.files, progress.size) == (1, len(data))


def test_a_permanent_refusal_stops_the_copy_at_once():
    source = Faulty()
    wanted = _fill(source, *[str(number).encode() for number in range(500)])
    refusal = RemoteError("does not accept the credentials")
    source.opens = {digest: [refusal] for digest, _ in wanted}

    with pytest.raises(RemoteError, match="credentials"):
        copy(source, MemoryStore(), wanted, jobs=4, progress=SILENT)

    assert source.asked <= 8


def test_passing_trouble_costs_its_objects_only_until_it_is_no_accident():
    source = Faulty()
    wanted = _fill(source, *[str(number).encode() for number in range(500)])
    busy = RemoteError("is overloaded", transient=True)
    source.opens = {digest: [busy] for digest, _ in wanted[10::50]}
    result = copy(source, MemoryStore(), wanted, jobs=4, progress=SILENT)
    assert (len(result.failures), result.copied) == (10, 490)

    source.opens = {digest: [busy] for digest, _ in wanted}
    source.asked = 0
    with pytest.raises(RemoteError, match="overloaded"):
        copy(source, MemoryStore(), wanted, jobs=4, progress=SILENT)
    assert source.asked <= IN_VAIN + 8


def test_large_objects_travel_side_by_side():
    meeting = threading.Barrier(3, timeout=10)

    class Meeting(MemoryStore):
        def put(self, stream, *, expect=None, size=None):
            if size == 9 << 20:
                meeting.wait()
            return super().put(stream, expect=expect, size=size)

    source = MemoryStore()
    wanted = _fill(source, b"s", *[os.urandom(9 << 20) for _ in range(3)], b"t")

    result = copy(source, Meeting(), wanted, jobs=3, progress=SILENT)

    assert result.copied == 5


def test_an_interruption_ends_the_copy_without_waiting_for_what_hangs(monkeypatch):
    hanging = threading.Event()

    class Hanging(MemoryStore):
        def open(self, digest):
            hanging.wait(20)
            return super().open(digest)

    class Impatient(threading.Thread):
        def join(self, timeout=None):
            raise KeyboardInterrupt

    source = Hanging()
    wanted = _fill(source, b"one", b"two")
    monkeypatch.setattr("datavc.store.parallel.threading.Thread", Impatient)
    started = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        copy(source, MemoryStore(), wanted, jobs=2, progress=SILENT)

    assert time.monotonic() - started < 5
    hanging.set()
