"""`datavc config` and `datavc cache` as their users meet them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.repo import RepoBuilder

PROJECT, LOCAL = ".datavc/config.toml", ".datavc/config.local.toml"


@pytest.fixture
def user(repo: RepoBuilder, tmp_path: Path) -> RepoBuilder:
    """Return a repository whose user has settings of their own, and nobody else's."""
    homes = {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }
    return RepoBuilder(repo.root, init=False, env=repo.env | homes)


def test_a_setting_is_set_shown_and_taken_out(user: RepoBuilder):
    assert user.run("config", "core.jobs").stdout == ""

    user.run("config", "core.jobs", "4")

    assert user.run("config", "core.jobs").stdout == "4\n"
    assert b"jobs = 4" in user.read(PROJECT)
    user.run("config", "--unset", "core.jobs")
    assert user.run("config", "core.jobs").stdout == ""
    assert user.run("config", "-u", "core.jobs", check=False).code == 1


def test_levels_go_to_their_files(user: RepoBuilder, tmp_path: Path):
    user.run("config", "core.jobs", "1")
    user.run("config", "--local", "core.jobs", "2")
    user.run("config", "--global", "core.jobs", "3")

    assert user.run("config", "core.jobs").stdout == "2\n"
    assert user.run("config", "--project", "core.jobs").stdout == "1\n"
    assert user.run("config", "--global", "core.jobs").stdout == "3\n"
    assert (tmp_path / "config" / "datavc" / "config.toml").read_text() == "[core]\njobs = 3\n"


def test_values_of_scripts_for_other_tools_are_understood(user: RepoBuilder):
    user.run("config", "cache.type", "hardlink,symlink")
    user.run("config", "cache.shared", "group")
    user.run("config", "core.autostage", "true")
    done = user.run("config", "core.analytics", "false")

    assert b'type = ["hardlink", "symlink"]\nshared = "group"' in user.read(PROJECT)
    assert b"autostage = true" in user.read(PROJECT)
    assert user.run("config", "cache.type").stdout == "hardlink,symlink\n"
    assert "no effect" in done.stderr


def test_everything_is_listed_with_its_origin(user: RepoBuilder):
    user.run("config", "--local", "core.jobs", "2")
    user.run("config", "--local", "remote.r.url", "s3://b")
    user.run("config", "--local", "remote.r.secret_access_key", "hunter22")

    done = user.run("config", "--list", "--show-origin")

    assert done.stdout == (
        f"{user.root}/{PROJECT}\tcore.digest=blake3\n"
        f"{user.root}/{LOCAL}\tcore.jobs=2\n"
        f"{user.root}/{LOCAL}\tremote.r.url=s3://b\n"
        f"{user.root}/{LOCAL}\tremote.r.secret_access_key=***\n"
    )
    assert json.loads(user.run("config", "-l", "--json").stdout)[1] == {
        "name": "core.jobs",
        "value": "2",
        "level": "local",
        "origin": f"{user.root}/{LOCAL}",
    }
    assert "hunter22" not in user.run("config", "remote.r.secret_access_key").stdout


def test_wrong_names_and_values_change_nothing(user: RepoBuilder):
    before = user.read(PROJECT)

    for arguments in (["core.jobbs", "1"], ["core.jobs", "many"], ["cache.type", "softlink"]):
        done = user.run("config", *arguments, check=False)
        assert done.code == 1
        assert arguments[0] in done.stderr

    assert user.read(PROJECT) == before


def test_a_wrong_setting_can_be_taken_out_by_name(user: RepoBuilder):
    user.write(PROJECT, "[core]\nremot = 'x'\njobs = 1\n")

    assert user.run("cache", "dir", check=False).code == 1
    user.run("config", "--unset", "core.remot")

    assert user.read(PROJECT) == b"[core]\njobs = 1\n"


def test_outside_a_project_the_users_own_settings_work(tmp_path: Path, user: RepoBuilder):
    outside = RepoBuilder(tmp_path / "outside", init=False, env=user.env)

    outside.run("config", "--global", "core.jobs", "2")

    assert outside.run("config", "core.jobs").stdout == "2\n"
    done = outside.run("config", "core.jobs", "3", check=False)
    assert done.code == 1
    assert "no datavc project" in done.stderr


def test_tracked_file_takes_nothing_that_would_not_count(user: RepoBuilder):
    for arguments in (["core.protocols", "ftp"], ["remote.r.profile", "me"], ["cache.dir", "/x"]):
        done = user.run("config", *arguments, check=False)
        assert done.code == 1
        assert "--local" in done.stderr

    user.run("config", "--local", "core.protocols", "ftp")


def test_cache_folder_is_shown_and_chosen(user: RepoBuilder, tmp_path: Path):
    assert user.run("cache", "dir").stdout == f"{user.root}/.datavc/cache\n"

    user.write("sub/file", "")
    user.run("cache", "dir", "--local", "../../shared", cwd="sub")

    assert user.run("cache", "dir").stdout == f"{tmp_path}/shared\n"
    assert b'dir = "../../shared"' in user.read(LOCAL)
    user.run("cache", "dir", "--local", "--unset")
    assert user.run("cache", "dir").stdout == f"{user.root}/.datavc/cache\n"


def test_cache_info_counts(user: RepoBuilder):
    found = json.loads(user.run("cache", "info", "--json").stdout)

    assert (found["objects"], found["bytes"]) == (0, 0)
    assert "reflink, copy" in user.run("cache", "info").stdout


def test_a_clone_that_leads_the_cache_outside_is_told_so(user: RepoBuilder, tmp_path: Path):
    user.write(PROJECT, f'[cache]\ndir = "{tmp_path}/out"\n')

    done = user.run("cache", "dir")

    assert done.stdout == f"{user.root}/.datavc/cache\n"
    assert "does not count" in done.stderr
