"""RemoteStore: its header, how it asks, what it confirms."""

from __future__ import annotations

import io
import json
import os

import pytest

from datavc.core.errors import DataError, RemoteError
from datavc.core.hashing import hash_bytes
from datavc.remote.backend import Capabilities
from datavc.remote.memory import MemoryBackend
from datavc.remote.store import RemoteStore, key_of


class Counting(MemoryBackend):
    """Counts requests; a listing costs one for each thousand names."""

    def __init__(self) -> None:
        super().__init__(f"memory://counting-{os.urandom(6).hex()}")
        self.stats = self.lists = 0

    def stat(self, key):
        self.stats += 1
        return super().stat(key)

    def list(self, prefix):
        found = list(super().list(prefix))
        self.lists += len(found) // 1000 + 1
        return iter(found)


class Losing(Counting):
    """Says yes, and keeps half of what begins with `x`."""

    def put(self, key, stream, size):
        data = stream.read(size)
        kept = data[: size // 2] if data.startswith(b"x") else data
        super().put(key, io.BytesIO(kept), len(kept))


def _digest(data: bytes):
    return hash_bytes(data, "blake3").digest


def _fill(store: RemoteStore, count: int):
    """Put objects below the store's own door, which would look at them."""
    digests = [_digest(str(number).encode()) for number in range(count)]
    for digest in digests:
        store.backend.put(key_of(digest), io.BytesIO(b"1"), 1)
    return digests


def _put(store: RemoteStore, data: bytes) -> None:
    with store.writer() as writer:
        writer.put(io.BytesIO(data))


def test_the_first_write_says_what_the_remote_is_and_reading_does_not():
    backend = Counting()
    RemoteStore(backend, "blake3").missing([_digest(b"a")])
    assert backend.stat("datavc.json") is None

    _put(RemoteStore(backend, "blake3"), b"a")

    assert json.loads(backend.get("datavc.json")) == {"format": 1, "layout": "plain"}
    assert backend.get(f"objects/blake3/{_digest(b'a')[7:9]}/{_digest(b'a')[9:]}") == b"a"


@pytest.mark.parametrize(
    ("header", "word"),
    [
        (b'{"format": 2, "layout": "plain"}', "newer"),
        (b'{"format": 1, "layout": "packed"}', "layout"),
        (b'{"format": 1, "layout": "plain", "features": ["sealed"]}', "sealed"),
        (b"not json", "JSON"),
        (b"[" * 30_000, "JSON"),
        (b'{"format": "1"}', "no format"),
        (b"[]", "no format"),
    ],
)
def test_a_remote_that_this_version_cannot_use_is_refused(header, word):
    backend = Counting()
    backend.put("datavc.json", io.BytesIO(header), len(header))
    store = RemoteStore(backend, "blake3")

    with pytest.raises(RemoteError, match=word):
        store.missing([_digest(b"a")])
    with pytest.raises(RemoteError, match=word):
        _put(store, b"a")
    assert backend.get("datavc.json") == header


@pytest.mark.parametrize(
    ("there", "asked", "most"),
    [(0, 10, 10), (5_000, 20, 20), (0, 2_000, 2), (5_000, 5_000, 10), (60_000, 50, 60)],
)
def test_missing_takes_few_requests(there, asked, most):
    backend = Counting()
    store = RemoteStore(backend, "blake3")
    _fill(store, there)
    wanted = [_digest(f"{number}".encode()) for number in range(there - asked // 2, there + asked)]
    wanted = [digest for digest in wanted][:asked]

    missing = store.missing(wanted)

    assert missing == {
        _digest(f"{n}".encode())
        for n in range(there - asked // 2, there + asked)
        if n < 0 or n >= there
    } & set(wanted)
    assert backend.stats + backend.lists <= most


def test_missing_asks_every_time():
    store = RemoteStore(Counting(), "blake3")
    digests = _fill(store, 3)
    assert store.missing(digests) == set()

    store.delete(digests[:1])

    assert store.missing(digests) == {digests[0]}


def test_a_remote_that_cannot_list_is_asked_for_each():
    backend = Counting()
    backend.capabilities = Capabilities(lists=False)
    store = RemoteStore(backend, "blake3")
    digests = _fill(store, 100)

    assert store.missing(digests) == set()
    assert (backend.stats, backend.lists) == (100, 0)
    assert list(store.iter()) == []


def test_iter_goes_folder_by_folder_where_there_is_much():
    backend = Counting()
    backend.capabilities = Capabilities(flat=False)
    store = RemoteStore(backend, "blake3")
    digests = _fill(store, 500)

    assert {info.digest for info in store.iter()} == set(digests)
    assert all(info.size == 1 for info in store.iter())


def test_foreign_names_in_the_listing_are_passed_over():
    store = RemoteStore(Counting(), "blake3")
    for key in ("objects/blake3/aa/README", "objects/blake3/x", "objects/md5/zz/11"):
        store.backend.put(key, io.BytesIO(b"x"), 1)

    assert list(store.iter()) == []


def test_what_the_remote_cut_is_noticed_removed_and_reported():
    store = RemoteStore(Losing(), "blake3")

    with pytest.raises(RemoteError, match="1 of 2 objects"), store.writer() as writer:
        writer.put(io.BytesIO(b"good"))
        writer.put(io.BytesIO(b"x-cut-in-half"))

    assert store.missing([_digest(b"good"), _digest(b"x-cut-in-half")]) == {
        _digest(b"x-cut-in-half")
    }


def test_a_large_object_that_ends_early_is_an_error_and_not_a_short_file(monkeypatch):
    monkeypatch.setattr("datavc.remote.stream.PARTS_AT_ONCE", 1)
    store = RemoteStore(Counting(), "blake3")
    data = os.urandom(40 << 20)
    _put(store, data)
    stream = store.open(_digest(data))
    store.backend.put(key_of(_digest(data)), io.BytesIO(data[:9_000_000]), 9_000_000)

    with pytest.raises(RemoteError, match="middle") as cut:
        while stream.read(1 << 20):
            pass
    assert cut.value.transient


def test_a_stream_that_cannot_go_back_is_kept_aside_first():
    class OneWay(io.BytesIO):
        def seekable(self):
            return False

    store = RemoteStore(Counting(), "blake3")
    data = os.urandom(9 << 20)

    with store.writer() as writer:
        stored = writer.put(OneWay(data), expect=_digest(data))
        with pytest.raises(DataError):
            writer.put(OneWay(data), expect=_digest(b"other"))

    assert stored.size == len(data)
    assert store.missing([_digest(data)]) == set()
