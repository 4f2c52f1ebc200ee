"""gc in a cache that several workspaces use: each of them counts, or stops it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from datavc.core.errors import DatavcError
from datavc.repo.git_history import RevisionScope
from datavc.verbs.workspaces import identity
from tests.support.collecting import ONE, THREE, TWO, freed, held, three_versions
from tests.support.work import Work


@pytest.fixture
def versions(work: Work) -> Work:
    """Return a project with three committed versions of a file."""
    return three_versions(work)


@pytest.fixture
def pair(versions: Work, tmp_path: Path) -> tuple[Work, Work]:
    """Return two clones with one cache; the second has its own data."""
    other = versions.clone(tmp_path / "other")
    shared = str(tmp_path / "shared")
    os.rename(versions.root / ".datavc/cache", shared)
    for work in (versions, other):
        work.settings["cache.dir"] = shared
        with open(work.root / ".datavc/config.local.toml", "a") as settings:
            settings.write(f'[cache]\ndir = "{shared}"\n')
    versions.add("file")
    other.write("mine", b"mine")
    other.add("mine")
    return versions, other


def test_what_the_other_works_with_stays(pair: tuple[Work, Work]):
    work, other = pair

    freed(work)

    assert held(work) == [THREE]
    assert other.object(b"mine").exists()


def test_the_others_history_counts_by_the_same_scope(pair: tuple[Work, Work]):
    work, other = pair
    other.commit("mine")
    other.write("mine", b"mine, later")
    other.add("mine")
    other.commit("later")

    freed(work, scope=RevisionScope(all_commits=True))

    assert other.object(b"mine").exists() and other.object(b"mine, later").exists()


def test_one_that_cannot_be_read_stops_it(pair: tuple[Work, Work]):
    work, other = pair
    os.rename(other.root, f"{other.root}-gone")

    with pytest.raises(DatavcError, match="cannot be read") as refusal:
        freed(work)

    assert f"--forget {other.root}" in refusal.value.hint
    assert held(work) == [ONE, TWO, THREE]


def test_one_that_is_gone_can_be_forgotten(pair: tuple[Work, Work]):
    work, other = pair
    record = Path(work.repo().objects.root, "workspaces", f"{identity(other.repo().layout)}.json")
    os.rename(other.root, f"{other.root}-gone")
    mine = json.loads(record.read_text())["needs"]

    freed(work, forget=(str(other.root),))

    assert held(work) == [THREE]
    assert work.repo().objects.missing(mine) == {work.digest(b"mine")}
    assert not record.exists()


def test_one_that_is_there_but_cannot_be_read_keeps_what_it_published(pair: tuple[Work, Work]):
    work, other = pair
    (other.root / ".datavc/config.toml").write_text("[")

    freed(work, forget=(str(other.root),))

    assert work.object(b"mine").exists()
    assert held(work) == [THREE]


def test_one_that_can_be_read_cannot_be_forgotten(pair: tuple[Work, Work]):
    work, other = pair

    with pytest.raises(DatavcError, match="no workspace"):
        freed(work, forget=(str(other.root),))


def test_a_damaged_record_stops_it_until_it_is_forgotten_by_its_id(pair: tuple[Work, Work]):
    work, _ = pair
    record = Path(work.repo().objects.root, "workspaces", "0123.json")
    record.write_text("{")

    with pytest.raises(DatavcError, match="0123"):
        freed(work)
    freed(work, forget=("0123",))

    assert not record.exists()


def test_one_at_the_same_path_of_another_machine_is_another(pair: tuple[Work, Work]):
    work, _ = pair
    os.rename(work.root, f"{work.root}-here")
    there = Work(work.root)
    there.settings = work.settings
    there.write("theirs", b"theirs")
    there.add("theirs")
    their_id = identity(there.repo().layout)
    os.rename(work.root, f"{work.root}-there")
    os.rename(f"{work.root}-here", work.root)

    with pytest.raises(DatavcError, match="where another one lies now") as refusal:
        freed(work)
    assert f"--forget {their_id}" in refusal.value.hint
    assert there.object(b"theirs").exists()
    freed(work, forget=(their_id,))

    assert not there.object(b"theirs").exists()
    freed(work)


def test_a_linked_worktree_counts_in_both_directions(versions: Work, tmp_path: Path):
    versions.git("worktree", "add", "-q", "--detach", str(tmp_path / "tree"), "v3")
    tree = Work(tmp_path / "tree", fresh=False)
    tree.write("new", ONE + ONE)
    tree.add("new")
    versions.write("file", TWO + TWO)
    versions.add("file")

    freed(versions)
    freed(tree)

    assert versions.object(ONE + ONE).exists() and versions.object(TWO + TWO).exists()
