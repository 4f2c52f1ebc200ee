"""destroy: data become plain files, everything else of datavc goes, and nothing is lost."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from datavc.core.errors import DataError, DatavcError, FormatError
from datavc.verbs import destroy as verb
from datavc.verbs import leaving, workspaces
from datavc.verbs.destroy import DestroyOptions, DestroyResult, destroy
from tests.support.repo import RepoBuilder
from tests.support.work import Work


def leave(work: Work, **options: object) -> DestroyResult:
    settings = {"force": True} | options
    return destroy(work.repo(), DestroyOptions(**settings))  # type: ignore[arg-type]


@pytest.fixture
def tracking(work: Work) -> Work:
    """Return a project that tracks a directory and a file, committed."""
    work.write(".gitattributes", b"*.py text\n" + work.read(".gitattributes"))
    work.version({"d/one": "1", "d/sub/two": "2", "x.csv": "x"}, "v1")
    return work


DATA = {"d/one": b"1", "d/sub/two": b"2", "x.csv": b"x"}


def test_data_stays_and_everything_else_goes(tracking: Work) -> None:
    hooks = tracking.root / ".git/hooks"
    assert (hooks / "pre-push").exists()

    result = leave(tracking)

    assert result.outputs == ["d", "x.csv"]
    assert tracking.tree() == DATA | {".gitattributes": b"*.py text\n"}
    assert not (tracking.root / ".datavc").exists()
    assert not (hooks / "pre-push").exists() and not (hooks / "post-checkout").exists()
    assert "merge.datavc" not in tracking.git("config", "--local", "--list").stdout


@pytest.mark.parametrize("kind", ["hardlink", "symlink"])
def test_links_become_copies_and_absent_data_is_put_there(tracking: Work, kind: str) -> None:
    tracking.settings["cache.type"] = kind
    tracking.remove("d", "x.csv")
    tracking.checkout()
    tracking.remove("x.csv", "d/one")

    result = leave(tracking)

    assert (result.copied, sorted(result.placed)) == (1, ["d/one", "x.csv"])
    assert tracking.tree() == DATA | {".gitattributes": b"*.py text\n"}
    assert not (tracking.root / "d/sub/two").is_symlink()
    assert os.access(tracking.root / "d/sub/two", os.W_OK)


def test_work_that_was_never_added_stays_as_it_is(tracking: Work) -> None:
    tracking.write("d/one", "edited")
    tracking.write("d/new", "new")

    leave(tracking)

    assert tracking.tree("d") == {"one": b"edited", "new": b"new", "sub/two": b"2"}


def test_without_checkout_only_what_is_here_stays(tracking: Work) -> None:
    tracking.remove("x.csv")

    leave(tracking, checkout=False)

    assert not (tracking.root / "x.csv").exists()
    assert tracking.tree("d") == {"one": b"1", "sub/two": b"2"}


def test_data_that_is_nowhere_stops_it(tracking: Work) -> None:
    tracking.remove("d/one")
    tracking.lose(tracking.digest(b"1"))
    before = tracking.tree()

    with pytest.raises(DataError, match="d/one would be lost") as caught:
        leave(tracking)

    assert "--no-checkout" in caught.value.hint
    assert tracking.tree() == before and tracking.repo().placed.outputs() == ["d", "x.csv"]
    tracking.lose()
    with pytest.raises(DataError, match="list of files in d"):
        leave(tracking)


def test_a_dangling_link_to_the_cache_stops_it_in_any_case(tracking: Work) -> None:
    tracking.settings["cache.type"] = "symlink"
    tracking.remove("x.csv")
    tracking.checkout()
    tracking.lose(tracking.digest(b"x"))

    with pytest.raises(DataError, match="x.csv would be lost"):
        leave(tracking, checkout=False)


def test_a_pointer_that_cannot_be_read_stops_it(tracking: Work) -> None:
    tracking.write("d.datavc", "<<<<<<< HEAD\n")

    with pytest.raises(FormatError, match=r"d\.datavc"):
        leave(tracking)

    assert tracking.object(b"1").exists()


def test_a_linked_work_tree_stops_it(tracking: Work, tmp_path: Path) -> None:
    tracking.git("worktree", "add", "-q", str(tmp_path / "second"))

    with pytest.raises(DatavcError, match="linked work tree .*second"):
        leave(tracking)

    assert tracking.object(b"1").exists()


def test_another_workspace_that_uses_this_cache_stops_it(tracking: Work, tmp_path: Path) -> None:
    clone = tracking.clone(tmp_path / "clone")
    clone.settings["cache.dir"] = str(tracking.root / ".datavc/cache")
    workspaces.announce(clone.repo())

    with pytest.raises(DatavcError, match="clone too"):
        leave(tracking)


def test_a_shared_cache_elsewhere_stays(work: Work, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    work.settings["cache.dir"] = str(shared)
    work.version({"x.csv": "x"}, "v1")
    assert [one.root for one in workspaces.announced(str(shared))] == [str(work.root)]

    result = leave(work)

    assert result.cache == str(shared)
    assert work.read("x.csv") == b"x" and list((shared / "objects").glob("*/*/*"))
    assert workspaces.announced(str(shared)) == []


def test_a_dry_run_and_a_no_change_nothing(tracking: Work) -> None:
    before = tracking.tree()

    result = leave(tracking, force=False, dry_run=True)
    with pytest.raises(DatavcError, match="nothing was done"):
        leave(tracking, force=False, ask=lambda question: False)
    with pytest.raises(DatavcError, match="nobody can be asked"):
        leave(tracking, force=False)

    assert set(result.removed) == {"d.datavc", "x.csv.datavc", ".datavcignore", ".datavc"}
    assert tracking.tree() == before and (tracking.root / ".datavc/config.toml").exists()


@pytest.mark.parametrize("killed_at", ["_make_plain", "withdraw", "unhook", "remove", "rmtree"])
def test_a_kill_loses_nothing_and_a_rerun_finishes(
    tracking: Work, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    tracking.remove("x.csv")
    places = {"unhook": leaving, "remove": leaving.pointers, "rmtree": shutil}

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(places.get(killed_at, verb), killed_at, die)
        with pytest.raises(KeyboardInterrupt):
            leave(tracking)
    assert (tracking.root / ".datavc/config.toml").exists()
    leave(tracking)

    assert tracking.tree() == DATA | {".gitattributes": b"*.py text\n"}
    assert not (tracking.root / ".datavc").exists()


def test_the_command_needs_force_without_a_terminal(repo: RepoBuilder) -> None:
    repo.write("x.csv", "x")
    repo.run("add", "x.csv")

    refused = repo.run("destroy", check=False)
    done = repo.run("destroy", "--force")

    assert refused.code == 1 and "--force" in refused.stderr
    assert "datavc is gone" in done.stdout
    assert repo.tree() == {"x.csv": b"x"}
    assert "no datavc project" in repo.run("status", check=False).stderr
