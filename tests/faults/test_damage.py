"""Objects that rot, shrink or vanish, in the cache and on the remote."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import cache, cloned, contents, refused, share
from tests.support import soundness
from tests.support.repo import RepoBuilder
from tests.support.versions import lay

FILES = {**contents(12), "large": os.urandom(700_000)}
Damage = Callable[[Path], None]


def object_of(store: Path, content: bytes) -> Path:
    digits = soundness.name_of(content).partition(":")[2]
    return store / "objects/blake3" / digits[:2] / digits[2:]


def flip_a_bit(file: Path) -> None:
    """Change one bit and nothing else that can be seen: size, mode and mtime are put back."""
    before, data = file.stat(), bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.chmod(0o644)
    file.write_bytes(data)
    file.chmod(before.st_mode & 0o777)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def cut_in_half(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


@pytest.fixture
def shared(repo: RepoBuilder, tmp_path: Path) -> RepoBuilder:
    """A project whose data lies in the cache and on a remote."""
    lay(repo, FILES)
    repo.run("add", "--quiet", "data")
    share(repo, tmp_path / "remote")
    return repo


@pytest.mark.parametrize("name", ["f0003", "large"])
@pytest.mark.parametrize("damage", [flip_a_bit, cut_in_half])
def test_r18_r19_a_damaged_object_is_found_and_never_handed_out(
    shared: RepoBuilder, damage: Damage, name: str
) -> None:
    damage(object_of(cache(shared), FILES[name]))
    shutil.rmtree(shared.root / "data")
    refused(shared.run("checkout", check=False), f"data/{name}")
    assert shared.tree("data") == {p: c for p, c in FILES.items() if p != name}
    shared.run("pull")
    assert shared.tree("data") == FILES
    damage(object_of(cache(shared), FILES[name]))
    shared.run("config", "--local", "core.remote", "nowhere")
    assert name in shared.run("fsck", check=False).stdout


@pytest.mark.parametrize("kind", ["hardlink", "symlink"])
def test_r18_what_was_hashed_once_is_hashed_again_before_it_is_linked_to(
    shared: RepoBuilder, kind: str
) -> None:
    shared.run("config", "--local", "cache.type", kind)
    shared.run("checkout", "--relink")  # has hashed the large one, and remembers that
    flip_a_bit(object_of(cache(shared), FILES["large"]))
    shutil.rmtree(shared.root / "data")
    refused(shared.run("checkout", check=False), "data/large")
    assert not os.path.lexists(shared.root / "data/large")


@pytest.mark.parametrize("damage", [flip_a_bit, cut_in_half])
def test_r20_a_damaged_object_on_the_remote_arrives_nowhere(
    shared: RepoBuilder, tmp_path: Path, damage: Damage
) -> None:
    damage(object_of(tmp_path / "remote", FILES["f0003"]))
    clone = cloned(shared, tmp_path / "clone", tmp_path / "remote")
    refused(clone.run("pull", check=False), "data/f0003")
    assert soundness.torn(cache(clone)) == []
    assert clone.tree("data") == {p: c for p, c in FILES.items() if p != "f0003"}


def test_r21_what_vanished_from_the_remote_is_sent_again(
    shared: RepoBuilder, tmp_path: Path
) -> None:
    object_of(tmp_path / "remote", FILES["f0003"]).unlink()
    shared.run("push")
    clone = cloned(shared, tmp_path / "clone", tmp_path / "remote")
    clone.run("pull")
    assert clone.tree("data") == FILES


@pytest.mark.parametrize("damage", [flip_a_bit, cut_in_half, Path.unlink])
def test_r22_pull_heals_the_cache(shared: RepoBuilder, damage: Damage) -> None:
    for name in ("f0003", "large"):
        damage(object_of(cache(shared), FILES[name]))
    shutil.rmtree(shared.root / "data")
    shared.run("pull")
    assert shared.tree("data") == FILES
    assert soundness.torn(cache(shared)) == []


def test_r22_pull_heals_a_damaged_list_of_files(shared: RepoBuilder) -> None:
    pointer = (shared.root / "data.datavc").read_text()
    digits = pointer.partition("blake3:")[2].split()[0]
    flip_a_bit(cache(shared) / "objects/blake3" / digits[:2] / digits[2:])
    shutil.rmtree(shared.root / "data")
    shared.run("pull")
    assert shared.tree("data") == FILES
    assert soundness.torn(cache(shared)) == []


@pytest.mark.parametrize("command", ["push", "checkout", "fetch", "pull"])
def test_r67_one_missing_object_is_named_and_the_rest_delivered(
    shared: RepoBuilder, tmp_path: Path, command: str
) -> None:
    rest = {path: content for path, content in FILES.items() if path != "f0003"}
    remote = tmp_path / "remote"
    repo, whole = shared, cache(shared)
    if command == "push":
        shutil.rmtree(remote)
        remote.mkdir()
    else:
        whole = remote
    object_of(whole, FILES["f0003"]).unlink()
    if command in ("fetch", "pull"):
        repo = cloned(shared, tmp_path / "clone", remote)
    if command == "checkout":
        object_of(cache(shared), FILES["f0003"]).unlink()
        shutil.rmtree(shared.root / "data")
    done = repo.run(command, "--json", check=False)
    assert done.code == 4
    assert [f["path"] for f in json.loads(done.stdout)["failures"]] == ["data/f0003"]
    if command in ("checkout", "pull"):
        assert repo.tree("data") == rest
    else:
        arrived = remote if command == "push" else cache(repo)
        assert soundness.lost(rest.values(), {}, arrived) == 0


def test_r48_work_that_was_never_added_is_not_replaced(shared: RepoBuilder) -> None:
    lay(shared, {**FILES, "f0001": b"committed later"})
    shared.run("add", "--quiet", "data")
    shared.commit("later")
    shared.write("data/f0001", b"my edit")
    shared.write("data/mine", b"my file")
    shared.git("-c", "core.hooksPath=/dev/null", "checkout", "--quiet", "HEAD~1")
    refused(shared.run("checkout", check=False), "data/f0001")
    assert shared.tree("data") == {**FILES, "f0001": b"my edit", "mine": b"my file"}
    shared.run("checkout", "--force")
    assert shared.read("data/f0001") == FILES["f0001"]
    assert soundness.lost([b"my edit", b"my file"], shared.tree("data"), cache(shared)) == 0
    shared.run("undo")
    assert shared.read("data/f0001") == b"my edit"
