"""A project whose remote is a real S3 server behind a proxy that misbehaves on request."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import s3fs

from tests.support import bad_server, inside
from tests.support.bad_server import BadServer
from tests.support.repo import Completed, RepoBuilder
from tests.support.servers import S3Bucket


class Far:
    """A bucket, the proxy before it, and the clones that use it."""

    def __init__(self, bucket: S3Bucket, server: BadServer, folder: Path, driver: str) -> None:
        self.bucket = bucket
        self.server = server
        self.driver = driver
        self._folder = folder

    def project(self, name: str = "repo") -> RepoBuilder:
        """Return a fresh project with the bucket as its remote."""
        repo = RepoBuilder(self._folder / name)
        repo.git("config", "core.hooksPath", "/dev/null")
        self.use(repo)
        return repo

    def use(self, repo: RepoBuilder) -> None:
        """Make the bucket behind the proxy the remote of a clone."""
        config = repo.root / ".datavc/config.local.toml"
        config.write_text(
            f'[core]\nremote = "store"\n[remote.store]\nurl = "{self.bucket.url}"\n'
            f'driver = "{self.driver}"\nendpointurl = "{self.server.endpoint}"\n'
            f'access_key_id = "{self.bucket.server.key}"\n'
            f'secret_access_key = "{self.bucket.server.secret}"\n'
        )
        config.chmod(0o600)

    def clone(self, repo: RepoBuilder) -> RepoBuilder:
        """Return a clone of what `repo` has committed."""
        repo.commit("data")
        made = repo.clone(self._folder / f"clone-{secrets.token_hex(4)}")
        self.use(made)
        return made

    def run(self, repo: RepoBuilder, *arguments: str) -> Completed:
        """Run a command, which must end as a command may end."""
        done = inside.run(repo.root, *arguments)
        assert done.code in (0, 1, 2, 3, 4, 5, 6), done
        assert "Traceback" not in done.stderr
        return done

    def filesystem(self) -> s3fs.S3FileSystem:
        """Return a client of the real server, around the proxy."""
        return self.bucket.server._filesystem()

    def keys(self) -> dict[str, bytes]:
        """Return what the bucket holds of objects: digest → bytes."""
        found = self.filesystem().find(f"{self.bucket.name}/some/prefix/objects")
        contents = self.filesystem().cat(found) if found else {}
        return {"".join(path.split("/")[-2:]): data for path, data in contents.items()}


@pytest.fixture(params=["obstore", "s3fs"])
def far(request: pytest.FixtureRequest, s3_bucket: S3Bucket, tmp_path: Path) -> Iterator[Far]:
    """Return a bucket behind a proxy, once for each driver."""
    with bad_server.before(s3_bucket.server.endpoint) as server:
        yield Far(s3_bucket, server, tmp_path, request.param)


@pytest.fixture
def filled(far: Far) -> RepoBuilder:
    """Return a project with 60 files in a directory and a large one, added and not pushed."""
    repo = far.project()
    for number in range(60):
        repo.write(f"d/{number:02}", secrets.token_bytes(200 + 977 * (number % 7)))
    repo.write("large", secrets.token_bytes(9_000_000))
    assert far.run(repo, "add", "d", "large").code == 0
    return repo


Damage = Callable[[Far], None]
