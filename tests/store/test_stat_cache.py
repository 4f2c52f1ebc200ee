"""What the stat cache says is believed no longer than the bytes were sure to be there."""

from __future__ import annotations

import os
import time
from pathlib import Path

from datavc.store.stat_cache import StatCache
from datavc.store.stat_segment import WRITTEN_BACK_NS, StatKey, StatSegment, StatValue, packed

NOW = time.time_ns()
YOUNG: StatKey = ("a", 1, 10, NOW, NOW)
OLD: StatKey = ("b", 2, 10, NOW, NOW - 2 * WRITTEN_BACK_NS)
VALUES = [StatValue("blake3:" + "0" * 64, 10, 0, "")] * 2


def noted(folder: Path, *keys: StatKey, at: int = NOW) -> StatCache:
    cache = StatCache(str(folder))
    cache.save("out", "a", StatSegment("leaf", [*keys], VALUES, at - WRITTEN_BACK_NS))
    return cache


def reboot(folder: Path) -> None:
    """Make every record one that was written before the machine was started anew."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
    for file in (path for path in folder.rglob("*") if path.is_file()):
        file.write_bytes(file.read_bytes().replace(boot, b"another-boot"))


def trusted(cache: StatCache) -> list[StatKey]:
    segment = cache.load("out", "a")
    assert segment is not None
    return [key for key in segment.keys if key in (YOUNG, OLD)]


def test_a_young_file_is_trusted_until_the_machine_starts_anew(tmp_path: Path) -> None:
    cache = noted(tmp_path, YOUNG, OLD)
    assert trusted(cache) == [YOUNG, OLD]
    reboot(tmp_path)
    assert trusted(cache) == [OLD]
    segment = cache.load("out", "a")
    assert segment is not None and segment.leaf == ""


def test_an_old_file_is_trusted_afterwards_too(tmp_path: Path) -> None:
    cache = noted(tmp_path, YOUNG, OLD, at=NOW + 2 * WRITTEN_BACK_NS)
    reboot(tmp_path)
    assert trusted(cache) == [YOUNG, OLD]
    segment = cache.load("out", "a")
    assert segment is not None and segment.leaf == "leaf"


def test_a_segment_is_noted_once_more_when_its_files_have_grown_old(tmp_path: Path) -> None:
    segment = noted(tmp_path, YOUNG, OLD).load("out", "a")
    assert segment is not None
    assert segment.noted_again(packed([YOUNG, OLD]), NOW + WRITTEN_BACK_NS // 2) is None
    later = segment.noted_again(packed([YOUNG, OLD]), NOW + 2 * WRITTEN_BACK_NS)
    assert later is not None
    cache = StatCache(str(tmp_path))
    cache.save("out", "a", later)
    again = cache.load("out", "a")
    assert (
        again is not None
        and again.noted_again(packed(again.keys), NOW + 9 * WRITTEN_BACK_NS) is None
    )
    reboot(tmp_path)
    assert trusted(cache) == [YOUNG, OLD]


def test_a_record_of_another_format_or_cut_short_is_none(tmp_path: Path) -> None:
    cache = noted(tmp_path, YOUNG, OLD)
    file = next(path for path in tmp_path.rglob("*") if path.is_file())
    whole = file.read_bytes()
    for damaged in (b"", whole[:40], whole.replace(b'stat", 3', b'stat", 9'), b"\0" * len(whole)):
        file.write_bytes(damaged)
        assert cache.load("out", "a") is None
    os.truncate(file, 0)
    assert cache.load("out", "a") is None


def test_keys_are_compared_as_they_are_where_their_hash_is_not_known(tmp_path: Path) -> None:
    cache = noted(tmp_path, YOUNG, OLD)
    whole = cache.load("out", "a")
    assert (
        whole is not None
        and whole.has_keys(packed([YOUNG, OLD]))
        and not whole.has_keys(packed([OLD, YOUNG]))
    )

    patched = whole.with_rows("other", 20, [0, (OLD, VALUES[0])], whole.settled)

    assert patched.has_keys(packed([YOUNG, OLD])) and not patched.has_keys(packed([OLD, OLD]))
    again = patched.noted_again(packed([YOUNG, OLD]), NOW)
    assert again is not None and again.totals.keys == whole.totals.keys


def test_a_changed_row_changes_the_hash(tmp_path: Path) -> None:
    segment = noted(tmp_path, YOUNG, OLD).load("out", "a")
    assert segment is not None
    for place in range(5):
        changed = list(YOUNG)
        changed[place] = "b" if place == 0 else changed[place] + 1  # type: ignore[operator]
        assert not segment.has_keys(packed([tuple(changed), OLD]))  # type: ignore[list-item]
