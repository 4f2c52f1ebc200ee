"""What every Backend must do, whichever service is behind it."""

from __future__ import annotations

import io
import os
import secrets
from typing import BinaryIO, cast

import pytest

from datavc.core.errors import DataError
from datavc.remote import connect
from datavc.remote.backend import PART, SMALL, Backend, Capabilities
from datavc.remote.dialects import GenericDialect
from datavc.remote.fsspec_backend import FsspecBackend, Place, open_filesystem
from datavc.remote.limit import LimitBackend
from datavc.remote.memory import MemoryBackend
from datavc.remote.store import RemoteStore


def _of(remote) -> Backend:
    store = connect.connect(remote, algorithm="blake3")
    assert isinstance(store, RemoteStore)
    return store.backend


@pytest.fixture(
    params=[
        "memory",
        "limited",
        "any fsspec file system",
        pytest.param("s3fs", marks=pytest.mark.s3),
        pytest.param("obstore", marks=pytest.mark.s3),
        pytest.param("ssh", marks=pytest.mark.ssh),
    ]
)
def backend(request, tmp_path) -> Backend:
    if request.param == "memory":
        return MemoryBackend(f"memory://{secrets.token_hex(6)}")
    if request.param == "limited":
        return LimitBackend(MemoryBackend(f"memory://{secrets.token_hex(6)}"), 1 << 40)
    if request.param == "any fsspec file system":
        place = Place(
            str(tmp_path / "root"), "file://root", Capabilities(False, False, True, False)
        )
        return FsspecBackend(place, lambda: GenericDialect(open_filesystem("file", {})), 10)
    if request.param == "ssh":
        return _of(request.getfixturevalue("ssh_remote")())
    return _of(request.getfixturevalue("s3_bucket").remote(request.param))


class _Breaks(io.BytesIO):
    """A stream whose source fails after the first part."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0 or self.tell() + size > PART:
            raise DataError("the disk has a bad block")
        return super().read(size)


def _put(backend: Backend, key: str, data: bytes) -> None:
    backend.put(key, io.BytesIO(data), len(data))


def test_what_was_put_comes_back(backend):
    _put(backend, "a/b/c", b"hello")

    assert backend.get("a/b/c") == b"hello"
    found = backend.stat("a/b/c")
    assert found is not None
    assert (found.key, found.size) == ("a/b/c", 5)


def test_an_empty_blob_is_a_blob(backend):
    _put(backend, "a/empty", b"")

    assert backend.get("a/empty") == b""
    assert backend.get("a/empty", 0, 100) == b""
    assert backend.stat("a/empty") is not None


def test_ranges_end_where_the_blob_ends(backend):
    _put(backend, "a/b", b"0123456789")

    assert backend.get("a/b", 2, 3) == b"234"
    assert backend.get("a/b", 8, 100) == b"89"
    assert backend.get("a/b", 10, 5) == b""
    assert backend.get("a/b", 4) == b"456789"


def test_what_is_not_there_is_told_apart(backend):
    _put(backend, "a/b/c", b"hello")

    assert backend.stat("a/nothing") is None
    assert backend.stat("a/b") is None
    with pytest.raises(FileNotFoundError):
        backend.get("a/nothing")
    with pytest.raises(FileNotFoundError):
        backend.get("a/nothing", 0, 10)


def test_a_listing_holds_what_lies_below_a_folder(backend):
    for key in ("a/x/1", "a/x/22", "a/xy/3", "b/4"):
        _put(backend, key, key.encode())

    assert {(blob.key, blob.size) for blob in backend.list("a/x")} == {("a/x/1", 5), ("a/x/22", 6)}
    assert {blob.key for blob in backend.list("a")} == {"a/x/1", "a/x/22", "a/xy/3"}
    assert all(blob.time_s > 1e9 for blob in backend.list("a"))
    assert list(backend.list("nothing")) == []


def test_deleted_blobs_are_gone_and_absent_ones_no_error(backend):
    for key in ("a/1", "a/2", "a/3"):
        _put(backend, key, b"x")

    backend.delete(["a/1", "a/none", "a/3"])

    assert [blob.key for blob in backend.list("a")] == ["a/2"]


def test_a_blob_can_be_put_again(backend):
    _put(backend, "a/b", b"first")

    _put(backend, "a/b", b"second")

    assert backend.get("a/b") == b"second"


def test_a_large_blob_goes_in_parts_and_comes_in_ranges(backend):
    data = os.urandom(SMALL + PART + 12345)

    _put(backend, "a/large", data)

    assert backend.get("a/large", 0, 100) == data[:100]
    assert backend.get("a/large", SMALL - 1, PART + 2) == data[SMALL - 1 : SMALL + PART + 1]
    assert backend.get("a/large") == data


def test_a_stream_that_breaks_leaves_nothing(backend):
    stream = _Breaks(os.urandom(3 * PART))

    with pytest.raises(DataError, match="bad block"):
        backend.put("a/broken", cast(BinaryIO, stream), 3 * PART)

    assert backend.stat("a/broken") is None
    assert list(backend.list("a")) == []
    assert list(backend.list("tmp")) == []
