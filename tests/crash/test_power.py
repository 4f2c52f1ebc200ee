"""The power goes: what a command reported done is there, and nothing is trusted that is not."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import soundness
from tests.support.ladder import LONG
from tests.support.mounts import Disk, disk, needs_mounts
from tests.support.repo import PROGRAM, RepoBuilder
from tests.support.versions import files, lay

pytestmark = needs_mounts

CUTS = 20 if LONG else 2
MANY, FEW = files(1, 200), files(1, 5)


@pytest.fixture
def ext4(tmp_path: Path) -> Iterator[Disk]:
    """An ext4 file system whose power can be cut."""
    with disk(tmp_path) as made:
        yield made


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say in a report how much was tried."""
    return lambda text: record_property("figure", text)


def after_reboot(repo: RepoBuilder, *arguments: str, check: bool = True) -> str:
    """Run `datavc ARGUMENTS` as after a reboot: the machine has another boot id."""
    other = repo.root.parent.parent / "boot_id"
    other.write_text("11111111-2222-3333-4444-555555555555\n")
    real = "/proc/sys/kernel/random/boot_id"
    run = f'mount --bind "{other}" {real} && exec datavc "$@"'
    path = os.path.dirname(PROGRAM)
    return repo.start(
        "unshare",
        "-m",
        "env",
        f"PATH={path}:{os.environ['PATH']}",
        "sh",
        "-c",
        run,
        "sh",
        *arguments,
        check=check,
    ).stdout


def cache(repo: RepoBuilder) -> Path:
    return repo.root / ".datavc/cache"


@pytest.mark.parametrize("content", [MANY, FEW], ids=["many files", "a few files"])
def test_r09_what_add_reported_survives_a_power_cut(ext4: Disk, content, figure) -> None:
    for turn in range(CUTS):
        repo = RepoBuilder(ext4.root / f"repo{turn}")
        lay(repo, content)
        ext4.settle()
        repo.run("add", "data")
        ext4.power_cut()
        assert soundness.torn(cache(repo)) == []
        assert soundness.dangling(repo.root, cache(repo)) == []
        assert soundness.lost(content.values(), {}, cache(repo)) == 0
        assert repo.tree("data") == content
        repo.run("add", "data")
        names = {path: soundness.name_of(data) for path, data in content.items()}
        assert soundness.recorded(repo.root / "data.datavc", cache(repo)) == names
    figure(f"{CUTS} cuts")


def test_r10_nothing_is_trusted_that_a_pull_lost_with_the_power(
    ext4: Disk, tmp_path, figure
) -> None:
    source = RepoBuilder(tmp_path / "source")
    lay(source, MANY)
    source.run("add", "--quiet", "data")
    source.commit("data")
    source.run("remote", "add", "--quiet", "-d", "folder", str(tmp_path / "remote"))
    source.commit("remote")
    source.run("push", "--quiet")
    for turn in range(CUTS):
        clone = source.clone(ext4.root / f"clone{turn}")
        clone.run("install", "--quiet", "--yes", check=False)
        clone.env["DATAVC_TRUST"] = "1"
        ext4.settle()
        clone.run("pull", "--quiet")
        ext4.commit_journal()
        ext4.power_cut()
        assert soundness.torn(cache(clone)) == []
        wrong = [path for path, data in clone.tree("data").items() if data != MANY[path]]
        said = after_reboot(clone, "status", "--json", "--granular")
        assert [path for path in wrong if f"data/{path}" not in said] == []
        after_reboot(clone, "pull", "--force")
        assert clone.tree("data") == MANY
    figure(f"{CUTS} cuts")


def test_a_file_whose_new_bytes_were_lost_is_not_trusted_for_its_new_times(ext4: Disk) -> None:
    """Overwritten in place, added, its times on the disk and its bytes not: the worst of all."""
    repo = RepoBuilder(ext4.root / "repo")
    drawn = random.Random(1)
    old, new = drawn.randbytes(50_000), drawn.randbytes(50_000)
    repo.write("one.bin", old)
    repo.run("add", "--quiet", "one.bin")
    repo.commit("old")
    ext4.settle()
    with open(repo.root / "one.bin", "r+b", buffering=0) as file:
        file.write(new)
    repo.run("add", "--quiet", "one.bin")
    repo.run("status")
    ext4.commit_journal()
    ext4.power_cut()
    assert soundness.lost([old, new], {}, cache(repo)) == 0
    if repo.read("one.bin") == new:
        pytest.skip("the kernel wrote the file in time")
    said = json.loads(after_reboot(repo, "status", "--json"))
    assert said["uncommitted"] == {"modified": ["one.bin"]}
