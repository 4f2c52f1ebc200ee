"""What every ObjectStore must do, here or elsewhere."""

from __future__ import annotations

import io
import os
import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from datavc.core import hashing
from datavc.core.errors import DataError
from datavc.core.remotes import RemoteConfig
from datavc.remote.connect import connect
from datavc.store.local import LocalStore
from datavc.store.memory import MemoryStore
from datavc.store.object_store import ObjectStore, read


@pytest.fixture(
    params=[
        "local",
        "memory",
        "remote over memory",
        pytest.param("remote over S3", marks=pytest.mark.s3),
        pytest.param("remote over ssh", marks=pytest.mark.ssh),
    ]
)
def store(request, tmp_path) -> ObjectStore:
    if request.param == "local":
        return LocalStore(str(tmp_path / "cache"), "blake3")
    if request.param == "memory":
        return MemoryStore()
    if request.param == "remote over memory":
        remote = RemoteConfig("store", f"memory://{secrets.token_hex(6)}")
    elif request.param == "remote over ssh":
        remote = request.getfixturevalue("ssh_remote")()
    else:
        remote = request.getfixturevalue("s3_bucket").remote()
    return connect(remote, algorithm="blake3")


def _digest(data: bytes):
    return hashing.hash_bytes(data, "blake3").digest


def _put(store: ObjectStore, *contents: bytes):
    with store.writer() as writer:
        return [writer.put(io.BytesIO(data)) for data in contents]


def test_bytes_come_back_by_their_digest(store):
    stored = _put(store, b"one", b"", b"three")

    assert [one.digest for one in stored] == [_digest(b"one"), _digest(b""), _digest(b"three")]
    assert [one.size for one in stored] == [3, 0, 5]
    assert stored[0].check == hashing.hash_bytes(b"one", "blake3").check
    assert [read(store, one.digest) for one in stored] == [b"one", b"", b"three"]


def test_an_object_of_many_parts_comes_back(store):
    data = os.urandom(20_000_003)

    stored = _put(store, data)[0]

    assert stored.digest == _digest(data)
    assert stored.check == hashing.hash_bytes(data, "blake3").check
    assert read(store, stored.digest) == data


def test_missing_names_what_is_not_there(store):
    _put(store, b"one", b"two")

    wanted = [_digest(b"one"), _digest(b"two"), _digest(b"three")]
    assert store.missing(wanted) == {_digest(b"three")}
    assert store.missing([]) == set()


def test_missing_is_right_for_many_too(store):
    contents = [str(number).encode() for number in range(400)]
    _put(store, *contents[::2])

    missing = store.missing([_digest(data) for data in contents])

    assert missing == {_digest(data) for data in contents[1::2]}


@pytest.mark.parametrize("size", [5, 9 << 20])
def test_wrong_bytes_are_refused_and_leave_nothing(store, size):
    wrong, wanted = os.urandom(size), _digest(b"what was asked for")

    with pytest.raises(DataError), store.writer() as writer:
        writer.put(io.BytesIO(wrong), expect=wanted)

    assert store.missing([wanted, _digest(wrong)]) == {wanted, _digest(wrong)}
    assert list(store.iter()) == []


def test_more_bytes_than_promised_are_refused(store):
    with pytest.raises(DataError), store.writer() as writer:
        writer.put(io.BytesIO(b"five!"), expect=_digest(b"five!"), size=4)

    assert store.missing([_digest(b"five!")]) == {_digest(b"five!")}


def test_an_absent_object_is_an_error_with_its_name(store):
    with pytest.raises(DataError, match=_digest(b"nothing")[:20]):
        store.open(_digest(b"nothing")).read()


def test_iter_lists_every_object_once(store):
    _put(store, b"one", b"twoo")
    _put(store, b"one")

    listed = list(store.iter())

    assert {(info.digest, info.size) for info in listed} == {
        (_digest(b"one"), 3),
        (_digest(b"twoo"), 4),
    }
    assert len(listed) == 2
    assert all(info.time_s > 1e9 for info in listed)


def test_deleted_objects_are_missing_and_absent_ones_passed_over(store):
    _put(store, b"one", b"two")

    store.delete([_digest(b"one"), _digest(b"never there")])

    assert store.missing([_digest(b"one"), _digest(b"two")]) == {_digest(b"one")}


def test_many_threads_may_put_into_one_writer(store):
    contents = [f"{number % 30}".encode() for number in range(60)]

    with store.writer() as writer, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda data: writer.put(io.BytesIO(data)), contents))

    assert store.missing([_digest(data) for data in contents]) == set()


def test_objects_of_other_algorithms_lie_beside(store):
    sha256 = hashing.hash_bytes(b"one", "sha256").digest

    with store.writer() as writer:
        stored = writer.put(io.BytesIO(b"one"), expect=sha256)

    assert stored.digest == sha256
    assert store.missing([sha256, _digest(b"one")]) == {_digest(b"one")}
    assert read(store, sha256) == b"one"
