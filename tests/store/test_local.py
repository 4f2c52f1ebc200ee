"""The cache: complete by construction, trusted because it was hashed, never served damaged."""

from __future__ import annotations

import io
import json
import os
import stat

import pytest

from datavc.core.errors import DataError
from datavc.core.hashing import hash_bytes
from datavc.store import local, local_writer
from datavc.store.leases import alive
from datavc.store.local import LocalStore
from datavc.store.object_store import read
from datavc.store.verified import SMALL, VerifiedObjects


@pytest.fixture
def store(tmp_path):
    return LocalStore(str(tmp_path / "cache"), "blake3")


def _digest(data):
    return hash_bytes(data, "blake3").digest


def _put(store, *contents):
    with store.writer() as writer:
        return [writer.put(io.BytesIO(data)).digest for data in contents]


def _damage(store, digest, data=b"damaged"):
    path = store.path(digest)
    os.chmod(path, 0o644)
    with open(path, "wb") as stream:
        stream.write(data)


def _everything(root):
    return sorted(
        os.path.relpath(os.path.join(folder, name), root)
        for folder, _, names in os.walk(root)
        for name in names
        if name != "gate"
    )


def test_objects_are_read_only_and_lie_under_their_digest(store):
    digest = _put(store, b"one")[0]

    path = store.path(digest)
    assert path.endswith(f"objects/blake3/{digest[7:9]}/{digest[9:]}")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o444


def test_nothing_but_objects_is_left_behind(store):
    digests = _put(store, b"one", b"two" * 1_000_000)

    objects = {os.path.relpath(store.path(digest), store.root) for digest in digests}
    assert set(_everything(store.root)) == objects
    assert os.listdir(os.path.join(store.root, "tmp")) == []


def test_an_error_leaves_what_was_taken_in_and_no_temporary_file(store):
    with pytest.raises(RuntimeError), store.writer() as writer:
        writer.put(io.BytesIO(b"one"))
        raise RuntimeError

    assert read(store, _digest(b"one")) == b"one"
    assert os.listdir(os.path.join(store.root, "tmp")) == []


def test_an_interruption_publishes_nothing_more(store):
    with pytest.raises(KeyboardInterrupt), store.writer() as writer:
        writer.put(io.BytesIO(b"one"))
        raise KeyboardInterrupt

    assert store.missing([_digest(b"one")]) == {_digest(b"one")}
    assert _everything(store.root) == []


def test_a_full_batch_is_published_before_the_session_ends(store, monkeypatch):
    monkeypatch.setattr(local_writer, "BATCH_FILES", 2)

    with store.writer() as writer:
        for data in (b"1", b"2", b"3"):
            writer.put(io.BytesIO(data))
        lacking = store.missing([_digest(b"1"), _digest(b"2"), _digest(b"3")])

    assert lacking == {_digest(b"3")}
    assert store.missing([_digest(b"3")]) == set()


def test_same_bytes_twice_are_stored_once(store):
    with store.writer() as writer:
        first = writer.put(io.BytesIO(b"one"))
        second = writer.put(io.BytesIO(b"one"))
    with store.writer() as writer:
        third = writer.put(io.BytesIO(b"one"))

    assert [first.new, second.new, third.new] == [True, False, False]


def test_what_a_writer_relies_on_is_leased_until_it_ends(store):
    old = _put(store, b"old")[0]

    with store.writer() as writer:
        writer.put(io.BytesIO(b"old"))
        new = writer.put(io.BytesIO(b"new")).digest
        writer.flush()
        writer.claim([_digest(b"known to be there")])
        claims = set().union(*alive(store.root).values())

    assert claims == {old, new, _digest(b"known to be there")}
    assert alive(store.root) == {}


@pytest.mark.parametrize("size", [10, local_writer.WHOLE, local_writer.WHOLE + 1, 5 << 20])
def test_files_of_all_sizes_come_back(store, tmp_path, size):
    file = tmp_path / "file"
    file.write_bytes(os.urandom(size))

    with store.writer() as writer, open(file, "rb", buffering=0) as stream:
        stored = writer.put(stream)

    assert stored.size == size
    assert stored.digest == _digest(file.read_bytes())
    assert read(store, stored.digest) == file.read_bytes()


def test_a_stream_is_read_from_where_it_stands(store, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"x" * (2 << 20) + b"tail")

    with store.writer() as writer, open(file, "rb", buffering=0) as stream:
        stream.seek(2 << 20)
        stored = writer.put(stream)

    assert stored.digest == _digest(b"tail")


def test_a_damaged_object_is_set_aside_and_written_anew(store):
    digest = _put(store, b"one")[0]
    _damage(store, digest)

    stored = _put(store, b"one")[0]

    assert stored == digest
    assert read(store, digest) == b"one"
    kept = os.path.join(store.quarantine, digest.replace(":", "-"))
    with open(kept, "rb") as stream:
        assert stream.read() == b"damaged"
    with open(f"{kept}.json") as stream:
        note = json.load(stream)
    assert note["digest"] == digest
    assert _digest(b"damaged") in note["reason"]


def test_a_damaged_object_is_not_held(store):
    digest = _put(store, b"one")[0]
    _damage(store, digest)

    assert not store.holds(digest)
    assert store.missing([digest]) == {digest}


def test_an_absent_object_is_not_held(store):
    assert not store.holds(_digest(b"never"))


def test_set_aside_names_the_files_that_were_served(store):
    digest = _put(store, b"one")[0]

    assert store.set_aside(digest, "why", ["b", "a"])

    with open(os.path.join(store.quarantine, f"{digest.replace(':', '-')}.json")) as stream:
        note = json.load(stream)
    assert (note["reason"], note["files"]) == ("why", ["a", "b"])


def test_a_cache_that_cannot_be_written_still_refuses_damaged_objects(store):
    digest = _put(store, b"one")[0]
    _damage(store, digest)
    with open(store.quarantine, "wb"):  # a file where the folder would be
        pass

    assert not store.holds(digest)
    assert not store.set_aside(digest, "damaged")
    assert os.path.exists(store.path(digest))


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_file_is_never_read_as_an_object(store, kind, tmp_path):
    digest = _put(store, b"one")[0]
    path = store.path(digest)
    os.unlink(path)
    if kind == "link":
        (tmp_path / "secret").write_bytes(b"one")
        os.symlink(tmp_path / "secret", path)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        os.mkdir(path)

    with pytest.raises(DataError, match="is no file"):
        store.open(digest)
    assert not store.holds(digest)
    assert not os.path.lexists(path)
    assert list(store.iter()) == []


def test_names_that_are_no_digest_are_not_listed(store):
    digest = _put(store, b"one")[0]
    folder = os.path.dirname(store.path(digest))
    for name in ("short", ".hidden.tmp", "z" * 62):
        with open(os.path.join(folder, name), "wb"):
            pass

    assert [info.digest for info in store.iter()] == [digest]


def test_an_object_that_vanishes_while_it_is_listed_hides_no_other(store):
    contents = [str(number).encode() for number in range(2000)]
    digests = _put(store, *contents)
    folder = os.path.dirname(store.path(digests[0]))
    neighbours = [digest for digest in digests if os.path.dirname(store.path(digest)) == folder]
    assert len(neighbours) > 2

    seen = []
    for info in store.iter():
        if info.digest in neighbours and not seen:
            store.delete([digest for digest in neighbours if digest != info.digest][:1])
        if info.digest in neighbours:
            seen.append(info.digest)

    assert len(seen) >= len(neighbours) - 1


@pytest.mark.parametrize("listing_from", [1, 10_000])
def test_missing_is_right_by_listing_and_by_asking(store, monkeypatch, listing_from):
    monkeypatch.setattr(local, "LISTING_FROM", listing_from)
    contents = [str(number).encode() for number in range(600)]
    _put(store, *contents[::2])

    lacking = store.missing([_digest(data) for data in contents])

    assert lacking == {_digest(data) for data in contents[1::2]}


def test_a_shared_cache_belongs_to_its_group_whatever_the_umask(tmp_path):
    store = LocalStore(str(tmp_path / "cache"), "blake3", shared=True)
    before = os.umask(0o077)
    try:
        small, large = _put(store, b"one", b"x" * (2 << 20))
        _damage(store, small)
        store.holds(small)
    finally:
        os.umask(before)

    assert stat.S_IMODE(os.stat(store.path(large)).st_mode) == 0o440
    for folder in (store.root, os.path.dirname(store.path(large)), store.quarantine):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o2770


class TestVerified:
    """What is remembered of large objects."""

    def test_a_large_object_is_hashed_once(self, store):
        digest = _put(store, b"x" * (SMALL + 1))[0]

        assert store.holds(digest)

        assert store.verified.knows(digest, os.lstat(store.path(digest)))

    def test_a_touched_object_is_hashed_again(self, store):
        digest = _put(store, b"x" * (SMALL + 1))[0]
        assert store.holds(digest)
        _damage(store, digest, b"y" * (SMALL + 1))

        assert not store.holds(digest)

    def test_a_small_object_is_not_remembered(self, store):
        digest = _put(store, b"x")[0]

        assert store.holds(digest)

        assert not store.verified.knows(digest, os.lstat(store.path(digest)))

    def test_the_memo_lasts(self, tmp_path):
        memo = str(tmp_path / "state" / "verified.json")
        first = LocalStore(str(tmp_path / "cache"), "blake3", memos=os.path.dirname(memo))
        digest = _put(first, b"x" * (SMALL + 1))[0]
        first.holds(digest)
        first.verified.save()

        again = VerifiedObjects(memo)

        assert again.knows(digest, os.lstat(first.path(digest)))

    @pytest.mark.parametrize(
        "text", ["", "[]", "{", '{"blake3:00": 1}', '{"x": [1, 2, 3, 4]}', "null"]
    )
    def test_a_damaged_memo_knows_nothing(self, tmp_path, text):
        memo = tmp_path / "verified.json"
        memo.write_text(text)
        store = LocalStore(str(tmp_path / "cache"), "blake3", memos=str(tmp_path))
        digest = _put(store, b"x" * (SMALL + 1))[0]

        assert not store.verified.knows(digest, os.lstat(store.path(digest)))
        assert store.holds(digest)

    def test_what_was_set_aside_is_forgotten(self, store):
        digest = _put(store, b"x" * (SMALL + 1))[0]
        assert store.holds(digest)
        status = os.lstat(store.path(digest))

        store.set_aside(digest, "damaged")

        assert not store.verified.knows(digest, status)
