"""repro killed with -9 anywhere: half an output is never recorded, and the next run is exact."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.crash.conftest import MakeKiller
from tests.faults.conftest import refused
from tests.support import soundness, thirty
from tests.support.kill import DATAVC, needs_strace
from tests.support.mounts import needs_mounts, tmpfs
from tests.support.repo import RepoBuilder

REPRO = (*DATAVC, "repro", "--quiet", "-j3")


def nothing_ran(repo: RepoBuilder) -> None:
    thirty.lay(repo)


def input_changed(repo: RepoBuilder) -> None:
    thirty.lay(repo, "zero")
    repo.start(*REPRO)
    repo.write("in", "one")


def sound(repo: RepoBuilder, *texts: str) -> None:
    """Check what holds after every kill."""
    assert soundness.torn(repo.root / ".datavc/cache") == []
    assert thirty.wrongly_recorded(repo, *texts) == []
    assert thirty.absent_results(repo) == []
    assert soundness.leftovers(repo.root) == []


def finishes(repo: RepoBuilder) -> None:
    sound(repo, "zero", "one")
    repo.start(*REPRO)
    sound(repo, "one")
    assert thirty.made(repo) == thirty.expected("one")
    assert len(json.loads(repo.read("datavc.lock"))["stages"]) == thirty.COUNT
    assert json.loads(repo.run("status", "--json").stdout).get("stages", {}) == {}
    again = json.loads(repo.run("repro", "--json").stdout)
    assert {stage["action"] for stage in again["stages"]} == {"skip"}


def test_repro_from_scratch_killed_at_random_moments(killer: MakeKiller) -> None:
    for repo in killer(nothing_ran).at_random(REPRO):
        finishes(repo)


def test_repro_after_a_change_killed_at_random_moments(killer: MakeKiller) -> None:
    for repo in killer(input_changed).at_random(REPRO):
        finishes(repo)


@needs_strace
def test_repro_after_a_change_killed_on_entry_to_system_calls(killer: MakeKiller) -> None:
    for repo in killer(input_changed).on_calls(REPRO):
        finishes(repo)


# asked to end


STUBBORN = (
    "setsid sleep 300 & echo $! > pids; sh -c 'sleep 301' & echo $! >> pids; echo half > out; wait"
)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_asked_to_end_the_whole_tree_goes_and_what_was_good_stays(
    repo: RepoBuilder, number: signal.Signals, code: int, jobs: str
) -> None:
    first = {"cmd": "echo good > good", "outs": ["good"]}
    slow = {"cmd": STUBBORN, "deps": ["good"], "outs": ["out"]}
    repo.write("datavc.yaml", json.dumps({"stages": {"first": first, "slow": slow}}))
    with subprocess.Popen(
        [*DATAVC, "repro", "-q", "-j", jobs],
        cwd=repo.root,
        env=repo.env,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
    ) as process:
        pids = started(repo.root / "pids")
        process.send_signal(number)
        assert process.wait(20) == code

    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    assert set(json.loads(repo.read("datavc.lock"))["stages"]) == {"first"}
    repo.write(
        "datavc.yaml",
        json.dumps({"stages": {"first": first, "slow": {**slow, "cmd": "echo whole > out"}}}),
    )
    done = json.loads(repo.run("repro", "--json").stdout)
    assert [stage["action"] for stage in done["stages"]] == ["skip", "run"]
    assert repo.read("out") == b"whole\n"


def started(file: Path) -> list[int]:
    """Return the two processes that a command notes, once both are there."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if file.exists() and len(found := file.read_text().split()) == 2:
            return [int(pid) for pid in found]
        time.sleep(0.02)
    raise TimeoutError(f"{file} was not written")


def test_killed_alone_it_takes_its_commands_with_it(repo: RepoBuilder) -> None:
    """Nothing of a run that was killed writes into the next."""
    slow = {"cmd": STUBBORN, "outs": ["out"]}
    repo.write("datavc.yaml", json.dumps({"stages": {"slow": slow}}))
    with subprocess.Popen([*DATAVC, "repro", "-q"], cwd=repo.root, env=repo.env) as process:
        pids = started(repo.root / "pids")
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)

    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not (repo.root / "datavc.lock").exists()


# full disks


@needs_mounts
@pytest.mark.parametrize(
    ("size", "free"), [(300_000, 3_900_000), (3_000, 120_000)], ids=["large files", "small files"]
)
def test_a_disk_that_is_full_while_outputs_are_cached(
    tmp_path: Path, size: int, free: int
) -> None:
    stages = {
        f"s{number}": {
            "cmd": f"head -c {size} /dev/zero | tr '\\0' {number % 10} > o{number} && "
            f"echo {number} >> o{number}",
            "outs": [f"o{number}"],
        }
        for number in range(12)
    }
    with tmpfs(tmp_path / "small", "12m") as small:
        repo = RepoBuilder(small / "repo")
        repo.write("datavc.yaml", json.dumps({"stages": stages}))
        (small / "ballast").write_bytes(b"x" * (os.statvfs(small).f_bavail * 4096 - free))

        refused(repo.run("repro", check=False), "space")
        assert soundness.torn(repo.root / ".datavc/cache") == []
        have = soundness.objects(repo.root / ".datavc/cache")
        if (repo.root / "datavc.lock").exists():
            lock = json.loads(repo.read("datavc.lock"))["stages"]
            assert all(stage["outs"][0]["digest"] in have for stage in lock.values())
        (small / "ballast").unlink()
        repo.run("repro")

        lock = json.loads(repo.read("datavc.lock"))["stages"]
        assert len(lock) == len(stages)
        for number in range(12):
            content = bytes(str(number % 10), "ascii") * size + b"%d\n" % number
            assert repo.read(f"o{number}") == content
            assert lock[f"s{number}"]["outs"][0]["digest"] == soundness.name_of(content)
