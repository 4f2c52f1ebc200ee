"""Runs a command beside an S3 server that lives exactly as long: `with_s3.py COMMAND…`.

The command finds a bucket in S3_URL, the server in S3_ENDPOINT, and its keys where every S3 client
looks for them. The server is SeaweedFS on loopback, its files in a temporary folder.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import s3fs

SERVICES = ("master", "volume", "filer", "s3")
READY_S = 60
KEY = "demo"


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback address that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(folder: Path, secret: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start the server and return it with its address; it may need seconds to answer."""
    ports = free_ports(2 * len(SERVICES))
    identity = {
        "name": KEY,
        "credentials": [{"accessKey": KEY, "secretKey": secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    command = [
        str(Path(sys.executable).parent / "weed"),
        *("server", "-s3", "-filer", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *(f"-{name}.port={port}" for name, port in zip(SERVICES, ports, strict=False)),
        *(f"-{name}.port.grpc={port}" for name, port in zip(SERVICES, ports[4:], strict=True)),
        *("-s3.port.iceberg=0", f"-s3.config={config}"),
        *("-master.volumeSizeLimitMB=64", "-volume.max=0"),
    ]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    return server, f"http://127.0.0.1:{ports[SERVICES.index('s3')]}"


def make_bucket(endpoint: str, secret: str) -> None:
    """Return once the server has stored a first object: an open port is not enough."""
    options = {"endpoint_url": endpoint, "region_name": "us-east-1"}
    files = s3fs.S3FileSystem(key=KEY, secret=secret, client_kwargs=options)
    deadline = time.monotonic() + READY_S
    while True:
        try:
            if not files.exists(KEY):
                files.mkdir(KEY)
            files.pipe_file(f"{KEY}/ready", b"ready")
            files.rm_file(f"{KEY}/ready")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
        else:
            return


def main() -> int:
    """Start, run, end; return the command's exit code."""
    secret = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="datavc-s3-", ignore_cleanup_errors=True) as folder:
        server, endpoint = start(Path(folder), secret)
        try:
            make_bucket(endpoint, secret)
            found = {
                "S3_URL": f"s3://{KEY}/data",
                "S3_ENDPOINT": endpoint,
                "AWS_ACCESS_KEY_ID": KEY,
                "AWS_SECRET_ACCESS_KEY": secret,
                "AWS_DEFAULT_REGION": "us-east-1",
            }
            return subprocess.run(sys.argv[1:], env=os.environ | found, check=False).returncode
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
