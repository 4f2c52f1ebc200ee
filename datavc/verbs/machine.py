"""Machine: what `doctor` looks at outside the project: programs, packages, disk, links."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress

from datavc.repo.repo import Repo
from datavc.store.reflink import reflink
from datavc.verbs.health import Check, fail, ok, warn
from datavc.verbs.version import versions

OLDEST_GIT = (2, 30)
LOW_DISK = 1 << 30
"""Free bytes below which a warning is due."""
EXTRAS = {
    "gs": "gcsfs",
    "azure": "adlfs",
    "ssh": "sshfs",
    "webdav": "webdav4",
    "hdfs": "pyarrow",
    "http": "aiohttp",
}
"""Extra of the installation → package that it brings."""
GROUP_FOLDER = stat.S_ISGID | stat.S_IRWXG

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def software_checks() -> Iterator[Check]:
    """Yield what runs here: datavc, Git, packages."""
    found = versions()
    yield ok("datavc", f"{found.datavc}, Python {found.python} on {found.platform}")
    numbers = re.match(r"(\d+)\.(\d+)", found.git)
    if numbers is None:
        yield fail("git program", found.git, "install Git 2.30 or newer")
    elif (int(numbers[1]), int(numbers[2])) < OLDEST_GIT:
        yield fail("git program", f"{found.git} is too old", "install Git 2.30 or newer")
    else:
        yield ok("git program", found.git)
    needed = [name for name in found.packages if name not in EXTRAS.values()]
    shown = ", ".join(f"{name} {found.packages[name]}" for name in needed)
    yield ok("packages", shown)
    extras = [extra for extra, package in EXTRAS.items() if package in found.packages]
    yield ok("extras", ", ".join(extras) or "none (`pip install 'datavc[ssh,gs]'` brings some)")


def cache_checks(repo: Repo) -> Iterator[Check]:
    """Yield where objects are kept, whether they can be written, and how much room there is."""
    import shutil

    root = repo.objects.root
    there = _existing(root)
    if not os.access(there, os.W_OK | os.X_OK):
        yield fail("cache", f"{there} cannot be written", f"`ls -ld {there}` shows whose it is")
    else:
        yield ok("cache", root if there == root else f"{root}, made when it is needed")
    free = shutil.disk_usage(there).free
    room = f"{free / (1 << 30):,.1f} GiB free"
    if free < LOW_DISK:
        yield warn("disk", room, "`datavc gc -w --dry-run` shows what could go")
    else:
        yield ok("disk", room)
    if repo.objects.shared:
        yield from _shared(root)


def _shared(root: str) -> Iterator[Check]:
    """Yield folders of a cache that a group shares, but that the group cannot write."""
    wrong = []
    for name in ("", "objects", "tmp", "leases", "workspaces"):
        folder = os.path.join(root, name)
        with suppress(FileNotFoundError):
            if os.stat(folder).st_mode & GROUP_FOLDER != GROUP_FOLDER:
                wrong.append(folder)
    if wrong:
        yield warn(
            "shared cache",
            f"{wrong[0]} is not the group's to write",
            f"`chmod 2770 {wrong[0]}`, by its owner",
        )
    else:
        yield ok("shared cache", "its folders are the group's")


def link_checks(repo: Repo) -> Iterator[Check]:
    """Yield which links work between cache and workspace, tried with files that are removed."""
    cache = repo.objects.root
    source_folder = cache if os.path.isdir(cache) else ""
    if not source_folder and cache == repo.layout.default_cache:
        source_folder = repo.layout.folder
    if not source_folder:
        yield warn("links", f"{cache} is not there yet", "they can be tried after the first `add`")
        return
    works = _tried(source_folder, repo.layout.folder)
    wanted = repo.config.cache.types
    used = next((kind for kind in wanted if kind in works), "copy")
    said = f"{', '.join(works)} work; {used} is used"
    if used == "copy" and "hardlink" in works and wanted[0] != "copy":
        hint = "`datavc config cache.type hardlink,copy` keeps data once, with files read-only"
        yield warn("links", f"{said}, so data takes twice its size", hint)
    else:
        yield ok("links", said)


def _tried(source_folder: str, target_folder: str) -> list[str]:
    stem = f".doctor-{os.getpid()}-{os.urandom(4).hex()}"
    source = os.path.join(source_folder, f"{stem}-source")
    target = os.path.join(target_folder, f"{stem}-target")
    works = []
    source_fd = os.open(source, _CREATE, 0o600)
    try:
        os.write(source_fd, b"link")
        if _reflinks(source_fd, target):
            works.append("reflink")
        for kind, make in (("hardlink", os.link), ("symlink", os.symlink)):
            with suppress(OSError):
                make(source, target)
                os.unlink(target)
                works.append(kind)
    finally:
        os.close(source_fd)
        os.unlink(source)
    return [*works, "copy"]


def _reflinks(source_fd: int, target: str) -> bool:
    fd = os.open(target, _CREATE, 0o600)
    try:
        return reflink(source_fd, fd)
    finally:
        os.close(fd)
        os.unlink(target)


def _existing(folder: str) -> str:
    """Return `folder`, or the nearest one above it that is there."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder
