"""Files that change unseen: same size, same times, while they are read, under wrong clocks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.conftest import NoteFigure, cache, contents
from tests.support import soundness
from tests.support.ladder import LONG
from tests.support.mounts import disk, needs_mounts
from tests.support.repo import PROGRAM, RepoBuilder
from tests.support.versions import lay

TRIES = 20 if LONG else 4


def modified(repo: RepoBuilder) -> list[str]:
    """Return what status calls modified."""
    found = json.loads(repo.run("status", "--json", "--granular").stdout)
    return found.get("uncommitted", {}).get("modified", [])


def overwrite(file: Path, content: bytes) -> None:
    """Write other bytes into the file that is there."""
    with open(file, "r+b", buffering=0) as stream:
        stream.write(content)


def test_r25_a_rewrite_in_place_with_its_old_time_put_back(
    repo: RepoBuilder, figure: NoteFigure
) -> None:
    for turn in range(TRIES):
        file = repo.write(f"file{turn}", b"a" * 5000)
        repo.run("add", "--quiet", file.name)
        before = file.stat()
        overwrite(file, b"b" * 5000)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert file.name in modified(repo)
    figure(f"{TRIES} of {TRIES} seen")


@needs_mounts
def test_r26_a_rewrite_within_one_second_where_times_are_whole_seconds(
    tmp_path: Path, figure: NoteFigure
) -> None:
    with disk(tmp_path, "-I", "128") as ext4:
        repo = RepoBuilder(ext4.root / "repo")
        assert repo.write("probe", b"").stat().st_mtime_ns % 1_000_000_000 == 0
        for turn in range(TRIES):
            file = repo.write(f"file{turn}", b"a" * 5000)
            repo.run("add", "--quiet", file.name)
            overwrite(file, b"b" * 5000)
            assert file.name in modified(repo)
    figure(f"{TRIES} of {TRIES} seen")


REWRITER = """
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
size, turn = os.fstat(fd).st_size, 0
while True:
    turn += 1
    for start in range(0, size, 1 << 20):
        os.pwrite(fd, bytes([turn % 251]) * min(1 << 20, size - start), start)
"""


def test_r28_a_file_that_is_rewritten_while_it_is_added(
    repo: RepoBuilder, figure: NoteFigure
) -> None:
    tries, size = (6, 64 << 20) if LONG else (2, 8 << 20)
    refusals = 0
    for turn in range(tries):
        file = repo.write(f"file{turn}", b"\0" * size)
        writer = subprocess.Popen([sys.executable, "-c", REWRITER, str(file)])
        time.sleep(0.05)
        try:
            done = repo.run("add", file.name, check=False)
        finally:
            writer.kill()
            writer.wait()
        refusals += done.code != 0
        assert soundness.torn(cache(repo)) == []
        assert soundness.dangling(repo.root, cache(repo)) == []
        assert (repo.root / f"{file.name}.datavc").exists() is (done.code == 0)
        assert done.code == 0 or file.name in done.stderr
        file.unlink()
    figure(f"{tries} tries, {refusals} refused")


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
def test_r65_a_clock_that_is_behind_and_then_ahead(repo: RepoBuilder) -> None:
    files = contents(20)
    lay(repo, files)
    repo.start("faketime", "-f", "-400d", PROGRAM, "add", "--quiet", "data")
    assert modified(repo) == []
    overwrite(repo.root / "data/f0001", b"other bytes")
    assert "data/f0001" in modified(repo)
    ahead = ("faketime", "-f", "+400d", PROGRAM)
    overwrite(repo.root / "data/f0003", b"bytes of another time")
    seen = repo.start(*ahead, "status", "--json", "--granular").stdout
    assert "data/f0001" in seen and "data/f0003" in seen
    files |= {name: repo.read(f"data/{name}") for name in ("f0001", "f0003")}
    repo.start(*ahead, "add", "--quiet", "data")
    overwrite(repo.root / "data/f0002", b"yet others")
    assert modified(repo) == ["data/", "data/f0002"]
    repo.run("checkout", "--force", "data")
    assert repo.tree("data") == files
    assert soundness.torn(cache(repo)) == []
