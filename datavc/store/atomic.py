"""The only place that renames over, and makes durable, what the project keeps.

Order: bytes, fsync, rename, fsync of the folder. A reader sees the old file or the new one, after
a power cut too. An error of fsync is final: the kernel forgets what it could not write, so a
second try would lie.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Literal

Durability = Literal["full", "batch", "none"]

FEW = 8
"""Up to here each file is synced by itself, above it the file system once.

Measured on ext4, 2,000 files of 4 KiB: one syncfs 0.25 s, fsync in 8 threads 1.6 s; a single fsync
does not wait for other programs' data.
"""

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write all of `data`: a disk that fills up takes a part and says so only the next time."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def read_whole(fd: int, size: int) -> bytes:
    """Return the bytes of a file of `size` bytes, and one more if it grew."""
    data = os.read(fd, size + 1)
    while len(data) < size and (more := os.read(fd, size + 1 - len(data))):
        data += more
    return data


def sync(fd: int) -> None:
    """Make a file's bytes durable; by F_FULLFSYNC on macOS, where fsync stops at the drive."""
    if sys.platform == "darwin":
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    else:
        os.fsync(fd)


def sync_folder(folder: str) -> None:
    """Make the names in `folder` durable."""
    fd = os.open(folder, _FOLDER)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@functools.cache
def _syncfs() -> object | None:
    import ctypes

    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


def sync_file_system(folder: str) -> bool:
    """Make everything on the file system of `folder` durable; False where that cannot be asked.

    Raises:
        OSError: the system reports that something could not be written.
    """
    call = _syncfs()
    if call is None:
        return False
    import ctypes

    fd = os.open(folder, _FOLDER)
    try:
        if call(fd) != 0:  # type: ignore[operator]
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), folder)
    finally:
        os.close(fd)
    return True


def sync_files(files: Sequence[str], folder: str, durability: Durability) -> None:
    """Make `files`, all on the file system of `folder`, durable."""
    if durability == "none" or not files:
        return
    if durability == "batch" and len(files) > FEW and sync_file_system(folder):
        return
    for file in files:
        fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            sync(fd)
        finally:
            os.close(fd)


def sync_folders(folders: Sequence[str], root: str, durability: Durability) -> None:
    """Make the names in `folders`, all on the file system of `root`, durable."""
    if durability == "none" or not folders:
        return
    if durability == "batch" and len(folders) > FEW and sync_file_system(root):
        return
    for folder in folders:
        sync_folder(folder)


def write_bytes(
    file: str, data: bytes, *, mode: int = 0o644, durable: bool = True, made_in: str = ""
) -> None:
    """Replace `file` by `data`, whole or not at all; its folder must exist.

    A symbolic link at `file` is replaced, not followed. What a kill leaves unfinished lies in the
    folder `made_in` if that is on the same file system, else beside `file`.
    """
    try:
        _replace(file, data, (mode, durable), made_in)
    except OSError as error:
        if not made_in or error.errno != errno.EXDEV:
            raise
        _replace(file, data, (mode, durable), "")


def _replace(file: str, data: bytes, how: tuple[int, bool], made_in: str) -> None:
    folder, name = os.path.split(file)
    mode, durable = how
    temporary = _temporary(name)
    with contextlib.ExitStack() as open_folders:
        folder_fd = _open_folder(folder or ".", open_folders)
        made_fd = _open_folder(made_in, open_folders) if made_in else folder_fd
        try:
            fd = os.open(temporary, _CREATE, mode, dir_fd=made_fd)
            try:
                write_all(fd, data)
                if durable:
                    sync(fd)
            finally:
                os.close(fd)
            os.rename(temporary, name, src_dir_fd=made_fd, dst_dir_fd=folder_fd)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=made_fd)
            raise
        if durable:
            os.fsync(folder_fd)


def _open_folder(folder: str, stack: contextlib.ExitStack) -> int:
    fd = os.open(folder, _FOLDER)
    stack.callback(os.close, fd)
    return fd


def _temporary(name: str) -> str:
    return f".{name[:80]}.{os.urandom(6).hex()}.tmp"


def write_text(file: str, text: str, *, mode: int = 0o644, durable: bool = True) -> None:
    """Replace `file` by `text` in UTF-8 (surrogate escapes become the bytes they stand for)."""
    write_bytes(file, text.encode("utf-8", "surrogateescape"), mode=mode, durable=durable)


def write_many(
    files: Mapping[str, tuple[bytes, int]], durability: Durability, made_in: str = ""
) -> None:
    """Replace each file by its bytes, with its mode; all bytes are durable before the first name.

    `made_in` as for `write_bytes`. Killed in the middle, some are old and some new, none is torn.
    """
    folders = sorted({os.path.dirname(file) for file in files})
    devices = {os.stat(folder or ".").st_dev for folder in [*folders, made_in or folders[0]]}
    try:
        if len(files) > FEW and len(devices) == 1:
            _write_together(files, durability, made_in)
            sync_folders(folders, folders[0], durability)
            return
    except OSError as error:
        if error.errno != errno.EXDEV:  # one file system that is mounted twice
            raise
    for file, (data, mode) in files.items():
        write_bytes(file, data, mode=mode, durable=durability != "none", made_in=made_in)


def _write_together(
    files: Mapping[str, tuple[bytes, int]], durability: Durability, made_in: str
) -> None:
    made: dict[str, str] = {}
    try:
        for file, (data, mode) in files.items():
            folder, name = os.path.split(file)
            temporary = os.path.join(made_in or folder, _temporary(name))
            made[temporary] = file
            fd = os.open(temporary, _CREATE, mode)
            try:
                write_all(fd, data)
            finally:
                os.close(fd)
        sync_files([*made], os.path.dirname(next(iter(made))), durability)
        for temporary in [*made]:
            os.rename(temporary, made[temporary])
            del made[temporary]
    finally:
        for temporary in made:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
