"""Marking and sweeping: what is needed stays, beside whatever writers do meanwhile."""

from __future__ import annotations

import io
import os
import time

import pytest

from datavc.core.hashing import hash_bytes
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT
from datavc.core.tree import SEGMENT_LIMIT, TreeEntry, begins_segment
from datavc.store import gc, leftovers, trees
from datavc.store.gc import Marks, sweep
from datavc.store.leases import Lease
from datavc.store.local import LocalStore


@pytest.fixture
def store(tmp_path):
    return LocalStore(str(tmp_path / "cache"), "blake3")


def _put(store, *contents):
    with store.writer() as writer:
        return [writer.put(io.BytesIO(data)).digest for data in contents]


def _tree(store, files):
    """Store files (path → bytes) and their tree."""
    with store.writer() as writer:
        entries = []
        for path in sorted(files):
            stored = writer.put(io.BytesIO(files[path]))
            entries.append(TreeEntry(RepoPath(path), stored.digest, stored.size, 0))
        return trees.write(writer, entries)


def _many(count):
    return {f"{number:05}": str(number % 7).encode() for number in range(count)}


def _all(store):
    return {info.digest for info in store.iter()}


def _sweep(store, digests, named=frozenset()):
    unwanted = [info for info in store.iter() if info.digest in digests]
    return sweep(store, unwanted, lambda: named, SILENT)


class TestMarks:
    """What a digest stands for."""

    def test_a_file_is_one_object(self, store):
        marks = Marks(store)
        marks.file(hash_bytes(b"one", "blake3").digest)

        assert len(marks.needed) == 1

    def test_a_directory_is_its_list_and_its_files(self, store):
        summary = _tree(store, {"a": b"1", "b": b"2"})
        marks = Marks(store)

        assert marks.directory(summary.digest) is None

        assert marks.needed == _all(store)

    def test_a_large_directory_is_root_leaves_and_files(self, store):
        files = _many(10_000)
        assert any(begins_segment(path) for path in files) and len(files) < SEGMENT_LIMIT
        summary = _tree(store, files)
        marks = Marks(store)

        marks.directory(summary.digest)

        assert len(summary.segments) > 1
        assert marks.needed == _all(store)

    def test_a_lost_list_is_told_and_still_needed(self, store):
        lost = hash_bytes(b"lost", "blake3").digest
        marks = Marks(store)

        unsure = marks.directory(lost)

        assert unsure is not None and unsure.digest == lost
        assert marks.directory(lost) == unsure, "every time it is asked"
        assert marks.needed == {lost}

    def test_a_lost_leaf_costs_no_neighbour(self, store):
        files = {path: path.encode() for path in _many(10_000)}
        summary = _tree(store, files)
        lost = summary.segments[0]
        names = {entry.digest for entry in trees.leaf(store, lost)}
        store.delete([lost.digest])
        marks = Marks(store)

        unsure = marks.directory(summary.digest)

        assert unsure is not None
        assert _all(store) - marks.needed == names

    def test_a_leaf_that_is_a_file_of_its_own_too_is_still_read(self, store):
        summary = _tree(store, {"a": b"1"})
        marks = Marks(store)
        marks.file(summary.digest)

        marks.directory(summary.digest)

        assert marks.needed == _all(store)

    def test_of_unknown_kind_a_list_is_told_from_data(self, store):
        summary = _tree(store, {"a": b"1"})
        data = _put(store, b"data")[0]
        absent = hash_bytes(b"absent", "blake3").digest
        marks = Marks(store)

        for digest in (summary.digest, data, absent):
            marks.unknown(digest)

        assert marks.needed == {*_all(store), absent}


class TestSweep:
    """Deleting beside others."""

    def test_unwanted_objects_go_and_others_stay(self, store):
        one, two = _put(store, b"one", b"two")

        swept = _sweep(store, {one})

        assert [info.digest for info in swept.removed] == [one]
        assert _all(store) == {two}

    def test_what_a_running_writer_claimed_stays(self, store):
        one = _put(store, b"one")[0]
        lease = Lease(store.root)
        lease.claim([one])

        swept = _sweep(store, {one})

        assert [info.digest for info in swept.spared] == [one]
        assert _all(store) == {one}
        lease.release()

    def test_what_was_named_meanwhile_stays(self, store):
        one = _put(store, b"one")[0]

        swept = _sweep(store, {one}, {one})

        assert swept.removed == ()
        assert _all(store) == {one}

    def test_a_writer_that_ends_while_names_are_read_is_not_overlooked(self, store):
        one = _put(store, b"one")[0]
        lease = Lease(store.root)
        lease.claim([one])

        def names_as_they_were_before_it_published():
            lease.release()
            return frozenset()

        sweep(store, list(store.iter()), names_as_they_were_before_it_published, SILENT)

        assert _all(store) == {one}

    def test_what_was_written_anew_since_it_was_listed_stays(self, store):
        one = _put(store, b"one")[0]
        unwanted = [info._replace(time_s=info.time_s - 60) for info in store.iter()]

        swept = sweep(store, unwanted, frozenset, SILENT)

        assert [info.digest for info in swept.spared] == [one]

    def test_a_writer_at_work_never_loses_what_it_was_told_is_there(self, store):
        one = _put(store, b"one")[0]
        unwanted = list(store.iter())

        with store.writer() as writer:
            assert not writer.put(io.BytesIO(b"one")).new
            sweep(store, unwanted, frozenset, SILENT)

        assert _all(store) == {one}

    def test_many_go_in_several_steps(self, store, monkeypatch):
        monkeypatch.setattr(gc, "STEP", 7)
        digests = _put(store, *(str(number).encode() for number in range(30)))
        asked = []

        unwanted = list(store.iter())
        swept = sweep(store, unwanted, lambda: asked.append(1) or frozenset(), SILENT)

        assert {info.digest for info in swept.removed} == set(digests)
        assert len(asked) == 5

    def test_what_is_gone_already_is_no_failure(self, store):
        _put(store, b"one")
        unwanted = list(store.iter())
        store.delete([info.digest for info in unwanted])

        assert sweep(store, unwanted, frozenset, SILENT).failures == ()


class TestLeftovers:
    """Temporary files of processes that died."""

    @staticmethod
    def _old(path):
        """Make a folder look two days old; asked with a clock that is three days ahead."""
        return time.time() + 3 * leftovers.DAY_S if os.path.exists(path) else 0

    def test_temporary_files_of_a_dead_writer_go_after_a_day(self, store):
        _put(store, b"one")
        folder = os.path.join(store.root, "tmp", "99-deaddeaddead")
        os.mkdir(folder)
        with open(os.path.join(folder, "1"), "wb") as stream:
            stream.write(b"half")

        assert leftovers.in_cache(store.root, time.time()) == []
        found = leftovers.in_cache(store.root, self._old(folder))

        assert [os.path.basename(one.path) for one in found] == ["99-deaddeaddead"]
        assert found[0].size == 4
        assert leftovers.sweep(found) == found
        assert not os.path.exists(folder)

    def test_those_of_a_running_writer_stay_however_old(self, store):
        with store.writer() as writer:
            writer.put(io.BytesIO(b"one"))
            folder = os.path.join(store.root, "tmp")

            assert os.listdir(folder)
            assert leftovers.in_cache(store.root, self._old(folder)) == []

    def test_half_written_files_are_known_by_their_names(self, tmp_path):
        (tmp_path / "state").mkdir()
        half = tmp_path / "state" / ".verified.json.0123.tmp"
        half.write_text("{")
        (tmp_path / "state" / "verified.json").write_text("{}")

        found = leftovers.half_written(str(tmp_path), self._old(half))

        assert [one.path for one in found] == [str(half)]

    def test_a_link_is_removed_and_not_followed(self, tmp_path):
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / "file").write_text("kept")
        (tmp_path / "tmp").mkdir()
        os.symlink(tmp_path / "kept", tmp_path / "tmp" / "link")

        now = self._old(tmp_path)
        leftovers.sweep(leftovers.find(str(tmp_path / "no"), str(tmp_path / "tmp"), (), now))

        assert os.listdir(tmp_path / "tmp") == []
        assert (tmp_path / "kept" / "file").read_text() == "kept"
