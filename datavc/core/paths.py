"""RepoPath: the one parser of names that come from files.

Relative, POSIX separators, kept byte for byte (bytes that are not UTF-8 as surrogate escapes), no
part that could leave the tree or reach Git's or datavc's own folders on any file system.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NewType

from datavc.core.errors import PathError

RepoPath = NewType("RepoPath", str)

MAX_PART = 255
"""Bytes in one name: what ext4, XFS, APFS and NTFS allow."""
MAX_PATH = 4096
"""Bytes in one path."""

_NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,200}"
is_plain = re.compile(rf"{_NAME}(?:/{_NAME}){{0,15}}").fullmatch
"""Whether a path is harmless at first sight; all others go through `parse`."""
_DRIVE = re.compile(r"[A-Za-z]:(?:\\.*)?", re.DOTALL)
# Code points that HFS+ leaves out when it compares names (Git's list for the same purpose).
_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_RESERVED = frozenset({".git", ".datavc", "git~1"})


def sort_key(path: str) -> bytes:
    """Return the bytes that trees are sorted by."""
    return path.encode("utf-8", "surrogateescape")


def is_reserved(part: str) -> bool:
    """Tell whether some file system would take `part` for `.git` or `.datavc`."""
    folded = unicodedata.normalize("NFC", _IGNORED.sub("", part)).casefold().rstrip(". ")
    return folded.split(":", 1)[0].rstrip(". ") in _RESERVED


def folded(path: str) -> str:
    """Return what is equal for two paths that macOS or Windows take for one."""
    return path.lower() if path.isascii() else unicodedata.normalize("NFC", path).casefold()


def check_part(part: str) -> None:
    """Refuse a name that is not one plain component.

    Raises:
        PathError: empty, `.`, `..`, with a slash or NUL, too long, or reserved.
    """
    if part in ("", ".", ".."):
        raise PathError(f"unsafe path: part {part!r} is not allowed")
    if "/" in part or "\0" in part:
        raise PathError(f"unsafe path: {part!r} is not one name")
    if ".." in part.split("\\") or part.startswith("\\") or _DRIVE.fullmatch(part):
        raise PathError(f"unsafe path: {part!r} leads elsewhere on some systems")
    try:
        length = len(sort_key(part))
    except UnicodeEncodeError as error:
        raise PathError(f"unsafe path: {part!r} is not text that a file name can hold") from error
    if length > MAX_PART:
        raise PathError(f"unsafe path: a name is longer than {MAX_PART} bytes: {part[:40]!r}…")
    if is_reserved(part):
        raise PathError(f"unsafe path: {part!r} belongs to Git or datavc")


def parse(text: str) -> RepoPath:
    """Return `text` as a path below the project, or below a tracked directory.

    Raises:
        PathError: absolute, empty, with a hostile part, or too long.
    """
    if is_plain(text):
        return RepoPath(text)
    for part in text.split("/"):
        check_part(part)
    if len(sort_key(text)) > MAX_PATH:
        raise PathError(f"unsafe path: longer than {MAX_PATH} bytes: {text[:40]!r}…")
    return RepoPath(text)


def join(folder: str, name: str) -> RepoPath:
    """Return `name` below `folder`, where the empty folder is the root."""
    return RepoPath(f"{folder}/{name}" if folder else name)


def parent(path: str) -> str:
    """Return the folder of `path`; the root is the empty string."""
    return path.rpartition("/")[0]


def name(path: str) -> str:
    """Return the last part of `path`."""
    return path.rpartition("/")[2]


def is_inside(path: str, folder: str) -> bool:
    """Tell whether `path` lies below `folder` (or is it); everything lies below the root."""
    return not folder or path == folder or path.startswith(folder + "/")


def relative(path: str, folder: str) -> RepoPath:
    """Return `path` as seen from `folder`, which contains it."""
    return RepoPath(path[len(folder) + 1 :] if folder else path)
