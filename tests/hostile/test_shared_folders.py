"""A folder that others write to, a remote or a shared cache: nothing of it but ours is swept."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from datavc.store import leftovers
from datavc.store.leases import alive
from datavc.store.local import LocalStore
from tests.support.repo import RepoBuilder
from tests.support.stranger import SECRET, Machine

LATER_S = 9 * leftovers.DAY_S
"""From now: when everything that lies here is old enough to be swept."""


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    made = LocalStore(str(tmp_path / "store"), "blake3")
    with made.writer() as writer:
        writer.put_bytes(b"sound")
    return made


def sweep_everything(store: LocalStore) -> None:
    """Sweep as writers and collections do, a week from now."""
    alive(store.root)
    leftovers.sweep_cache(store.root, time.time() + LATER_S)
    leftovers.sweep(leftovers.in_cache(store.root, time.time() + LATER_S))


def test_what_the_user_keeps_in_the_folder_of_a_remote_is_left_alone(tmp_path: Path) -> None:
    repo, share = RepoBuilder(tmp_path / "repo"), tmp_path / "share"
    for kept in ("tmp/thesis", "tmp/photos/one", "leases/contract", "leases/2026-11"):
        (share / kept).parent.mkdir(parents=True, exist_ok=True)
        (share / kept).write_bytes(SECRET)
        os.utime(share / kept, (0, 0))
    before = sorted(share.rglob("*"))
    repo.run("remote", "add", "-d", "share", str(share))
    repo.write("file", "data")
    repo.run("add", "file")
    repo.run("push")
    sweep_everything(LocalStore(str(share), "blake3"))
    assert set(before) <= set(share.rglob("*"))


@pytest.mark.parametrize("folder", ["tmp", "leases"])
def test_a_link_in_place_of_a_folder_of_the_store_leads_no_sweep_elsewhere(
    machine: Machine, store: LocalStore, folder: str
) -> None:
    place = Path(store.root, folder)
    place.rename(place.with_name("before"))
    place.symlink_to(machine.outside)
    sweep_everything(store)


def test_a_link_in_place_of_the_folder_of_a_writer_leads_its_end_nowhere(
    machine: Machine, store: LocalStore
) -> None:
    with pytest.raises(FileNotFoundError), store.writer() as writer:
        writer.put_bytes(b"some bytes")
        (mine,) = Path(store.root, "tmp").iterdir()
        mine.rename(Path(store.root, "taken"))
        mine.symlink_to(machine.outside)
        writer.flush()
    assert os.listdir(Path(store.root, "taken")) == []
