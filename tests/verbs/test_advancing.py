"""A hook moves a directory by what differs between two versions, and touches nothing else."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datavc.core.progress import SILENT
from datavc.store import trees
from datavc.verbs import advancing
from datavc.verbs.checkout import CheckoutOptions, CheckoutResult, checkout
from datavc.verbs.scanning import inventory
from datavc.verbs.settling import Settler
from tests.support.work import Work

ONE = {"d/a": b"aaa", "d/b": b"bbb", "d/deep/c": b"ccc", "d/same": b"same"}
TWO = {"d/a": b"AAA", "d/new/x": b"xxx", "d/deep/c": b"ccc", "d/same": b"same"}


def make(work: Work, files: dict[str, bytes], name: str) -> None:
    """Make a version of `d` that holds exactly `files`."""
    shutil.rmtree(work.root / "d", ignore_errors=True)
    work.version(files, name)


def go(work: Work, version: str) -> CheckoutResult:
    """Let Git move the pointer, and the hook move the data."""
    work.git("checkout", "-q", version)
    time.sleep(0.01)
    return checkout(work.repo(), ["d"], CheckoutOptions(hook=True))


def advances(work: Work, version: str) -> bool:
    """Tell whether the short way would be taken to `version`."""
    work.git("checkout", "-q", version)
    repo = work.repo()
    (output,) = inventory(repo).outputs.values()
    found = advancing.plan(repo, output, lambda entry: repo.objects.holds(entry.digest))
    work.git("checkout", "-q", "-")
    return found is not None


@pytest.fixture
def two(work: Work) -> Work:
    """A project at version one, with a version two."""
    make(work, TWO, "two")
    make(work, ONE, "one")
    assert work.status() == {}
    return work


def lying(work: Work) -> dict[str, bytes]:
    return {f"d/{path}": content for path, content in work.tree("d").items()}


def test_it_goes_there_and_back(two: Work) -> None:
    for version, files in (("two", TWO), ("one", ONE), ("two", TWO)):
        assert advances(two, version)
        done = go(two, version)
        assert lying(two) == files
        assert done.failures == []
        assert two.status() == {}
        assert not (two.root / "d/new").exists() or version == "two"


def test_what_both_versions_share_is_not_opened(two: Work, monkeypatch) -> None:
    seen: list[str] = []
    real = os.lstat

    def watched(path, **how):
        seen.append(os.fspath(path))
        return real(path, **how)

    monkeypatch.setattr(os, "lstat", watched)
    go(two, "two")
    assert any(path.endswith("/d/a") for path in seen)
    assert [path for path in seen if path.endswith(("/d/same", "/d/deep/c"))] == []


def test_an_edit_at_a_changed_name_is_kept_and_named(two: Work) -> None:
    two.write("d/a", b"mine")
    done = go(two, "two")
    assert [failure.path for failure in done.failures] == ["d/a"]
    assert lying(two) == {**TWO, "d/a": b"mine"}


def test_an_edit_that_was_put_back_in_time_is_kept(two: Work) -> None:
    before = (two.root / "d/a").stat()
    (two.root / "d/a").write_bytes(b"AbA")
    os.utime(two.root / "d/a", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [failure.path for failure in go(two, "two").failures] == ["d/a"]
    assert two.read("d/a") == b"AbA"


def test_a_file_of_the_user_where_a_new_one_belongs_is_kept(two: Work) -> None:
    two.write("d/new/x", b"mine")
    assert [failure.path for failure in go(two, "two").failures] == ["d/new/x"]
    assert two.read("d/new/x") == b"mine"


@pytest.mark.parametrize("short", [True, False])
def test_an_edit_elsewhere_stays_as_it_is(two: Work, short: bool) -> None:
    if not short:
        two.repo().stat_cache.forget("d")
    assert advances(two, "two") is short
    two.write("d/same", b"mine")
    two.write("d/own", b"own")
    done = go(two, "two")
    assert done.failures == []
    assert lying(two) == {**TWO, "d/same": b"mine", "d/own": b"own"}
    assert two.status(granular=True)["uncommitted"] == {
        "added": ["d/own"],
        "modified": ["d/", "d/same"],
    }


def test_a_touched_file_is_as_it_was(two: Work) -> None:
    os.utime(two.root / "d/a")
    assert advances(two, "two")
    go(two, "two")
    assert lying(two) == TWO


def test_what_is_not_saved_is_never_replaced(two: Work) -> None:
    digest = two.digest(b"aaa")
    Path(two.repo().objects.path(digest)).unlink()
    assert not advances(two, "two")
    assert [failure.path for failure in go(two, "two").failures] == ["d/a"]
    assert two.read("d/a") == b"aaa"


def test_what_is_missing_is_named_and_the_rest_follows(two: Work) -> None:
    Path(two.repo().objects.path(two.digest(b"AAA"))).unlink()
    done = go(two, "two")
    assert [failure.path for failure in done.missing] == ["d/a"]
    assert lying(two) == {**TWO, "d/a": b"aaa"}


def test_a_link_in_the_place_of_the_directory_is_not_followed(two: Work, tmp_path: Path) -> None:
    (two.root / "d").rename(tmp_path / "elsewhere")
    (two.root / "d").symlink_to(tmp_path / "elsewhere")
    assert not advances(two, "two")
    go(two, "two")
    assert (tmp_path / "elsewhere/a").read_bytes() == b"aaa"


def test_the_executable_bit_follows(two: Work) -> None:
    (two.root / "d/a").chmod(0o755)
    two.add("d")
    two.commit("bit")
    go(two, "one")
    assert not (two.root / "d/a").stat().st_mode & 0o100
    go(two, "bit")
    assert (two.root / "d/a").stat().st_mode & 0o100
    assert two.status() == {}


@pytest.mark.parametrize("kind", ["hardlink", "symlink"])
def test_links_to_the_cache_are_followed_too(two: Work, kind: str) -> None:
    two.settings["cache.type"] = kind
    two.checkout(relink=True)
    for version, files in (("two", TWO), ("one", ONE)):
        go(two, version)
        assert lying(two) == files
        assert two.status() == {}


NAMES = st.sampled_from(["a", "b", "c/x", "c/y", "e", "f/g/h", "ü", "z"])
TREES = st.dictionaries(NAMES, st.sampled_from([b"1", b"22", b"333"]), min_size=1)


@settings(max_examples=12, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.lists(TREES, min_size=2, max_size=4), st.data())
def test_it_ends_where_looking_at_everything_ends(tmp_path_factory, versions, data) -> None:
    work = Work(tmp_path_factory.mktemp("advance") / "work")
    for number, files in enumerate(versions):
        make(work, {f"d/{path}": content for path, content in files.items()}, f"v{number}")
    for _ in range(3):
        number = data.draw(st.integers(0, len(versions) - 1))
        go(work, f"v{number}")
        assert work.tree("d") == versions[number]
        assert work.status() == {}
        assert checkout(work.repo(), ["d"], CheckoutOptions(), progress=SILENT).files == 0


def test_files_that_the_user_deleted_stay_so_when_the_rest_goes(work: Work) -> None:
    make(work, {"d/a": b"aaa"}, "two")
    make(work, {"d/a": b"aaa", "d/b": b"bbb"}, "one")
    work.status()
    (work.root / "d/a").unlink()
    assert advances(work, "two")
    assert go(work, "two").failures == []
    assert not (work.root / "d").exists()
    assert work.status() == {"uncommitted": {"deleted": ["d/"]}}


@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("target", ["one", "three"])
def test_what_a_killed_hook_left_half_done_is_not_taken_for_the_users_work(
    two: Work, short: bool, target: str
) -> None:
    make(two, {**ONE, "d/same": b"other"}, "three")
    go(two, "one")
    two.status()
    if not short:
        two.repo().stat_cache.forget("d")
    assert advances(two, "two") is short

    def killed_at_half(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Settler, "_report", killed_at_half)
        go(two, "two")
    assert two.read("d/a") == b"AAA"

    assert go(two, target).failures == []
    assert lying(two) == ({**ONE, "d/same": b"other"} if target == "three" else ONE)
    assert two.status() == {}


@pytest.mark.parametrize("rule", [".datavcignore", "d/.datavcignore"])
def test_what_the_rules_pass_over_is_never_taken_for_deleted(work: Work, rule: str) -> None:
    make(work, {"d/a": b"aaa", "d/x": b"xxx"}, "two")
    make(work, {"d/a": b"aaa"}, "one")
    work.status()
    work.write(rule, "x\n")
    assert not advances(work, "two")
    go(work, "two")
    work.add("d")
    assert {"a", "x"} <= recorded_paths(work)


def recorded_paths(work: Work) -> set[str]:
    """Return the paths of the tree that the pointer records."""
    (output,) = inventory(work.repo()).outputs.values()
    return {entry.path for entry in trees.entries(work.repo().objects, output.digest)}
