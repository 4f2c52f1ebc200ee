"""Confining a process to some paths with Linux's Landlock: no privilege, and no way back.

Numbers are those of `landlock(7)` and `linux/landlock.h`. What it does not cover: stat, chmod,
chown and the times of files, and descriptors that are open already.
"""

from __future__ import annotations

import os
import stat
import struct
import sys

from datavc.pipeline.executors.base import LIST

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH, _NO_NEW_PRIVS = 1, 1, 38
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_FIRST_ABI = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
_ONLY_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE


def version() -> int:
    """Return the version of Landlock that this kernel has; 0 for none."""
    if sys.platform != "linux":
        return 0
    try:
        return _call(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def restrict(read: tuple[str, ...], write: tuple[str, ...]) -> None:
    """Confine this process and all it starts to these paths; what is not there is left out.

    Of a path in `read` that stands behind `LIST`, only the folders' names may be read.

    Raises:
        OSError: the kernel refuses.
    """
    handled = _handled(version())
    attributes = struct.pack("Q", handled)
    ruleset = _call(_CREATE_RULESET, attributes, len(attributes), 0)
    for paths, access in ((read, _EXECUTE | _READ_FILE | _READ_DIR), (write, handled)):
        for path in paths:
            wanted = _READ_DIR if path.startswith(LIST) else access & handled
            _allow(ruleset, path.removeprefix(LIST), wanted)
    _prctl_no_new_privileges()
    _call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _handled(abi: int) -> int:
    """Everything that this version can forbid in the file system."""
    handled = _FIRST_ABI
    if abi >= 2:
        handled |= _REFER
    if abi >= 3:
        handled |= _TRUNCATE
    if abi >= 5:
        handled |= _IOCTL_DEVICE
    return handled


def _allow(ruleset: int, path: str, access: int) -> None:
    if sys.platform != "linux":
        return
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not stat.S_ISDIR(os.fstat(beneath).st_mode):
        access &= _ONLY_FILES
    _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", access, beneath), 0)
    os.close(beneath)


def _prctl_no_new_privileges() -> None:
    import ctypes

    ctypes.CDLL(None).prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)


def _call(number: int, *arguments: bytes | int | None) -> int:
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    words = [ctypes.c_size_t(word) if isinstance(word, int) else word for word in arguments]
    result: int = library.syscall(ctypes.c_long(number), *words)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
