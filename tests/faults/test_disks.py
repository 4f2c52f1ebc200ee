"""Disks that are full, fail, or may not be written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.conftest import cache, cloned, contents, nothing_recorded, refused, share
from tests.support import soundness
from tests.support.kill import failing, needs_strace
from tests.support.mounts import needs_mounts, read_only, tmpfs
from tests.support.repo import PROGRAM, RepoBuilder
from tests.support.versions import lay

FILES = contents(40)

needs_setpriv = pytest.mark.skipif(
    shutil.which("setpriv") is None, reason="setpriv is not installed"
)


@pytest.fixture
def data(repo: RepoBuilder) -> RepoBuilder:
    """A project with a directory that is not added yet."""
    lay(repo, FILES)
    return repo


@needs_mounts
@pytest.mark.parametrize("size", [200_000, 6_000], ids=["large files", "small files"])
def test_r11_a_disk_that_is_full_while_adding(tmp_path: Path, size: int) -> None:
    files = contents(900_000 // size, size)
    with tmpfs(tmp_path / "small", "4m") as small:
        repo = RepoBuilder(small / "repo")
        lay(repo, files)
        free = shutil.disk_usage(small).free
        (small / "ballast").write_bytes(b"x" * (free - 400_000))
        refused(repo.run("add", "data", check=False), "space")
        nothing_recorded(repo, files)
        assert list((cache(repo) / "tmp").iterdir()) == []
        (small / "ballast").unlink()
        repo.run("add", "data")
        assert soundness.lost(files.values(), {}, cache(repo)) == 0
        assert soundness.dangling(repo.root, cache(repo)) == []


@needs_mounts
def test_r12_a_disk_that_is_full_while_pulling(data: RepoBuilder, tmp_path: Path) -> None:
    files = contents(30, 60_000)
    lay(data, files)
    data.run("add", "--quiet", "data")
    share(data, tmp_path / "remote")
    with tmpfs(tmp_path / "small", "4m") as small:
        clone = cloned(data, small / "clone", tmp_path / "remote")
        (small / "ballast").write_bytes(b"x" * 2_600_000)
        refused(clone.run("pull", check=False), "space")
        assert soundness.torn(cache(clone)) == []
        assert all(files[path] == found for path, found in clone.tree("data").items())
        (small / "ballast").unlink()
        clone.run("pull")
        assert clone.tree("data") == files


@needs_strace
def test_r13_a_file_that_cannot_be_read(data: RepoBuilder) -> None:
    file = data.root / "data/f0007"
    done = failing(data, ("add", "data"), "read:error=EIO", "pread64:error=EIO", path=file)
    refused(done, "data/f0007")
    nothing_recorded(data, FILES)
    data.run("add", "data")


@needs_strace
@pytest.mark.parametrize("count", [1, 40], ids=["fsync", "syncfs"])
def test_r14_bytes_that_cannot_be_made_durable(repo: RepoBuilder, count: int) -> None:
    files = contents(count)
    lay(repo, files)
    done = failing(repo, ("add", "data"), "fsync:error=EIO", "syncfs:error=EIO")
    refused(done)
    nothing_recorded(repo, files)
    assert soundness.objects(cache(repo)) == {}
    repo.run("add", "data")
    assert soundness.dangling(repo.root, cache(repo)) == []


@needs_strace
def test_writing_that_fails_leaves_nothing_under_its_name(data: RepoBuilder) -> None:
    done = failing(data, ("add", "data"), "write:error=EIO:when=20+")
    assert done.code not in (0, 255) and "Traceback" not in done.stderr
    nothing_recorded(data, FILES)
    data.run("add", "data")


@needs_setpriv
def test_r16_a_file_that_may_not_be_read(data: RepoBuilder) -> None:
    (data.root / "data/f0003").chmod(0)
    dropped = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    refused(data.start(*dropped, PROGRAM, "add", "data", check=False), "data/f0003")
    (data.root / "data/f0003").chmod(0o644)
    nothing_recorded(data, FILES)
    data.run("add", "data")


@needs_mounts
def test_r17_a_shared_cache_that_is_read_only(data: RepoBuilder, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    data.run("config", "--local", "cache.dir", str(shared))
    data.run("add", "--quiet", "data")
    data.commit("data")
    clone = cloned(data, tmp_path / "clone")
    clone.run("config", "--local", "cache.dir", str(shared))
    with read_only(shared):
        assert clone.run("status").code == 0
        clone.run("checkout")
        assert clone.tree("data") == FILES
        assert clone.run("status").code == 0
        (clone.root / "data/new").write_bytes(b"new")
        refused(clone.run("add", "data", check=False), "ead-only")


@needs_mounts
def test_a_repository_that_is_read_only_can_be_looked_at(data: RepoBuilder) -> None:
    data.run("add", "--quiet", "data")
    data.commit("data")
    with read_only(data.root):
        for command in (("status",), ("list",), ("diff",), ("du",), ("cat", "data/f0001")):
            data.run(*command)
        refused(data.run("add", "data", check=False), "ead-only")
        refused(data.run("undo", check=False), "ead-only")


@needs_mounts
def test_a_remote_that_is_read_only_is_said(data: RepoBuilder, tmp_path: Path) -> None:
    data.run("add", "--quiet", "data")
    share(data, tmp_path / "remote")
    (data.root / "data/new").write_bytes(b"new")
    data.run("add", "--quiet", "data")
    with read_only(tmp_path / "remote"):
        refused(data.run("push", check=False), "ead-only")
        clone = cloned(data, tmp_path / "clone", tmp_path / "remote")
        clone.git("checkout", "--quiet", "HEAD")
        clone.run("pull")
        assert clone.tree("data") == FILES
