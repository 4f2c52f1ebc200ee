"""What dead writers left goes by itself; what lives, or died today, is left alone."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from datavc.store import leftovers
from datavc.store.leases import Lease
from datavc.store.links import Placer
from datavc.store.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    made = LocalStore(str(tmp_path / "cache"), "blake3")
    with made.writer() as writer:
        writer.put_bytes(b"sound")
    return made


def left(store: LocalStore, name: str, days: float) -> tuple[Path, Path]:
    """Leave a writer's folder and lease of that age; return both."""
    folder, lease = Path(store.root, "tmp", name), Path(store.root, "leases", name)
    folder.mkdir()
    (folder / "1").write_bytes(b"half")
    lease.write_text("")
    for path in (folder / "1", folder, lease):
        os.utime(path, times=(time.time() - days * 86400,) * 2)
    return folder, lease


def in_days(store: LocalStore, days: float) -> None:
    """Sweep as a writer would that begins in so many days: ctime cannot be set, so now is."""
    leftovers.sweep_cache(store.root, time.time() + days * 86400)


def test_old_folders_and_leases_of_dead_writers_go(store: LocalStore) -> None:
    left(store, "1-deaddeaddead", days=3)
    left(store, "2-deaddeaddead", days=3)
    in_days(store, 2)
    assert os.listdir(Path(store.root, "tmp")) == []
    assert os.listdir(Path(store.root, "leases")) == ["gate"]
    assert len([*store.iter()]) == 1


def test_what_died_today_stays(store: LocalStore) -> None:
    paths = [*left(store, "1-deaddeaddead", days=0), *left(store, "2-deaddeaddead", days=0)]
    with store.writer() as writer:
        writer.put_bytes(b"more")
    assert [path.exists() for path in paths] == [True] * 4


def test_a_living_writer_keeps_folder_and_lease_however_old(store: LocalStore) -> None:
    kept = [left(store, name, days=3) for name in ("1-a11fea11fea1", "2-a11fea11fea1")]
    held = [open(lease, "rb") for _, lease in kept]  # noqa: SIM115 - held, as a writer holds it
    for file in held:
        fcntl.flock(file, fcntl.LOCK_EX)
    in_days(store, 2)
    assert [path.exists() for pair in kept for path in pair] == [True] * 4
    for file in held:
        file.close()


def test_the_next_writer_sweeps_leases_that_are_a_day_old(store: LocalStore) -> None:
    Path(store.root, "leases", "1-deaddeaddead").write_text("")
    os.utime(Path(store.root, "leases", "1-deaddeaddead"), times=(0, 0))
    alive = Lease(store.root)
    with store.writer() as writer:
        writer.put_bytes(b"more")
    assert sorted(os.listdir(Path(store.root, "leases"))) == sorted([alive.name, "gate"])
    alive.release()


def test_who_places_files_leaves_those_of_today_alone(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / ".datavc-1-x-1").write_bytes(b"half")
    Placer(store, str(tmp_path / "tmp"), ("copy",)).close()
    assert os.listdir(tmp_path / "tmp") == [".datavc-1-x-1"]
