"""Several at once: processes in one repository, clones on one cache, gc beside them."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.conftest import NoteFigure, cache, cloned, contents, refused, share
from tests.support import soundness
from tests.support.ladder import LONG
from tests.support.repo import PROGRAM, RepoBuilder
from tests.support.versions import lay

FILES = contents(60)
ROUNDS = 10 if LONG else 2
GC = ("-c", "gc.grace=0", "gc", "--workspace", "--unpushed", "--expire-undo", "--force")


def at_once(*runs: tuple[RepoBuilder, Sequence[str]]) -> list[int]:
    """Start all at once and return their exit codes."""
    started = [
        subprocess.Popen(
            (PROGRAM, *arguments),
            cwd=repo.root,
            env=repo.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for repo, arguments in runs
    ]
    return [process.wait(120) for process in started]


def two_pushed_versions(repo: RepoBuilder, remote: Path) -> dict[str, bytes]:
    lay(repo, FILES)
    repo.run("add", "--quiet", "data")
    share(repo, remote)
    later = {**FILES, "f0000": b"later"}
    lay(repo, later)
    repo.run("add", "--quiet", "data")
    repo.commit("later")
    return later


def test_r23_gc_keeps_what_it_is_told_and_never_the_only_copy_unasked(
    repo: RepoBuilder, tmp_path: Path
) -> None:
    two_pushed_versions(repo, tmp_path / "remote")
    shutil.rmtree(tmp_path / "remote/objects")
    refused(repo.run("gc", "--force", check=False), "told what to keep")
    grace = ("-c", "gc.grace=0", "gc", "--expire-undo", "--force")
    repo.run(*grace, "--workspace")
    assert soundness.lost(FILES.values(), {}, cache(repo)) == 0, "the only copies"
    repo.run(*grace, "--all-commits", "--unpushed")
    assert soundness.lost(FILES.values(), {}, cache(repo)) == 0, "an old version"
    assert soundness.dangling(repo.root, cache(repo)) == []
    repo.run(*GC)
    assert soundness.lost([FILES["f0000"]], {}, cache(repo)) == 1, "nobody names it any more"


def test_r24_gc_spares_what_another_clone_added_and_did_not_commit(
    repo: RepoBuilder, tmp_path: Path
) -> None:
    repo.commit("nothing yet")
    clone = cloned(repo, tmp_path / "clone")
    for one in (repo, clone):
        one.run("config", "--local", "cache.dir", str(tmp_path / "shared"))
    lay(repo, FILES)
    repo.run("add", "--quiet", "data")
    mine = contents(30, seed="mine")
    lay(clone, mine, "mine")
    clone.run("add", "--quiet", "mine")
    shutil.rmtree(repo.root / "data")
    repo.start("rm", "data.datavc")
    repo.run("checkout")  # tells the shared cache that this is not needed any more
    repo.run(*GC)
    assert soundness.lost(mine.values(), {}, tmp_path / "shared") == 0
    assert soundness.lost(FILES.values(), {}, tmp_path / "shared") == len(FILES), "gc did work"
    shutil.rmtree(clone.root / "mine")
    clone.run("checkout")
    assert clone.tree("mine") == mine


@pytest.mark.parametrize("kind", ["hardlink", "symlink"])
def test_r27_a_program_that_writes_through_a_link_is_found_out(
    repo: RepoBuilder, kind: str
) -> None:
    repo.run("config", "--local", "cache.type", kind)
    file = repo.write("big.bin", os.urandom(400_000))
    repo.run("add", "--quiet", "big.bin")
    repo.run("checkout", "--relink")
    assert file.is_symlink() or file.stat().st_nlink == 2
    assert not file.stat().st_mode & 0o222
    with open(file, "r+b", buffering=0) as stream:  # root may
        stream.write(b"damage")
    refused(repo.run("fsck", check=False), "big.bin")
    file.unlink()
    refused(repo.run("checkout", check=False), "big.bin")
    assert not file.exists()
    assert soundness.torn(cache(repo)) == []


def test_r29_eight_processes_add_eight_files(repo: RepoBuilder, figure: NoteFigure) -> None:
    for turn in range(ROUNDS):
        names = [f"file{turn}-{number}" for number in range(8)]
        for name in names:
            repo.write(name, name * 999)
        assert at_once(*((repo, ("add", name)) for name in names)) == [0] * 8
        assert soundness.dangling(repo.root, cache(repo)) == []
        assert all((repo.root / f"{name}.datavc").exists() for name in names)
        ignored = repo.read(".gitignore").decode().split()
        assert {f"/{name}" for name in names} <= set(ignored)
    figure(f"{ROUNDS} rounds of 8")


def test_r30_four_clones_pull_into_one_cache(
    repo: RepoBuilder, tmp_path: Path, figure: NoteFigure
) -> None:
    lay(repo, FILES)
    repo.run("add", "--quiet", "data")
    share(repo, tmp_path / "remote")
    for turn in range(ROUNDS):
        clones = [cloned(repo, tmp_path / f"{turn}-{n}", tmp_path / "remote") for n in range(4)]
        for clone in clones:
            clone.run("config", "--local", "cache.dir", str(tmp_path / f"shared{turn}"))
        assert at_once(*((clone, ("pull",)) for clone in clones)) == [0] * 4
        assert [clone.tree("data") for clone in clones] == [FILES] * 4
        assert soundness.torn(tmp_path / f"shared{turn}") == []
    figure(f"{ROUNDS} rounds of 4")


def test_r31_two_clones_push_overlapping_data(repo: RepoBuilder, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    lay(repo, FILES)
    repo.run("add", "--quiet", "data")
    share(repo, tmp_path / "first")
    clones = []
    for name in ("one", "two"):
        clone = cloned(repo, tmp_path / name, tmp_path / "first")
        clone.run("pull", "--quiet")
        clone.run("remote", "add", "--quiet", "--local", "--force", "-d", "folder", str(remote))
        lay(clone, {**FILES, name: name.encode()})
        clone.run("add", "--quiet", "data")
        clone.commit(name)
        clones.append(clone)
    assert at_once(*((clone, ("push",)) for clone in clones)) == [0, 0]
    for clone in clones:
        wanted = clone.tree("data")
        again = cloned(clone, tmp_path / f"{clone.root.name}-again", remote)
        again.run("pull")
        assert again.tree("data") == wanted


def test_gc_beside_add_loses_nothing(repo: RepoBuilder, figure: NoteFigure) -> None:
    rounds = 200 if LONG else 3
    lay(repo, FILES)
    repo.run("add", "--quiet", "data")
    drawn = random.Random(7)
    for turn in range(rounds):
        files = contents(20, seed=f"{turn // 2}")  # every other round meets its own garbage
        lay(repo, files)
        first, second = drawn.sample([("add", "data"), GC], 2)
        assert at_once((repo, first), (repo, second)) == [0, 0]
        assert soundness.dangling(repo.root, cache(repo)) == []
        assert soundness.lost(files.values(), {}, cache(repo)) == 0
        lay(repo, {"other": str(turn).encode()})
        repo.run("add", "--quiet", "data")
    figure(f"{rounds} rounds")
