"""Loose files: what was read is believed while the stat is the same and older than the reading."""

from __future__ import annotations

import time
from pathlib import Path

from datavc.repo.loose import LooseFiles
from datavc.store.memo_file import read, write
from datavc.store.stat_segment import WRITTEN_BACK_NS, StatKey, StatValue

NOW = time.time_ns()
OLD: StatKey = ("a/b", 1, 10, NOW - 9, NOW - 9)
VALUE = StatValue("blake3:" + "0" * 64, 10, 0, "check")


def noted(folder: Path, key: StatKey = OLD, probe: int = NOW) -> Path:
    file = folder / "loose"
    loose = LooseFiles(str(file))
    loose.put(key, VALUE, probe)
    loose.save()
    return file


def again(file: Path) -> LooseFiles:
    """Return the memo as the next process reads it."""
    return LooseFiles(str(file))


def reboot(file: Path) -> None:
    _, known = read(str(file), 1)  # type: ignore[misc]
    write(str(file), 1, ("another boot", known))


def test_the_same_stat_is_the_same_file(tmp_path: Path):
    found = again(noted(tmp_path)).get(OLD)

    assert found == VALUE
    assert isinstance(found, StatValue)


def test_any_other_stat_is_not(tmp_path: Path):
    loose = again(noted(tmp_path))

    for place in range(1, 5):
        other = list(OLD)
        other[place] += 1  # type: ignore[operator]
        assert loose.get(tuple(other)) is None  # type: ignore[arg-type]
    assert loose.last("a/b") == VALUE
    assert loose.last("a/c") is None


def test_a_file_as_young_as_its_reading_is_read_again(tmp_path: Path):
    for young in (("a", 1, 10, NOW, NOW - 9), ("a", 1, 10, NOW - 9, NOW)):
        loose = again(noted(tmp_path, young))

        assert loose.get(young) is None
        assert loose.last("a") == VALUE


def test_after_the_machine_started_anew_only_what_was_on_the_disk_counts(tmp_path: Path):
    file = noted(tmp_path)
    long_ago: StatKey = ("old", 2, 10, NOW - 2 * WRITTEN_BACK_NS, NOW - 2 * WRITTEN_BACK_NS)
    loose = again(file)
    loose.put(long_ago, VALUE, NOW)
    loose.save()
    reboot(file)

    assert again(file).get(OLD) is None
    assert again(file).last("a/b") is None
    assert again(file).get(long_ago) == VALUE


def test_a_memo_that_is_lost_or_damaged_costs_only_time(tmp_path: Path):
    file = noted(tmp_path)
    whole = file.read_bytes()
    for wrong in (b"", whole[:-1], whole[1:], b"\0" * 100, whole[:40] + b"x" + whole[41:]):
        file.write_bytes(wrong)

        assert again(file).get(OLD) is None
    file.unlink()
    assert again(file).get(OLD) is None


def test_nothing_is_written_where_nothing_was_learnt(tmp_path: Path):
    LooseFiles(str(tmp_path / "loose")).save()

    assert not (tmp_path / "loose").exists()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path):
    (tmp_path / "file").touch()

    noted(tmp_path / "file")
