"""fsck: every byte looked at; what is damaged is set aside, named, and had again if it can be."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from datavc.core.errors import DatavcError
from datavc.store import trees
from datavc.verbs.fsck import FsckOptions, FsckResult, fsck
from datavc.verbs.sync_options import SyncOptions
from tests.support.repo import RepoBuilder
from tests.support.work import Work

LARGE = os.urandom(3 << 20)


def check(work: Work, *, remote: str | None = None, **options: object) -> FsckResult:
    chosen = FsckOptions(sync=SyncOptions(remote=remote), **options)  # type: ignore[arg-type]
    return fsck(work.repo(), chosen)


def damage(path: Path, content: bytes = b"damaged") -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def stored(work: Work, digest: str) -> Path:
    return Path(work.repo().objects.path(digest))  # type: ignore[arg-type]


@pytest.fixture
def data(work: Work) -> Work:
    """Return a project with a file and a directory, whose workspace files are gone."""
    work.version({"file": b"one", "large": LARGE, "d/a": b"a", "d/sub/b": b"b"}, "v1")
    return work


def empty(work: Work) -> None:
    """Take the data out of the workspace, so that it is no source of sound bytes."""
    work.remove("file", "large", "d")


def test_a_sound_cache_is_sound(data: Work) -> None:
    result = check(data)

    assert result.exit_code == 0
    assert result.checked == 5
    assert result.bytes == sum(info.size for info in data.repo().objects.iter())
    assert (result.damaged, result.missing, result.failures) == ([], [], [])


def test_an_empty_cache_is_sound(work: Work) -> None:
    assert check(work).exit_code == 0


@pytest.mark.parametrize("content", [b"damaged", LARGE[:-1], LARGE[:-1] + b"?", b""])
def test_damage_is_seen_whatever_was_remembered(data: Work, content: bytes) -> None:
    empty(data)
    assert check(data).exit_code == 0
    damage(data.object(LARGE), content)

    result = check(data)

    assert result.exit_code == 4
    assert [(one.files, one.repaired) for one in result.damaged] == [(["large"], False)]
    assert "large" in result.failures[0].message
    assert not data.object(LARGE).exists()
    assert result.quarantine[0].digest == data.digest(LARGE)
    assert result.quarantine[0].files == ("large",)


def test_damage_is_seen_though_size_and_times_are_as_they_were(data: Work) -> None:
    empty(data)
    path = data.object(LARGE)
    check(data)
    before = path.stat()
    damage(path, b"?" + LARGE[1:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert check(data).exit_code == 4


def test_files_are_named_in_all_commits_that_have_them(data: Work) -> None:
    data.version({"d/a": b"new", "copy": b"b"}, "v2")
    data.remove("copy")
    empty(data)
    damage(data.object(b"a"))
    damage(data.object(b"b"))

    result = check(data)

    assert {tuple(one.files) for one in result.damaged} == {("d/a",), ("copy", "d/sub/b")}


def test_an_object_that_serves_nothing_is_named_by_its_digest(data: Work) -> None:
    data.write("gone", b"gone")
    data.add("gone")
    data.remove("gone", "gone.datavc")
    damage(data.object(b"gone"))

    result = check(data)

    assert data.digest(b"gone") in result.failures[0].message


def test_sound_bytes_of_the_workspace_repair(data: Work) -> None:
    damage(data.object(LARGE))
    damage(data.object(b"b"))

    result = check(data)

    assert result.exit_code == 0
    assert sorted((one.files[0], one.repaired) for one in result.damaged) == [
        ("d/sub/b", True),
        ("large", True),
    ]
    assert data.object(LARGE).read_bytes() == LARGE
    assert check(data).damaged == []


def test_changed_files_of_the_workspace_do_not_repair(data: Work) -> None:
    damage(data.object(b"one"))
    data.write("file", b"another")

    assert check(data).exit_code == 4
    assert data.read("file") == b"another"


def test_a_list_of_files_is_made_again_from_the_files(data: Work) -> None:
    tree = data.pointed("d.datavc")
    damage(stored(data, tree))

    result = check(data)

    assert result.exit_code == 0
    assert result.damaged[0].files == ["d/"]
    entries = trees.entries(data.repo().objects, tree)
    assert [entry.path for entry in entries] == ["a", "sub/b"]


def test_a_remote_repairs_lists_and_then_the_files_that_they_name(
    data: Work, tmp_path: Path
) -> None:
    data.remote(tmp_path / "storage")
    data.push()
    empty(data)
    damage(stored(data, data.pointed("d.datavc")))
    damage(data.object(b"a"))
    data.lose(data.digest(b"b"))

    result = check(data)

    assert result.exit_code == 0
    assert all(one.repaired for one in (*result.damaged, *result.missing))
    assert data.repo().objects.missing([data.digest(b"a"), data.digest(b"b")]) == set()


def test_the_remote_that_is_named_repairs(data: Work, tmp_path: Path) -> None:
    data.remote(tmp_path / "empty", "empty")
    data.remote(tmp_path / "full", "full", default=False)
    data.push(remote="full")
    empty(data)
    damage(data.object(b"one"))

    assert check(data, remote="empty").exit_code == 4
    assert check(data, remote="full").exit_code == 0
    assert data.object(b"one").read_bytes() == b"one"


def test_an_unknown_remote_is_an_error(data: Work) -> None:
    empty(data)
    data.lose(data.digest(b"one"))

    with pytest.raises(DatavcError, match="nowhere"):
        check(data, remote="nowhere")


def test_what_this_workspace_had_and_the_cache_lost_is_missing(data: Work) -> None:
    empty(data)
    data.lose(data.digest(b"one"), data.digest(b"a"))

    result = check(data)

    assert sorted(one.files[0] for one in result.missing) == ["d/a", "file"]
    assert result.exit_code == 4


def test_what_was_never_fetched_is_not_missing(data: Work, tmp_path: Path) -> None:
    data.remote(tmp_path / "storage")
    data.push()
    clone = data.clone(tmp_path / "clone")

    result = check(clone)

    assert (result.exit_code, result.missing) == (0, [])
    assert clone.repo().objects.missing([data.digest(b"one")])


def test_without_repair_damage_is_only_set_aside(data: Work) -> None:
    damage(data.object(b"one"))

    result = check(data, repair=False)

    assert result.exit_code == 4
    assert not data.object(b"one").exists()
    assert len(result.quarantine) == 1


def test_a_dry_run_leaves_everything_where_it_is(data: Work) -> None:
    damage(data.object(b"one"))

    result = check(data, dry_run=True)

    assert result.exit_code == 4
    assert data.object(b"one").read_bytes() == b"damaged"
    assert result.quarantine == []


def test_strange_names_and_kinds_are_told(data: Work) -> None:
    objects = Path(data.repo().objects.root, "objects")
    (objects / "stray").write_text("")
    (objects / "blake3" / "zz").mkdir()
    (objects / "blake3" / "zz" / "name").write_text("")
    path = data.object(b"one")
    path.unlink()
    path.symlink_to("/etc/hostname")

    result = check(data, repair=False)

    assert sorted(result.strays) == ["objects/blake3/zz/name", "objects/stray"]
    assert [one.reason for one in result.damaged] == ["it is no file"]


class TestCloud:
    """What the remote has is read and hashed too."""

    @pytest.fixture
    def pushed(self, data: Work, tmp_path: Path) -> Work:
        data.remote(tmp_path / "storage", "storage")
        data.push()
        return data

    @staticmethod
    def there(work: Work, tmp_path: Path, content: bytes) -> Path:
        inside = work.object(content).relative_to(work.repo().objects.root)
        return tmp_path / "storage" / inside

    def test_a_sound_remote(self, pushed: Work) -> None:
        result = check(pushed, cloud=True)

        assert result.exit_code == 0
        assert result.checked == 2 * 5

    def test_a_damaged_object_is_sent_again(self, pushed: Work, tmp_path: Path) -> None:
        damage(self.there(pushed, tmp_path, LARGE))

        result = check(pushed, cloud=True)

        assert result.exit_code == 0
        found = result.damaged[0]
        assert (found.remote, found.files, found.repaired) == ("storage", ["large"], True)
        assert self.there(pushed, tmp_path, LARGE).read_bytes() == LARGE

    def test_without_sound_bytes_here_it_is_named(self, pushed: Work, tmp_path: Path) -> None:
        damage(self.there(pushed, tmp_path, b"one"))
        pushed.lose(pushed.digest(b"one"))
        pushed.remove("file")

        result = check(pushed, cloud=True)

        assert result.exit_code == 4
        assert any("on storage" in failure.message for failure in result.failures)

    def test_without_repair_nothing_is_sent(self, pushed: Work, tmp_path: Path) -> None:
        damage(self.there(pushed, tmp_path, b"one"))

        result = check(pushed, cloud=True, repair=False)

        assert result.exit_code == 4
        assert self.there(pushed, tmp_path, b"one").read_bytes() == b"damaged"

    def test_what_was_never_pushed_is_said(self, pushed: Work) -> None:
        pushed.write("file", b"later")
        pushed.add("file")

        result = check(pushed, cloud=True)

        assert result.exit_code == 0
        assert any("datavc push" in text for text in result.warnings)


def test_the_command_says_what_it_did(repo: RepoBuilder) -> None:
    repo.write("file", b"one")
    repo.run("add", "file")
    repo.commit("one")
    path = next((repo.root / ".datavc/cache/objects").glob("*/*/*"))
    damage(path)
    repaired = repo.run("fsck")
    damage(path)
    repo.write("file", b"other")

    lost = repo.run("fsck", "--json", check=False)

    assert "Repaired: file (damaged: its 7 bytes are blake3:" in repaired.stdout
    assert "1 object verified, 7 B" in repaired.stdout
    assert lost.code == 4
    found = json.loads(lost.stdout)
    assert found["checked"] == 1 and found["damaged"][0]["files"] == ["file"]
    assert found["failures"][0]["path"] == "file"
    assert "Error: file: object blake3:" in lost.stderr


def test_the_command_verifies_the_remote_under_both_names(repo: RepoBuilder) -> None:
    repo.write("file", b"one")
    repo.run("add", "file")
    repo.run("remote", "add", "-d", "storage", str(repo.root.parent / "storage"))
    repo.run("push")

    for option in ("--remote", "--cloud"):
        assert "2 objects verified" in repo.run("fsck", option).stdout
