"""What a careful reader of the code asked for: each was once wrong."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from datavc.core.errors import DataError
from datavc.store.local import LocalStore
from tests.support.work import Work


@pytest.mark.parametrize("sibling", ["logs.txt", "logs-1", "logs 2", "logs/x"])
def test_an_empty_folder_comes_back_whatever_stands_beside_it(work: Work, sibling: str) -> None:
    work.lay({f"d/{sibling}": b"x", "d/z": b"z"})
    (work.root / "d/logs").mkdir(exist_ok=True)
    work.add("d")

    work.remove("d")
    work.checkout()

    assert (work.root / "d/logs").is_dir()
    assert (work.root / "d" / sibling).read_bytes() == b"x"


def test_an_empty_directory_as_a_whole_comes_back(work: Work) -> None:
    (work.root / "e").mkdir()
    work.add("e")
    (work.root / "e").rmdir()

    work.checkout()

    assert (work.root / "e").is_dir()
    assert "uncommitted" not in work.status()


def test_data_whose_pointer_git_ignores_is_not_taken_away(work: Work) -> None:
    work.lay({"data/x": b"x"})
    work.add("data/x")
    work.write(".gitignore", "/data/\n")

    work.checkout()

    assert work.read("data/x") == b"x"


def test_data_whose_pointer_only_its_user_removed_is_not_taken_away(work: Work) -> None:
    work.version({"x": b"x"}, "v1")
    (work.root / "x.datavc").unlink()

    work.checkout()

    assert work.read("x") == b"x"


def test_data_stays_while_any_pointer_is_in_conflict(work: Work) -> None:
    work.lay({"x": b"x"})
    work.add("x")
    (work.root / "x.datavc").rename(work.root / "other.datavc")
    work.write("other.datavc", "<<<<<<< HEAD\n")

    work.checkout()

    assert work.read("x") == b"x"


def test_a_file_that_changes_between_its_hash_and_its_link_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"hashed")
    store = LocalStore(str(tmp_path / "cache"), "blake3")

    with pytest.raises(DataError, match="changed while it was added"), store.writer() as writer:
        writer.put_link(str(file))
        file.write_bytes(b"other bytes")

    assert list(store.iter()) == []
    assert file.read_bytes() == b"other bytes"


def test_a_pointer_that_is_a_dangling_link_stops_nobody(work: Work) -> None:
    work.lay({"x": b"x"})
    work.add("x")
    (work.root / "bad.datavc").symlink_to("nowhere")
    work.remove("x")

    work.checkout()

    assert work.read("x") == b"x"
    assert any("bad.datavc" in warning for warning in work.warnings())


def test_what_upstream_deleted_goes_after_a_checkout_of_another_part(work: Work) -> None:
    work.version({"d/a": b"a1", "d/b": b"b", "d/c": b"c"}, "v1")
    work.remove("d/c")
    work.version({"d/a": b"a2"}, "v2")
    work.git("checkout", "-q", "v1")
    work.checkout()
    work.git("checkout", "-q", "v2")

    work.checkout("d/a")
    work.checkout()

    assert not (work.root / "d/c").exists()
    assert "uncommitted" not in work.status()


def test_a_link_to_a_damaged_object_is_not_taken_for_the_file(work: Work) -> None:
    work.settings["cache.type"] = "symlink"
    work.lay({"d/x": b"good"})
    work.add("d")
    stored = work.object(b"good")
    os.chmod(stored, 0o644)
    stored.write_bytes(b"evil")

    found = work.status()

    assert found.get("uncommitted", {}).get("modified") == ["d/"]  # type: ignore[attr-defined]
    assert not stored.exists()


def test_a_second_add_into_one_directory_starts_from_what_the_first_wrote(work: Work) -> None:
    work.version({"d/a": b"a1", "d/b": b"b1"}, "v1")
    work.lay({"d/a": b"a2", "d/b": b"b2"})

    work.add("d/a")
    work.add("d/b")

    assert "uncommitted" not in work.status()


@pytest.mark.parametrize("other", ["sha256", "xxh128"])
def test_another_choice_of_digest_changes_no_data(work: Work, other: str) -> None:
    work.version({"f": b"f", "d/a": b"a", "d/b": b"b"}, "v1")
    work.settings["core.digest"] = other
    shutil.rmtree(work.root / ".datavc/state")

    assert "uncommitted" not in work.status()
    assert work.checkout().files == 0
    work.lay({"d/a": b"a2"})
    work.add("d")
    work.commit("v2")
    work.remove("d", "f")
    work.checkout()
    assert (work.read("d/a"), work.read("d/b"), work.read("f")) == (b"a2", b"b", b"f")
    assert "uncommitted" not in work.status()


def test_a_file_that_another_tool_named_by_md5_is_compared_in_md5(work: Work) -> None:
    digest = hashlib.md5(b"old", usedforsecurity=False).hexdigest()
    work.lay({"f": b"old", "f.datavc": f"datavc: 1\npath: f\nkind: file\ndigest: md5:{digest}\n"})

    before = work.status()
    work.lay({"f": b"new"})

    assert "uncommitted" not in before
    assert work.status()["uncommitted"] == {"modified": ["f"]}
