"""The main story of datavc, as a user lives it, over every kind of remote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repo import RepoBuilder
from tests.support.servers import S3Bucket
from tests.support.sshd import SshServer

V1 = {
    "data/raw.csv": b"a,b\n1,2\n",
    "images/cat.png": b"\x89cat",
    "images/deep/dog.png": b"\x89dog",
}
V2 = {"data/raw.csv": b"a,b\n1,2\n3,4\n", "images/cat.png": b"\x89cat2", "images/new.png": b"new"}


def lay(repo: RepoBuilder, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        repo.write(path, content)


def data(repo: RepoBuilder) -> dict[str, bytes]:
    return {path: content for path, content in repo.tree().items() if path.endswith((".csv", "g"))}


@pytest.fixture
def two_versions(repo: RepoBuilder) -> RepoBuilder:
    lay(repo, V1)
    repo.run("add", "data/raw.csv", "images")
    repo.commit("v1")
    repo.git("tag", "v1")
    lay(repo, V2)
    (repo.root / "images/deep/dog.png").unlink()
    repo.run("add", "data/raw.csv", "images/")
    repo.commit("v2")
    return repo


def follow(repo: RepoBuilder, clone_at: Path, *options: str) -> RepoBuilder:
    repo.commit("remote")
    repo.run("push", "--all-commits")
    clone = repo.clone(clone_at)
    clone.run("install", *options)
    clone.run("pull")
    return clone


def test_git_checkout_brings_old_data_back_by_itself(two_versions: RepoBuilder) -> None:
    two_versions.git("checkout", "--quiet", "HEAD~1")

    assert data(two_versions) == V1
    two_versions.git("checkout", "--quiet", "main")
    assert data(two_versions) == V2
    assert two_versions.git("status", "--porcelain").stdout == ""
    assert json.loads(two_versions.run("status", "--json").stdout) == {}


def test_a_clone_pulls_the_same_bytes_from_a_folder(
    two_versions: RepoBuilder, tmp_path: Path
) -> None:
    two_versions.run("remote", "add", "-d", "storage", str(tmp_path / "storage"))

    clone = follow(two_versions, tmp_path / "clone")

    assert data(clone) == V2
    clone.run("fetch", "--all-commits")
    clone.git("checkout", "--quiet", "v1")
    assert data(clone) == V1


@pytest.mark.s3
@pytest.mark.parametrize("driver", ["s3fs", "obstore"])
def test_a_clone_pulls_the_same_bytes_from_s3(
    two_versions: RepoBuilder, tmp_path: Path, s3_bucket: S3Bucket, driver: str
) -> None:
    repo = two_versions
    repo.env |= {
        "AWS_ACCESS_KEY_ID": s3_bucket.server.key,
        "AWS_SECRET_ACCESS_KEY": s3_bucket.server.secret,
    }
    repo.run("remote", "add", "-d", "storage", s3_bucket.url)
    repo.run("remote", "modify", "storage", "endpointurl", s3_bucket.server.endpoint)
    repo.run("remote", "modify", "storage", "driver", driver)

    clone = follow(repo, tmp_path / "clone")

    assert data(clone) == V2


@pytest.mark.ssh
def test_a_clone_pulls_the_same_bytes_over_ssh(
    two_versions: RepoBuilder, tmp_path: Path, ssh_server: SshServer
) -> None:
    two_versions.run("remote", "add", "-d", "storage", ssh_server.url(tmp_path / "storage"))
    for name, value in ssh_server.options().items():
        two_versions.run("remote", "modify", "--global", "storage", name, str(value))

    clone = follow(two_versions, tmp_path / "clone")

    assert data(clone) == V2


def test_what_a_user_does_first_is_answered_with_the_next_step(
    make_repo: Callable[..., RepoBuilder],
) -> None:
    bare = make_repo(init=False)

    no_git = bare.run("init", check=False)
    bare.git("init", "--quiet")
    no_project = bare.run("status", check=False)
    bare.run("init")
    typo = bare.run("stauts", check=False)
    no_remote = bare.run("push", check=False)

    assert no_git.code == 1 and "git init" in no_git.stderr
    assert no_project.code == 1 and "datavc init" in no_project.stderr
    assert typo.code == 2 and "status" in typo.stderr
    assert no_remote.code == 1 and "datavc remote add" in no_remote.stderr
