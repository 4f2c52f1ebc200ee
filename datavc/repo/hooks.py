"""Git hooks and the merge driver: put in, taken out, looked at.

One script (`hook_script.sh`) stands under every name of `NAMES`. A hook that was there before is
kept beside it as `NAME.datavc-chained` and called first; removing ours puts it back as it was.
Nothing here follows Git or moves data: the script calls `datavc hook`, which is `verbs/hook.py`.
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import NamedTuple

from datavc.core.errors import DatavcError
from datavc.repo import stamp
from datavc.repo.git import Git
from datavc.store import atomic

FOLLOWING = (
    "post-index-change",
    "post-checkout",
    "post-merge",
    "post-rewrite",
    "post-commit",
    "post-applypatch",
    "reference-transaction",
)
"""After one of these data may have to follow."""
NAMES = (*FOLLOWING, "pre-push")

CHAINED = ".datavc-chained"
"""Ending of a hook that stood where ours stands now."""
ATTRIBUTES = ".gitattributes"
MERGED = ("*.datavc merge=datavc", "datavc.lock merge=datavc")
"""What Git is told, in a tracked file, to merge by our driver."""

_LEGACY = ".legacy"
"""Ending that the pre-commit tool gives to a hook it finds, and calls."""
_MARK = b"# datavc hook, version "
_DRIVER = "merge.datavc.driver"
_DRIVER_NAME = "merge.datavc.name"


class Program(NamedTuple):
    """What hooks start: the console script and its interpreter, both absolute."""

    script: str
    python: str

    @property
    def merge_driver(self) -> str:
        """The command that Git merges pointers and locks with."""
        return f"{shlex.quote(self.script)} merge-driver %O %A %B %P"


class Installed(NamedTuple):
    """What installing changed, or would: names of hooks and lines.

    `written` hooks are new or were brought up to date; `chained` ones stood there before and are
    called by ours; `warnings` are sentences for the user.
    """

    folder: str
    written: tuple[str, ...]
    chained: tuple[str, ...]
    attributes: tuple[str, ...]
    driver: bool
    warnings: tuple[str, ...]


class Uninstalled(NamedTuple):
    """What uninstalling removed: names of hooks, and those of others that stand there again."""

    folder: str
    removed: tuple[str, ...]
    restored: tuple[str, ...]


class Status(NamedTuple):
    """How it stands: `missing` hooks, `outdated` ones (another datavc, or moved), the driver."""

    folder: str
    installed: tuple[str, ...]
    missing: tuple[str, ...]
    outdated: tuple[str, ...]
    chained: tuple[str, ...]
    driver: bool

    @property
    def complete(self) -> bool:
        """Whether data follows Git here, and pointers are merged by us."""
        return self.driver and not self.missing and not self.outdated


def program() -> Program:
    """Return the datavc that is running now.

    Raises:
        DatavcError: it has no console script beside its interpreter.
    """
    for script in (os.path.join(os.path.dirname(sys.executable), "datavc"), sys.argv[0]):
        if os.path.isabs(script) and os.access(script, os.X_OK) and os.path.isfile(script):
            return Program(script, sys.executable)
    raise DatavcError(
        f"cannot tell hooks where datavc is: there is no `datavc` program beside {sys.executable}",
        "install datavc with pip or uv, then run `datavc install`",
    )


def install(git: Git, *, dry_run: bool = False) -> Installed:
    """Put hooks and merge driver in; what is in order already stays as it is.

    Raises:
        DatavcError: a hook cannot be chained, or the folder cannot be written; nothing changed.
    """
    started = program()
    folder, script = git.hooks_dir(), _script(started)
    written = tuple(name for name in NAMES if _read(_place(folder, name)) != script)
    foreign = tuple(name for name in written if _is_foreign(os.path.join(folder, name)))
    for name in foreign:
        _check_chainable(folder, name)
    attributes = _missing_attributes(git)
    driver = git.settings.get(_DRIVER) != started.merge_driver
    if not dry_run:
        if written:
            stamp.remove(git)
            _write_hooks(folder, written, script)
        _add_attributes(git, attributes)
        git.settings.set(_DRIVER_NAME, "datavc: directories by their files, locks by stage")
        git.settings.set(_DRIVER, started.merge_driver)
    return Installed(folder, written, foreign, attributes, driver, _warnings(git, folder))


def uninstall(git: Git, *, dry_run: bool = False) -> Uninstalled:
    """Take hooks and merge driver out, and put back what stood there before, byte for byte.

    The lines in `.gitattributes` stay: they are the project's, and say nothing without a driver.
    """
    folder = git.hooks_dir()
    ours = tuple(name for name in NAMES if _is_ours(_place(folder, name)))
    chained = tuple(name for name in ours if os.path.lexists(_chained(folder, name)))
    if not dry_run:
        for name in ours:
            place = _place(folder, name)
            if name in chained:
                os.replace(_chained(folder, name), place)
            else:
                os.unlink(place)
        git.settings.unset(_DRIVER)
        git.settings.unset(_DRIVER_NAME)
        stamp.remove(git)
    return Uninstalled(folder, ours, chained)


def status(git: Git) -> Status:
    """Return how hooks and merge driver stand; reads, and asks Git two questions."""
    started = program()
    folder, script = git.hooks_dir(), _script(started)
    ours = [name for name in NAMES if _is_ours(_place(folder, name))]
    return Status(
        folder=folder,
        installed=tuple(ours),
        missing=tuple(name for name in NAMES if name not in ours),
        outdated=tuple(name for name in ours if _read(_place(folder, name)) != script),
        chained=tuple(name for name in ours if os.path.lexists(_chained(folder, name))),
        driver=git.settings.get(_DRIVER) == started.merge_driver,
    )


def _script(started: Program) -> bytes:
    source = os.path.join(os.path.dirname(__file__), "hook_script.sh")
    with open(source, encoding="utf-8") as stream:
        text = stream.read()
    text = text.replace("@DATAVC@", shlex.quote(started.script))
    return os.fsencode(text.replace("@PYTHON@", shlex.quote(started.python)))


def _place(folder: str, name: str) -> str:
    """Return where our hook stands, or is to stand: where pre-commit moved it, if it did."""
    moved = os.path.join(folder, name + _LEGACY)
    return moved if _is_ours(moved) else os.path.join(folder, name)


def _chained(folder: str, name: str) -> str:
    return os.path.join(folder, name + CHAINED)


def _read(file: str) -> bytes | None:
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _is_ours(file: str) -> bool:
    data = _read(file)
    return data is not None and _MARK in data[:200]


def _is_foreign(file: str) -> bool:
    return os.path.lexists(file) and not _is_ours(file)


def _check_chainable(folder: str, name: str) -> None:
    hook, earlier = os.path.join(folder, name), _chained(folder, name)
    if os.path.lexists(earlier) and _read(earlier) != _read(hook):
        raise DatavcError(
            f"cannot keep the Git hook {hook}: another one is kept as {earlier} already",
            "make one of the two, remove the other, then run `datavc install`",
        )


def _write_hooks(folder: str, names: tuple[str, ...], script: bytes) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
        for name in names:
            place = _place(folder, name)
            if _is_foreign(place):
                _set_aside(place, _chained(folder, name))
            atomic.write_bytes(place, script, mode=0o755)
    except OSError as error:
        raise DatavcError(
            f"cannot write Git's hooks in {folder}: {error.strerror}",
            "`git config core.hooksPath` tells whose folder it is",
        ) from error


def _set_aside(hook: str, earlier: str) -> None:
    """Give a hook its second name. It keeps its own until ours replaces it, so none is missed."""
    try:
        os.link(hook, earlier, follow_symlinks=False)
    except FileExistsError:
        return
    except OSError:
        os.rename(hook, earlier)


def _missing_attributes(git: Git) -> tuple[str, ...]:
    data = _read(os.path.join(git.root, ATTRIBUTES)) or b""
    lines = {line.strip() for line in data.decode("utf-8", "surrogateescape").splitlines()}
    return tuple(line for line in MERGED if line not in lines)


def _add_attributes(git: Git, lines: tuple[str, ...]) -> None:
    if not lines:
        return
    file = os.path.join(git.root, ATTRIBUTES)
    data = _read(file) or b""
    if data and not data.endswith(b"\n"):
        data += b"\n"
    atomic.write_bytes(file, data + "".join(f"{line}\n" for line in lines).encode())


def _warnings(git: Git, folder: str) -> tuple[str, ...]:
    """Return what the user should know of a folder of hooks that is not Git's own."""
    if folder.startswith(f"{git.common_dir}/"):
        return ()
    if folder.startswith(f"{git.work_tree}/"):
        return (
            f"the hooks in {folder} name this machine's datavc: leave them out of your commits",
        )
    return (f"the hooks in {folder} (core.hooksPath) serve every repository that uses it",)
