"""A real ssh server on loopback, with keys and settings of its own.

server = start(folder)
…  server.url, server.options()
server.stop()
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

READY_S = 10.0
CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
StrictModes no
UsePAM no
MaxSessions 64
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True)
class SshServer:
    """A running server, and what a client needs to trust it and to be let in."""

    port: int
    folder: Path
    user: str
    process: subprocess.Popen[bytes]

    def url(self, path: Path) -> str:
        """Return the address of a folder of this machine, through the server."""
        return f"ssh://{self.user}@127.0.0.1:{self.port}{path}"

    def options(self) -> dict[str, object]:
        """Return what a remote's config says to reach this server."""
        return {
            "keyfile": str(self.folder / "user_key"),
            "known_hosts": str(self.folder / "known_hosts"),
        }

    def stop(self) -> None:
        """End the server; sessions end with their clients."""
        self.process.terminate()
        self.process.wait(READY_S)


def binary() -> str | None:
    """Return the path of sshd, None if there is none."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def start(folder: Path) -> SshServer:
    """Start a server whose keys lie in `folder`, and wait until it answers."""
    sshd = binary()
    if sshd is None:
        raise RuntimeError("no ssh server here: the package openssh-server has one")
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd insists on it when it is root's
    for name in ("host_key", "user_key"):
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(keygen, check=True, stdin=subprocess.DEVNULL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(CONFIG.format(port=port, folder=folder))
    host_key = (folder / "host_key.pub").read_text().rsplit(" ", 1)[0]
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    with open(folder / "sshd.log", "wb") as log:
        process = subprocess.Popen(
            [sshd, "-D", "-e", "-f", str(folder / "sshd_config")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    server = SshServer(port, folder, getpass.getuser(), process)
    deadline = time.monotonic() + READY_S
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"sshd did not start:\n{(folder / 'sshd.log').read_text()}")
        time.sleep(0.05)
    return server


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
            return client.recv(4).startswith(b"SSH-")
    except OSError:
        return False
