"""The lock journal: durable line by line, and only of the very lock that it was begun for."""

from __future__ import annotations

from pathlib import Path

import pytest

from datavc.core.lock import LockEntry
from datavc.core.paths import RepoPath
from datavc.formats import lockfile
from datavc.repo.lock_journal import LockJournal

LOCK = RepoPath("datavc.lock")
OTHER = RepoPath("sub/datavc.lock")
ONE, TWO, THREE = (LockEntry((text,)) for text in ("one", "two\nlines", "three"))
DATA = lockfile.render({"a": ONE}, LOCK)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journals"


def journal(folder: Path) -> LockJournal:
    """Return the journals as another process sees them."""
    return LockJournal(str(folder))


def test_entries_add_up_and_the_later_counts(folder: Path):
    writer = journal(folder)
    writer.append(LOCK, DATA, {"b": ONE})
    writer.append(LOCK, DATA, {"b": TWO, "c": THREE})

    assert journal(folder).entries(LOCK, DATA) == {"b": TWO, "c": THREE}
    assert journal(folder).merged(LOCK, DATA) == lockfile.render(
        {"a": ONE, "b": TWO, "c": THREE}, LOCK
    )


def test_without_a_journal_the_lock_is_what_it_is(folder: Path):
    assert journal(folder).merged(LOCK, DATA) is DATA
    assert journal(folder).merged(LOCK, None) is None
    assert not journal(folder).has_any()


def test_a_lock_that_is_not_there_yet_has_a_journal_too(folder: Path):
    journal(folder).append(LOCK, None, {"b": ONE})

    assert journal(folder).entries(LOCK, None) == {"b": ONE}
    assert journal(folder).merged(LOCK, None) == lockfile.render({"b": ONE}, LOCK)


def test_a_journal_of_another_text_says_nothing(folder: Path):
    journal(folder).append(LOCK, DATA, {"b": ONE})

    assert journal(folder).entries(LOCK, DATA + b"\n") == {}
    assert journal(folder).entries(LOCK, None) == {}


def test_each_lock_has_its_own(folder: Path):
    writer = journal(folder)
    writer.append(LOCK, None, {"a": ONE})
    writer.append(OTHER, None, {"b": TWO})
    writer.drop(LOCK)

    assert journal(folder).entries(LOCK, None) == {}
    assert journal(folder).entries(OTHER, None) == {"b": TWO}
    assert journal(folder).has_any()


def test_a_run_begins_it_anew(folder: Path):
    journal(folder).append(LOCK, DATA, {"a": ONE})
    journal(folder).append(LOCK, DATA, {"b": TWO})

    assert journal(folder).entries(LOCK, DATA) == {"b": TWO}


def test_what_was_dropped_is_begun_again(folder: Path):
    writer = journal(folder)
    writer.append(LOCK, DATA, {"a": ONE})
    writer.drop(LOCK)
    writer.drop(LOCK)
    new = lockfile.render({"a": TWO}, LOCK)
    writer.append(LOCK, new, {"c": THREE})

    assert journal(folder).entries(LOCK, new) == {"c": THREE}


def test_cut_anywhere_whole_lines_count_and_half_ones_do_not(folder: Path):
    journal(folder).append(LOCK, DATA, {"a": ONE, "b": TWO, "c": THREE})
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    full = journal(folder).entries(LOCK, DATA)
    seen = []
    for size in range(len(whole) + 1):
        file.write_bytes(whole[:size])
        found = journal(folder).entries(LOCK, DATA)
        assert found.items() <= full.items()
        if not seen or seen[-1] != set(found):
            seen.append(set(found))

    assert seen == [set(), {"a"}, {"a", "b"}, {"a", "b", "c"}]


def test_a_damaged_line_ends_it(folder: Path):
    journal(folder).append(LOCK, DATA, {"a": ONE, "b": TWO, "c": THREE})
    (file,) = folder.iterdir()
    lines = file.read_bytes().split(b"\n")
    lines[2] = lines[2].replace(b"two", b"owt")
    file.write_bytes(b"\n".join(lines))

    assert journal(folder).entries(LOCK, DATA) == {"a": ONE}


def test_a_lock_with_a_conflict_is_left_to_who_reads_it(folder: Path):
    torn = b"<<<<<<< a\n" + DATA
    journal(folder).append(LOCK, torn, {"a": ONE})

    assert journal(folder).merged(LOCK, torn) is torn
