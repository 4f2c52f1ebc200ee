"""Pointer files and the `.gitignore` lines beside them: placed, written and removed.

Nothing here is written through a symbolic link, and lines that are not ours keep their bytes.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence

from datavc.core.errors import PathError
from datavc.core.outputs import POINTER_SUFFIX, Pointer
from datavc.core.paths import RepoPath, join, parent
from datavc.formats import pointer as codec
from datavc.repo.layout import Layout
from datavc.store import atomic

GIT_IGNORE = ".gitignore"

Names = Mapping[RepoPath, Sequence[tuple[str, bool]]]
"""By folder: names in it, and whether each is a directory."""

_SPECIAL = re.compile(r"([\\*?\[])")
_LAST_BLANKS = re.compile(r" +\Z")


def pointer_path(output_path: RepoPath) -> RepoPath:
    """Return where the pointer of an output is, unless it is recorded elsewhere."""
    return RepoPath(output_path + POINTER_SUFFIX)


def text_of(pointer: Pointer, old: str | None) -> str:
    """Return the text of a pointer file: `old` as far as it holds, with comments and other keys.

    Raises:
        FormatError: `old` is no pointer.
    """
    if old is None:
        return codec.render(pointer)
    return codec.rewrite(old, pointer, pointer.path + POINTER_SUFFIX)


def write_text(root: str, path: RepoPath, text: str) -> None:
    """Write a pointer file whole, below the project's `root`, durably.

    Raises:
        PathError: a symbolic link, or anything but a file, is in the way.
    """
    file = os.path.join(root, path)
    _refuse_links(root, path)
    data = text.encode("utf-8", "surrogateescape")
    atomic.write_bytes(file, data, mode=_mode(file, path), made_in=_unfinished(root))


def write_texts(root: str, texts: Mapping[RepoPath, str], durability: atomic.Durability) -> None:
    """Write many pointer files, each whole, together durable.

    Raises:
        PathError: a symbolic link, or anything but a file, is in the way of one; none is written.
    """
    files = {}
    for path, text in texts.items():
        _refuse_links(root, path)
        file = os.path.join(root, path)
        files[file] = text.encode("utf-8", "surrogateescape"), _mode(file, path)
    atomic.write_many(files, durability, _unfinished(root))


def remove(root: str, path: RepoPath) -> bool:
    """Remove a pointer or ignore file; False if it is not there.

    Raises:
        PathError: a symbolic link, or anything but a file, is in the way.
    """
    _refuse_links(root, path)
    file = os.path.join(root, path)
    _mode(file, path)
    try:
        os.unlink(file)
    except (FileNotFoundError, NotADirectoryError):
        return False
    atomic.sync_folder(os.path.dirname(file))
    return True


def ignore_line(name: str, *, is_dir: bool) -> str:
    """Return the line that has Git ignore this name beside the file, and nothing else.

    Raises:
        PathError: no line can say it: the name has a line break.
    """
    if "\n" in name:
        raise PathError(
            f"{name!r} has a line break in its name, which no ignore file can hold", "rename it"
        )
    line = "/" + _SPECIAL.sub(r"\\\1", name)
    if is_dir:
        return line + "/"
    if line.endswith("\r"):
        return line[:-1] + "[\r]"
    return _LAST_BLANKS.sub(lambda blanks: "\\ " * len(blanks[0]), line)


def add_ignore_lines(root: str, names: Names) -> list[RepoPath]:
    """Have Git ignore these outputs; return the ignore files that changed.

    Raises:
        PathError: a name cannot be ignored, or an ignore file is not a plain file.
    """
    changed = []
    for folder, found in names.items():
        path = join(folder, GIT_IGNORE)
        old = _lines(root, path)
        here = {line.rstrip("\r\n") for line in old}
        wanted = dict.fromkeys(
            ignore_line(name, is_dir=is_dir)
            for name, is_dir in found
            if here.isdisjoint((ignore_line(name, is_dir=is_dir), ignore_line(name, is_dir=False)))
        )
        if wanted:
            ending = "\r\n" if old and old[0].endswith("\r\n") else "\n"
            last = ending if old and not old[-1].endswith("\n") else ""
            write_text(root, path, "".join(old) + last + "".join(w + ending for w in wanted))
            changed.append(path)
    return changed


def remove_ignore_lines(root: str, names: Names) -> list[RepoPath]:
    """Take the lines of these outputs out again; return the ignore files that changed or went.

    A file in which nothing is left is removed.

    Raises:
        PathError: an ignore file is not a plain file.
    """
    changed = []
    for folder, found in names.items():
        path = join(folder, GIT_IGNORE)
        ours = {ignore_line(name, is_dir=is_dir) for name, _ in found for is_dir in (True, False)}
        old = _lines(root, path)
        left = [line for line in old if line.rstrip("\r\n") not in ours]
        if len(left) == len(old):
            continue
        if left:
            write_text(root, path, "".join(left))
        else:
            remove(root, path)
        changed.append(path)
    return changed


def _unfinished(root: str) -> str:
    """Return the folder of files that are being written: what a kill leaves there, Git ignores.

    Empty where the project's own folder is gone already: then it is beside them.
    """
    layout = Layout(root)
    if not os.path.isdir(layout.folder):
        return ""
    os.makedirs(layout.tmp, exist_ok=True)
    return layout.tmp


def _lines(root: str, path: RepoPath) -> list[str]:
    """Return the lines of an ignore file with their ends; none if it is not there."""
    _refuse_links(root, path)
    file = os.path.join(root, path)
    _mode(file, path)
    try:
        with open(file, encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
            return list(stream)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise PathError(f"{path} cannot be read: {error.strerror}") from error


def _mode(file: str, path: RepoPath) -> int:
    """Return the permissions of what is at `file`, or those of a new file."""
    try:
        mode = os.lstat(file).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0o644
    if not stat.S_ISREG(mode):
        what = "a symbolic link" if stat.S_ISLNK(mode) else "not a file"
        raise PathError(f"{path} is {what}", "put a plain file in its place")
    return stat.S_IMODE(mode)


def _refuse_links(root: str, path: RepoPath) -> None:
    """Refuse a path that leads through a symbolic link, out of the project perhaps."""
    folder = parent(path)
    while folder:
        if os.path.islink(os.path.join(root, folder)):
            raise PathError(
                f"{folder} is a symbolic link, so nothing is written to {path}",
                "use the path that it leads to",
            )
        folder = parent(folder)
