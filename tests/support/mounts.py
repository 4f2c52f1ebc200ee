"""File systems made for a test: without power, full, in whole seconds, two names for one."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

_SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN of Linux's ext4: nothing more reaches the device."""
_NO_LOG_FLUSH = 2
"""EXT4_GOING_FLAGS_NOLOGFLUSH: what the journal has not written yet is lost as well."""
_PATIENCE_S = 30.0
_TOP = Path(__file__).parents[2]


def _run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


class Disk:
    """An ext4 file system in an image file, mounted at `root`."""

    def __init__(self, image: Path, root: Path, *options: str, size: str = "96M") -> None:
        self.image, self.root = image, root
        root.mkdir()
        _run("truncate", "-s", size, image)
        _run("mkfs.ext4", "-q", *options, image)
        self.mount()

    def mount(self) -> None:
        """Mount it; the journal is replayed."""
        _run("mount", "-o", "loop", self.image, self.root)

    def unmount(self) -> None:
        """Unmount it, and wait for mount namespaces of other tests that still hold a copy."""
        _run("umount", self.root)
        deadline = time.monotonic() + _PATIENCE_S
        while subprocess.check_output(["losetup", "-j", self.image]):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.image} is still in use")
            time.sleep(0.05)

    def power_cut(self) -> None:
        """Lose every byte that is not on the device, then mount what is left."""
        fd = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(fd)
        self.unmount()
        self.mount()

    def settle(self) -> None:
        """Bring everything to the device, as time would."""
        _run("sync", "-f", self.root)

    def commit_journal(self) -> None:
        """Have another program's fsync write all metadata, and nobody else's bytes."""
        file = self.root / "another-program"
        fd = os.open(file, os.O_WRONLY | os.O_CREAT)
        try:
            os.write(fd, b"x")
            os.fsync(fd)
        finally:
            os.close(fd)


@contextmanager
def disk(folder: Path, *options: str, size: str = "96M") -> Iterator[Disk]:
    """Yield a mounted ext4 below `folder`, made with `options` of mkfs."""
    made = Disk(folder / "disk.img", folder / "disk", *options, size=size)
    try:
        yield made
    finally:
        with suppress(subprocess.CalledProcessError):
            _run("umount", "-l", made.root)
        made.image.unlink()


@contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[Path]:
    """Yield an empty file system in memory that holds `size` bytes."""
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    try:
        yield folder
    finally:
        _run("umount", "-l", folder)


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """Make `folder` read-only, for root too, while the context lasts."""
    _run("mount", "--bind", folder, folder)
    try:
        _run("mount", "-o", "remount,ro,bind", folder)
        yield folder
    finally:
        _run("umount", "-l", folder)


@contextmanager
def one_name(folder: Path) -> Iterator[Path]:
    """Yield an empty file system that takes names for one that differ only in case or form."""
    backing, root = folder / "backing", folder / "mounted"
    for made in (backing, root):
        made.mkdir()
    command = [sys.executable, "-m", "tests.support.one_name", str(backing), str(root)]
    with subprocess.Popen(command, cwd=_TOP) as served:
        try:
            deadline = time.monotonic() + _PATIENCE_S
            while not root.is_mount():
                assert served.poll() is None and time.monotonic() < deadline, "it is not served"
                time.sleep(0.02)
            yield root
        finally:
            _run("umount", "-l", root)
            served.wait()


@cache
def without_mounts() -> str:
    """Return why file systems cannot be mounted here, nothing if they can."""
    if os.geteuid() != 0:
        return "only root may mount"
    if shutil.which("mkfs.ext4") is None:
        return "mkfs.ext4 is not installed"
    with tempfile.TemporaryDirectory() as folder:
        try:
            with disk(Path(folder), size="8M"):
                return ""
        except (subprocess.CalledProcessError, OSError) as error:
            shown = getattr(error, "stderr", b"") or str(error).encode()
            return f"loop devices cannot be mounted here: {shown.decode(errors='replace').strip()}"


needs_fuse = pytest.mark.skipif(
    not (os.geteuid() == 0 and Path("/dev/fuse").exists() and find_spec("mfusepy")),
    reason="mfusepy, /dev/fuse and root's rights are needed",
)
needs_mounts = pytest.mark.skipif(bool(without_mounts()), reason=without_mounts() or "mounts")
