"""What a clone brings for datavc's own folder counts for nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import xxhash

from tests.support import inside
from tests.support.repo import RepoBuilder
from tests.support.stranger import EVERYTHING, SECRET, Machine, Stranger, attempt, pointer

LINKS = ("cache", "state", "state/stat", "state/placed", "tmp", "ops", "logs", "cache/objects")
"""What would be led elsewhere."""


def stat_folder(output: str) -> str:
    return f".datavc/state/stat/{xxhash.xxh3_128_hexdigest(output.encode())}"


@pytest.mark.parametrize("place", LINKS)
def test_a_tracked_link_in_the_own_folder_leads_nothing_outside(
    machine: Machine, stranger: Stranger, place: str
):
    stranger.link(f".datavc/{place}", machine.outside)
    stranger.write("d/file", "some data")
    stranger.write("d.datavc", pointer("d", "blake3:" + "0" * 64, "directory"))
    stranger.force(f".datavc/{place}", "d.datavc")
    clone = stranger.clone()
    clone.write("d/file", "the victim's")

    done = attempt(clone, EVERYTHING)

    assert all(one.code != 0 for one in done)
    assert f".datavc/{place.split('/')[0]}" in done[0].stderr
    assert "git rm -r" in done[0].stderr


def test_a_link_in_place_of_the_stat_cache_of_one_output_deletes_nothing(
    machine: Machine, stranger: Stranger
):
    stranger.write("d.datavc", pointer("d", "blake3:" + "0" * 64, "directory"))
    stranger.link(stat_folder("d"), machine.outside)
    stranger.force(stat_folder("d"))
    clone = stranger.clone()
    clone.write("d/file", "the victim's")

    attempt(clone, [("status",), ("add", "d")])

    assert (machine.outside / "secret").read_bytes() == SECRET


@pytest.mark.parametrize("name", ["config.local.toml", "CONFIG.LOCAL.TOML", "Cache/x"])
def test_tracked_settings_never_count_as_the_users_own(
    machine: Machine, stranger: Stranger, name: str
):
    loot = machine.folder / "loot"
    loot.mkdir()
    stranger.write(f".datavc/{name}", f'[core]\nremote = "loot"\n[remote.loot]\nurl = "{loot}"\n')
    stranger.force(f".datavc/{name}")
    clone = stranger.clone()
    clone.write("secret", SECRET)

    done = attempt(
        clone, [("add", "secret"), ("push",), ("pull",), ("fetch",), ("gc", "-w", "-f")]
    )

    assert all(one.code == 1 for one in done)
    assert list(loot.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        ("remote", "modify", "--local", "store", "secret_access_key", "S3CRETKEY"),
        ("config", "--local", "remote.store.secret_access_key", "S3CRETKEY"),
        ("remote", "trust", "store"),
        ("config", "core.jobs", "2"),
    ],
)
def test_a_secret_never_goes_into_a_file_that_git_tracks(stranger: Stranger, command: list[str]):
    stranger.write(".datavc/config.toml", '[remote.store]\nurl = "s3://bucket"\n')
    stranger.write(".datavc/config.local.toml", '[remote.store]\nregion = "x"\n')
    stranger.force(".datavc/config.local.toml")
    clone = stranger.clone()

    done = inside.run(clone.root, *command)

    assert done.code == 1
    assert "Git tracks .datavc/config.local.toml" in done.stderr
    assert clone.git("status", "--porcelain").stdout == ""


def test_a_secret_is_ignored_by_git_even_if_the_clone_says_otherwise(stranger: Stranger):
    stranger.write(".datavc/config.toml", '[remote.store]\nurl = "s3://bucket"\n')
    stranger.write(".datavc/.gitignore", "# nothing\n")
    stranger.write(".gitignore", "!*\n")
    stranger.commit()
    clone = stranger.clone()

    inside.run(clone.root, "remote", "modify", "--local", "store", "secret_access_key", "S3CRET")
    clone.git("add", "--all")

    assert "S3CRET" in (clone.root / ".datavc/config.local.toml").read_text()
    assert "S3CRET" not in clone.git("diff", "--cached").stdout


def test_the_folder_itself_may_not_be_a_tracked_link(machine: Machine, stranger: Stranger):
    (machine.outside / "config.toml").write_text("")
    machine._before = machine._look()
    stranger.repo.git("rm", "-r", "-q", ".datavc", check=False)
    stranger.repo.start("rm", "-rf", ".datavc")
    stranger.link(".datavc", machine.outside)
    stranger.commit()
    clone = stranger.clone()
    clone.write("x", "data")

    done = attempt(clone, [*EVERYTHING, ("add", "x"), ("init", "-f"), ("install",)])

    assert all(one.code != 0 for one in done)


def test_a_tracked_setting_cannot_make_a_cache_of_the_users_folder(
    machine: Machine, stranger: Stranger
):
    stranger.write(".datavc/config.toml", '[cache]\ndir = "../work"\n')
    stranger.commit()
    clone = stranger.clone()
    old = clone.write("work/tmp/notes", "weeks of work")
    os.utime(old, (1, 1))
    os.utime(old.parent, (1, 1))

    attempt(clone, [("gc", "-w", "-f"), ("doctor", "--fix"), ("fsck",)])

    assert old.read_text() == "weeks of work"
    assert "work" in inside.run(clone.root, "status").stderr


def test_a_tracked_folder_cannot_be_the_cache(machine: Machine, stranger: Stranger):
    stranger.write(".datavc/config.toml", '[cache]\ndir = "../work"\n')
    for name in ("leases/x", "objects/x"):
        stranger.write(f"work/{name}", "")
    stranger.link("work/tmp", machine.outside)
    stranger.commit()
    clone = stranger.clone()
    clone.write("x", "data")

    done = attempt(clone, [("add", "x"), ("gc", "-w", "-f"), ("doctor", "--fix")])

    assert done[0].code == 1
    assert "work" in done[0].stderr


def test_memory_that_was_made_up_takes_nothing_away(machine: Machine, stranger: Stranger):
    """A placed record from a clone would make the victim's own file look like a deleted output."""
    name = xxhash.xxh3_128_hexdigest(b"diary")
    record = '{"path": "diary", "digest": "blake3:%s", "paths": null}\n' % ("0" * 64)
    stranger.write(f".datavc/state/placed/{name}.json", record)
    stranger.force(f".datavc/state/placed/{name}.json")
    clone = stranger.clone()
    diary = clone.write("diary", "mine")
    Path(clone.root, ".gitignore").write_text("diary\n")

    attempt(clone, EVERYTHING)

    assert diary.read_text() == "mine"


def test_a_worktree_does_not_use_a_cache_that_the_main_one_was_led_elsewhere_by(
    machine: Machine, stranger: Stranger
):
    stranger.write("x", "code")
    stranger.commit()
    stranger.repo.git("branch", "good")
    stranger.link(".datavc/cache", machine.outside)
    stranger.force(".datavc/cache")
    clone = stranger.clone()
    clone.git("worktree", "add", "-q", "../tree", "origin/good")
    tree = RepoBuilder(clone.root.parent / "tree", init=False)
    tree.write("data", "mine")

    done = attempt(tree, [("add", "data"), ("gc", "-w", "-f"), ("fsck",)])

    assert all(one.code == 1 for one in done)
    assert "Git tracks .datavc/cache" in done[0].stderr
