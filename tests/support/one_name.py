"""A file system for which two names that differ only in case, or in Unicode form, are one.

    python -m tests.support.one_name BACKING MOUNTPOINT

It passes everything on to the folder BACKING, where names keep the form in which they came, as
macOS and Windows do. One thread, so nothing here needs a lock.
"""

from __future__ import annotations

import os
import sys
import time
import unicodedata

import mfusepy


class OneName(mfusepy.Operations):
    """Operations on the files below `base`; a descriptor is what the system gave."""

    use_ns = True

    def __init__(self, base: str) -> None:
        """Serve the folder `base`."""
        self._base = base

    def _real(self, path: str) -> str:
        """Return where `path` is, or would be, in the form that its names have there."""
        found = self._base
        for part in path.strip("/").split("/") if path != "/" else ():
            found = os.path.join(found, self._stored(found, part))
        return found

    @staticmethod
    def _stored(folder: str, part: str) -> str:
        if os.path.lexists(os.path.join(folder, part)):
            return part
        try:
            return next((name for name in os.listdir(folder) if _fold(name) == _fold(part)), part)
        except (FileNotFoundError, NotADirectoryError):
            return part

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        status = os.lstat(self._real(path)) if fh is None else os.fstat(fh)
        names = ("st_mode", "st_nlink", "st_size", "st_uid", "st_gid", "st_ino")
        times = {
            name: getattr(status, f"{name}_ns") for name in ("st_atime", "st_mtime", "st_ctime")
        }
        return {name: getattr(status, name) for name in names} | times

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *os.listdir(self._real(path))]

    def readlink(self, path: str) -> str:
        return os.readlink(self._real(path))

    def create(self, path: str, mode: int, fi: object = None) -> int:
        return os.open(self._real(path), os.O_RDWR | os.O_CREAT, mode)

    def open(self, path: str, flags: int) -> int:
        return os.open(self._real(path), flags & ~os.O_NOFOLLOW)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        os.truncate(self._real(path) if fh is None else fh, length)
        return 0

    def release(self, path: str, fh: int) -> int:
        os.close(fh)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        os.mkdir(self._real(path), mode)
        return 0

    def rmdir(self, path: str) -> int:
        os.rmdir(self._real(path))
        return 0

    def unlink(self, path: str) -> int:
        os.unlink(self._real(path))
        return 0

    def rename(self, old: str, new: str) -> int:
        os.rename(self._real(old), self._real(new))
        return 0

    def link(self, target: str, source: str) -> int:
        os.link(self._real(source), self._real(target), follow_symlinks=False)
        return 0

    def symlink(self, target: str, source: str) -> int:
        os.symlink(source, self._real(target))
        return 0

    def chmod(self, path: str, mode: int) -> int:
        os.chmod(self._real(path), mode)
        return 0

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        os.utime(self._real(path), ns=times or (now := time.time_ns(), now), follow_symlinks=False)
        return 0


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


if __name__ == "__main__":
    mfusepy.FUSE(OneName(sys.argv[1]), sys.argv[2], foreground=True, nothreads=True)
