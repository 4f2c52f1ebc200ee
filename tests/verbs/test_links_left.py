"""Links to the cache whose data nobody tracks any more: their bytes stay the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from datavc.core.errors import DataError
from datavc.verbs.destroy import DestroyOptions, destroy
from datavc.verbs.remove import RemoveOptions, remove
from datavc.verbs.undo import undo
from tests.support.collecting import freed
from tests.support.work import Work

DATA = {"d/one": b"1", "d/sub/two": b"2"}


@pytest.fixture
def linked(work: Work) -> Work:
    """Return a project whose tracked directory is made of symbolic links."""
    work.settings["cache.type"] = "symlink"
    work.lay(DATA)
    work.add("d")
    assert (work.root / "d/one").is_symlink()
    return work


def leave(work: Work) -> None:
    destroy(work.repo(), DestroyOptions(force=True))


def test_data_that_is_removed_from_tracking_outlives_a_collection(linked: Work) -> None:
    remove(linked.repo(), ["d"])

    freed(linked)

    assert linked.tree("d") == {"one": b"1", "sub/two": b"2"}
    assert not (linked.root / "d/one").is_symlink()


def test_data_that_is_removed_from_tracking_outlives_destroy(linked: Work) -> None:
    remove(linked.repo(), ["d"])

    leave(linked)

    assert linked.tree("d") == {"one": b"1", "sub/two": b"2"}


def test_an_add_that_is_undone_leaves_plain_files(linked: Work) -> None:
    undo(linked.repo())

    freed(linked)

    assert linked.tree("d") == {"one": b"1", "sub/two": b"2"}


def test_a_link_that_is_ignored_by_now_becomes_a_file_when_datavc_leaves(linked: Work) -> None:
    linked.write(".datavcignore", "one\n")

    leave(linked)

    assert linked.tree("d") == {"one": b"1", "sub/two": b"2"}


def test_so_it_does_when_the_rest_of_its_directory_is_removed(linked: Work) -> None:
    linked.write(".datavcignore", "one\n")

    remove(linked.repo(), ["d"], RemoveOptions(outs=True))
    freed(linked)

    assert linked.tree("d") == {"one": b"1"}


def test_links_whose_pointer_was_deleted_by_hand_keep_their_bytes(linked: Work) -> None:
    linked.remove("d.datavc")

    freed(linked)
    assert linked.tree("d") == {"one": b"1", "sub/two": b"2"}

    leave(linked)
    assert linked.tree("d") == {"one": b"1", "sub/two": b"2"}


def test_links_to_a_cache_of_before_stop_its_removal(linked: Work, tmp_path: Path) -> None:
    linked.settings["cache.dir"] = str(tmp_path / "cache")
    linked.remove("d.datavc")

    with pytest.raises(DataError, match="cannot be made a plain file"):
        leave(linked)

    assert linked.tree("d") == {"one": b"1", "sub/two": b"2"}
