"""Sharing extents between two files: a copy that costs no bytes until one side changes."""

from __future__ import annotations

import errno
import fcntl
import os
import sys

_FICLONE = 0x40049409
"""Linux, `ioctl_ficlone(2)`: btrfs, XFS, bcachefs, OCFS2, ZFS 2.2."""

_NO = {
    errno.EOPNOTSUPP,
    errno.EXDEV,
    errno.EINVAL,
    errno.ENOTTY,
    errno.ENOSYS,
    errno.EPERM,
    errno.EBADF,
    errno.ETXTBSY,
}

_refused: set[tuple[int, int]] = set()


def was_refused() -> bool:
    """Tell whether this process asked for a clone and was refused, so that bytes were copied."""
    return bool(_refused)


def may_work(source_device: int, target_device: int) -> bool:
    """Tell whether a clone between two devices is worth asking for."""
    if sys.platform != "linux" or source_device != target_device:
        return False
    return (source_device, target_device) not in _refused


def reflink(source_fd: int, target_fd: int) -> bool:
    """Make the empty file `target_fd` share all bytes of `source_fd`; False if that cannot be.

    Asked once per pair of file systems: a refusal is remembered for this process.
    """
    pair = os.fstat(source_fd).st_dev, os.fstat(target_fd).st_dev
    if not may_work(*pair):
        return False
    try:
        fcntl.ioctl(target_fd, _FICLONE, source_fd)
    except OSError as error:
        if error.errno not in _NO:
            raise
        _refused.add(pair)
        return False
    return True
