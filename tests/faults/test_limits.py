"""Little to work with: few descriptors, no locks, no links, little memory; signals and pipes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.conftest import NoteFigure, cache, cloned, contents, refused, share
from tests.support import soundness
from tests.support.kill import failing, kill_group, needs_strace
from tests.support.ladder import FILES as MANY
from tests.support.ladder import LONG
from tests.support.repo import PROGRAM, RepoBuilder
from tests.support.versions import lay

FILES = contents(40)

HOLDER = """
import sys
from datavc.core.progress import SILENT
from datavc.store.lock import repository_lock
with repository_lock(sys.argv[1], 5, SILENT):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_r08_a_lock_dies_with_its_process(repo: RepoBuilder) -> None:
    lay(repo, FILES)
    lock = str(repo.root / ".datavc/state/lock")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None and holder.stdin is not None
    assert holder.stdout.readline() == b"held\n"
    waiting = repo.run("--no-wait", "add", "data", check=False)
    assert waiting.code != 0 and str(holder.pid) in waiting.stderr
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    begin = time.monotonic()
    repo.run("add", "data")
    assert time.monotonic() - begin < 10


def test_r15_sixty_four_descriptors(repo: RepoBuilder, tmp_path: Path) -> None:
    files = contents(500, 400)
    lay(repo, files)
    few = ("sh", "-c", 'ulimit -n 64 && exec "$@"', "sh", PROGRAM)
    repo.start(*few, "add", "data")
    share(repo, tmp_path / "remote")
    (tmp_path / "other").mkdir()
    repo.run("remote", "add", "--quiet", "--local", "other", str(tmp_path / "other"))
    repo.start(*few, "push", "-r", "other")
    clone = cloned(repo, tmp_path / "clone", tmp_path / "other")
    clone.start(*few, "pull")
    assert clone.tree("data") == files


LOCKLESS = "flock:error=ENOLCK"
LINKLESS = ("link,linkat:error=EPERM", "symlink,symlinkat:error=EPERM")


@needs_strace
def test_r33_a_file_system_without_locks(repo: RepoBuilder, tmp_path: Path) -> None:
    lay(repo, FILES)
    done = failing(repo, ("add", "data"), LOCKLESS)
    assert done.code == 0, done.stderr
    share(repo, tmp_path / "remote")
    clone = cloned(repo, tmp_path / "clone", tmp_path / "remote")
    for command in (("pull",), ("status",), ("-c", "gc.grace=0", "gc", "-w", "-f"), ("undo",)):
        done = failing(clone, command, LOCKLESS)
        assert done.code == 0, done.stderr
    assert soundness.torn(cache(clone)) == []


@needs_strace
@pytest.mark.parametrize("kind", ["reflink,copy", "hardlink,copy", "symlink,copy"])
def test_r66_a_file_system_without_links_and_permissions(repo: RepoBuilder, kind: str) -> None:
    refusing = (*LINKLESS, "chmod,fchmod,fchmodat:error=EPERM", LOCKLESS)
    repo.run("config", "--local", "cache.type", kind)
    lay(repo, FILES)
    for command in (("add", "data"), ("status",), ("checkout", "--relink")):
        done = failing(repo, command, *refusing)
        assert done.code == 0, done.stderr
    repo.start("rm", "-rf", "data")
    done = failing(repo, ("checkout",), *refusing)
    assert done.code == 0, done.stderr
    assert repo.tree("data") == FILES
    assert soundness.torn(cache(repo)) == []


def test_r53_a_push_that_was_killed_goes_on_where_it_was(
    repo: RepoBuilder, tmp_path: Path, figure: NoteFigure
) -> None:
    files = contents(200, 20_000)
    lay(repo, files)
    repo.run("add", "--quiet", "data")
    repo.commit("data")
    turns = 8 if LONG else 3
    for turn in range(turns):
        remote = tmp_path / f"remote{turn}"
        repo.run("remote", "add", "--quiet", "--local", "--force", "-d", "folder", str(remote))
        push = subprocess.Popen(
            (PROGRAM, "push"), cwd=repo.root, env=repo.env, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(random.Random(turn).uniform(0.1, 0.5))
        kill_group(push)
        there = len(soundness.objects(remote))
        sent = json.loads(repo.run("push", "--json").stdout)["files"]
        assert sent <= len(files) + 1 - there + 8
        assert soundness.lost(files.values(), {}, remote) == 0
    figure(f"{turns} kills")


def test_r55_ctrl_c_while_adding(repo: RepoBuilder, figure: NoteFigure) -> None:
    files = contents(MANY)
    lay(repo, files)
    turns = 10 if LONG else 3
    for turn in range(turns):
        add = subprocess.Popen(
            (PROGRAM, "add", "data"), cwd=repo.root, env=repo.env, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while add.poll() is None and not any((cache(repo) / "tmp").glob("*")):
            time.sleep(0.002)
        time.sleep(0.01 * turn)
        os.killpg(add.pid, signal.SIGINT)
        said = add.communicate(timeout=5)[1]
        is_done = (repo.root / "data.datavc").exists()
        assert add.returncode == 130 or (is_done and add.returncode == 0), said
        assert "Traceback" not in said
        assert soundness.torn(cache(repo)) == []
    repo.run("add", "data")
    names = {path: soundness.name_of(content) for path, content in files.items()}
    assert soundness.recorded(repo.root / "data.datavc", cache(repo)) == names
    figure(f"{turns} interrupts")


@pytest.mark.parametrize("arguments", ["status", "list -R", "add data --json", "--help"])
def test_r56_a_pipe_that_is_closed(repo: RepoBuilder, arguments: str) -> None:
    lay(repo, contents(300, 200))
    repo.run("add", "--quiet", "data")
    for name in contents(300, 200):
        (repo.root / "data" / name).write_bytes(b"changed")
    line = f'"{PROGRAM}" {arguments} | head -c 1 > /dev/null'
    assert repo.start("sh", "-c", line).stderr == ""


@pytest.mark.parametrize("arguments", ["status", "status --json"])
def test_an_output_that_is_full_is_said(repo: RepoBuilder, arguments: str) -> None:
    line = f'"{PROGRAM}" {arguments} > /dev/full'
    refused(repo.start("sh", "-c", line, check=False), "No space")


def peak_kib(repo: RepoBuilder, *arguments: str) -> int:
    """Return the peak memory of a command, in KiB."""
    program = (
        "import os, resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
    )
    said = repo.start(sys.executable, "-c", program, PROGRAM, *arguments).stderr
    return int(said.split()[-1])


def test_r59_memory_with_many_small_files(repo: RepoBuilder, figure: NoteFigure) -> None:
    count = 100_000 if LONG else 3_000
    repo.write("one", "1")
    least = peak_kib(repo, "add", "--quiet", "one")
    folder = repo.root / "data"
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:06}").write_bytes(str(number).encode())
    peaks = [peak_kib(repo, "add", "--quiet", "data"), peak_kib(repo, "status", "--json")]
    assert max(peaks) <= count + 300 * 1024
    assert LONG or max(peaks) - least <= count + 8 * 1024, "what 3,000 files may add"
    figure(f"{count} files, {max(peaks) // 1024} MiB")
