"""`datavc remote` as its users meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.repo import RepoBuilder

PROJECT, LOCAL = ".datavc/config.toml", ".datavc/config.local.toml"


@pytest.fixture
def user(repo: RepoBuilder, tmp_path: Path) -> RepoBuilder:
    """Return a repository whose user has settings and a memory of their own."""
    homes = {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }
    return RepoBuilder(repo.root, init=False, env=repo.env | homes)


def rows(user: RepoBuilder) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(user.run("remote", "list", "--json").stdout)
    return found


def test_remotes_are_added_and_listed(user: RepoBuilder):
    user.run("remote", "add", "-d", "storage", "s3://bucket/prefix")
    user.run("remote", "add", "backup", "/data/backup")

    assert user.run("remote", "list").stdout == (
        "storage  s3://bucket/prefix  (default)\nbackup   /data/backup\n"
    )
    assert rows(user) == [
        {"name": "storage", "url": "s3://bucket/prefix", "default": True, "trusted": True},
        {"name": "backup", "url": "/data/backup", "default": False, "trusted": True},
    ]
    assert user.run("remote", "default").stdout == "storage\n"


def test_relative_folder_starts_where_the_user_stands(user: RepoBuilder, tmp_path: Path):
    user.write("sub/file", "")

    user.run("remote", "add", "r", "../../backup", cwd="sub")

    assert rows(user)[0]["url"] == f"{tmp_path}/backup"
    assert b'url = "../../backup"' in user.read(PROJECT)


def test_a_second_remote_of_one_name_needs_force(user: RepoBuilder):
    user.run("remote", "add", "r", "s3://a")
    user.run("remote", "modify", "r", "region", "eu")

    assert user.run("remote", "add", "r", "s3://b", check=False).code == 1
    user.run("remote", "add", "-f", "r", "s3://b")

    assert rows(user)[0]["url"] == "s3://b"
    assert b"region" not in user.read(PROJECT)


@pytest.mark.parametrize(
    "url",
    ["ftp://host/x", "simplecache::s3://b", "s3://", "ssh://-oProxyCommand=x/y", "remote://no"],
)
def test_an_address_that_cannot_be_is_refused(user: RepoBuilder, url: str):
    before = user.read(PROJECT)

    done = user.run("remote", "add", "r", url, check=False)

    assert done.code == 1
    assert user.read(PROJECT) == before


def test_a_protocol_of_ones_own_can_be_allowed(user: RepoBuilder):
    user.run("config", "--global", "core.protocols", "ftp")

    user.run("remote", "add", "r", "ftp://host/x")


def test_options_are_set_and_taken_out(user: RepoBuilder):
    user.run("remote", "add", "r", "s3://b")

    user.run("remote", "modify", "r", "endpointurl", "https://s3.example.org")
    user.run("remote", "modify", "r", "jobs", "8")
    user.run("remote", "modify", "--unset", "r", "endpointurl")

    assert user.read(PROJECT).endswith(b'[remote.r]\nurl = "s3://b"\nlayout = "plain"\njobs = 8\n')
    assert user.run("remote", "modify", "r", "jobs", "none", check=False).code == 1
    assert user.run("remote", "modify", "r", "jobs", check=False).code == 2


def test_secrets_go_to_the_local_file_alone(user: RepoBuilder):
    user.run("remote", "add", "r", "s3://b")

    done = user.run("remote", "modify", "r", "secret_access_key", "hunter22", check=False)

    assert done.code == 1
    assert "`datavc remote modify --local r secret_access_key …`" in done.stderr
    assert "hunter22" not in done.stderr
    user.run("remote", "modify", "--local", "r", "secret_access_key", "hunter22")
    assert b"hunter22" not in user.read(PROJECT)
    assert b"hunter22" in user.read(LOCAL)
    assert (user.root / LOCAL).stat().st_mode & 0o777 == 0o600
    assert "hunter22" not in user.git("grep", "-e", "hunter22", check=False).stdout


def test_a_password_in_an_address_is_not_repeated(user: RepoBuilder):
    done = user.run("remote", "add", "--local", "web", "https://me:p%40ssword@host/x")

    assert "ssword" not in done.stdout + done.stderr
    assert "https://me:***@host/x" in done.stdout


def test_a_password_in_a_tracked_address_is_refused(user: RepoBuilder):
    done = user.run("remote", "add", "r", "ssh://me:hunter22@host/x", check=False)

    assert done.code == 1
    assert "hunter22" not in done.stderr
    user.run("remote", "add", "--local", "r", "ssh://me:hunter22@host/x")
    assert "hunter22" not in user.run("remote", "list").stdout


def test_unknown_remote_names_the_nearest(user: RepoBuilder):
    user.run("remote", "add", "storage", "s3://b")

    for arguments in (
        ["modify", "storge", "jobs", "1"],
        ["default", "storge"],
        ["remove", "storge"],
    ):
        done = user.run("remote", *arguments, check=False)
        assert done.code == 1
        assert "`storage`" in done.stderr


def test_renaming_follows_in_every_level(user: RepoBuilder):
    user.run("remote", "add", "-d", "r", "s3://b")
    user.run("remote", "modify", "--local", "r", "profile", "me")
    user.run("config", "--local", "core.remote", "r")

    user.run("remote", "rename", "r", "archive")

    assert rows(user) == [{"name": "archive", "url": "s3://b", "default": True, "trusted": True}]
    assert b'remote = "archive"' in user.read(PROJECT)
    assert b'remote = "archive"' in user.read(LOCAL)
    assert b"[remote.archive]\nprofile" in user.read(LOCAL)


def test_removing_forgets_it_in_every_level(user: RepoBuilder):
    user.run("remote", "add", "-d", "r", "s3://b")
    user.run("remote", "modify", "--local", "r", "profile", "me")

    user.run("remote", "remove", "r")

    assert rows(user) == []
    assert user.read(LOCAL) == b""
    assert user.run("remote", "default").stdout == ""


def test_removing_ones_own_remote_of_all_projects_needs_the_level(user: RepoBuilder):
    user.run("remote", "add", "--global", "r", "s3://b")

    assert user.run("remote", "remove", "r", check=False).code == 1
    user.run("remote", "remove", "--global", "r")

    assert rows(user) == []


def test_default_is_chosen_and_taken_out(user: RepoBuilder):
    user.run("remote", "add", "r", "s3://b")

    user.run("remote", "default", "r")
    assert user.run("remote", "default").stdout == "r\n"
    user.run("remote", "default", "--unset")

    assert user.run("remote", "default").stdout == ""


def test_remotes_of_a_clone_are_not_trusted_until_said_so(user: RepoBuilder, tmp_path: Path):
    user.run("remote", "add", "-d", "r", "s3://b")
    user.commit("remote")
    clone = user.clone(tmp_path / "clone")

    assert rows(clone)[0]["trusted"] is False
    assert "(not trusted)" in clone.run("remote", "list").stdout
    assert clone.run("remote", "trust", "r").stdout == "Trusted: remote r at s3://b\n"
    assert rows(clone)[0]["trusted"] is True

    clone.write(PROJECT, clone.read(PROJECT).replace(b"s3://b", b"s3://c"))
    assert rows(clone)[0]["trusted"] is False
    clone.run("remote", "trust")
    assert clone.run("remote", "trust").stdout == "Nothing to agree to\n"


def test_modifying_a_remote_of_a_clone_is_consent(user: RepoBuilder, tmp_path: Path):
    user.run("remote", "add", "-d", "r", "s3://b")
    user.commit("remote")
    clone = user.clone(tmp_path / "clone")

    clone.run("remote", "modify", "--local", "r", "profile", "me")

    assert rows(clone)[0]["trusted"] is True


def test_a_tracked_profile_is_named_in_the_list_and_cannot_be_trusted(user: RepoBuilder):
    user.write(PROJECT, '[remote.r]\nurl = "s3://b"\nprofile = "admin"\n')

    done = user.run("remote", "list")

    assert "(not trusted)" in done.stdout
    assert "profile" in done.stderr
    assert user.run("remote", "trust", "r", check=False).code == 1
