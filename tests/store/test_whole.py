"""A tree that was found whole counts as whole until anything in the cache comes or goes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from datavc.core.digest import Digest, make
from datavc.store.whole import WholeTrees

TREE = make("blake3", "a" * 64)
OLD = time.time_ns() - 10**12


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    """Folders of objects that nobody has touched for a while."""
    for two in ("00", "ab"):
        folder = tmp_path / "objects/blake3" / two
        folder.mkdir(parents=True)
        (folder / "object").touch()
        os.utime(folder, ns=(OLD, OLD))
    return tmp_path / "objects"


def memo(objects: Path) -> WholeTrees:
    return WholeTrees(str(objects), str(objects.parent / "whole.json"))


def noted(objects: Path, now: int = OLD + 1) -> bool:
    """Note a tree, and tell whether the next process knows it."""
    first = memo(objects)
    assert not first.knows(TREE)
    first.remember(TREE, now)
    return memo(objects).knows(TREE)


def test_the_next_process_knows_it(objects: Path) -> None:
    assert noted(objects)
    assert not memo(objects).knows(Digest("blake3:" + "b" * 64))


def test_an_object_that_goes_ends_it(objects: Path) -> None:
    assert noted(objects)
    (objects / "blake3/ab/object").unlink()
    assert not memo(objects).knows(TREE)


def test_a_folder_that_goes_ends_it(objects: Path) -> None:
    assert noted(objects)
    (objects / "blake3/00").rename(objects.parent / "elsewhere")
    assert not memo(objects).knows(TREE)


def test_an_object_that_went_while_the_others_were_asked_for_ends_it(objects: Path) -> None:
    asking = memo(objects)
    assert not asking.knows(TREE)
    (objects / "blake3/ab/object").unlink()
    asking.remember(TREE, time.time_ns() + 10**12)
    assert not memo(objects).knows(TREE)


def test_nothing_is_noted_while_a_folder_is_as_young_as_the_question(objects: Path) -> None:
    assert not noted(objects, now=OLD)


def test_a_damaged_memo_knows_nothing(objects: Path) -> None:
    assert noted(objects)
    for damaged in ("", "[]", "{}", '{"times": 1}', "\0"):
        (objects.parent / "whole.json").write_text(damaged)
        assert not memo(objects).knows(TREE)


def test_a_folder_that_cannot_be_listed_ends_it(objects: Path) -> None:
    assert noted(objects)
    (objects / "md5").symlink_to("md5")
    assert not memo(objects).knows(TREE)
