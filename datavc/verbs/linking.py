"""Linking: what the settings want files of the workspace to be, links to the cache or copies."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from datavc.core import digest as digests
from datavc.core import paths, tree
from datavc.core.digest import Digest
from datavc.core.outputs import Failure
from datavc.core.paths import RepoPath
from datavc.core.progress import Progress
from datavc.core.tree import TreeEntry
from datavc.repo.repo import Repo
from datavc.repo.scan import Scan, Trust
from datavc.repo.targets import Selection
from datavc.repo.walk import stat_key
from datavc.repo.workspace import Step
from datavc.store.reflink import was_refused
from datavc.store.stat_segment import StatKey, StatValue
from datavc.verbs.applying import apply
from datavc.verbs.scanning import reader, scanner

MUCH = 1 << 30
"""Bytes of copies from which a line of advice is worth its place."""


def relink(
    repo: Repo,
    outputs: Iterable[RepoPath],
    progress: Progress,
    taken: Mapping[str, tuple[StatValue, int]] = MappingProxyType({}),
) -> list[Failure]:
    """Make the files of `outputs` the links that `cache.type` asks for; copies stay as they are.

    Only files whose object is in the cache are touched. `taken` are files that were hashed and
    then linked into the cache, which changed their stat but not their bytes; with the mtime
    (ns) that they were hashed at.
    """
    if repo.config.cache.types[0] not in ("hardlink", "symlink"):
        return []
    failures: list[Failure] = []
    eyes = reader(repo, progress)
    for path, (value, mtime_ns) in taken.items():
        now = os.lstat(os.path.join(repo.root, path))
        same = now.st_ino == os.lstat(repo.objects.path(Digest(value.content))).st_ino
        if same and (now.st_size, now.st_mtime_ns) == (value.size, mtime_ns):
            eyes.placed[path] = stat_key("", now), value
    for output in outputs:
        scan = scanner(repo, progress).scan(output, eyes, Trust.IDENTITY)
        steps = [step for step in _files(repo, scan) if not _is_linked(repo, step)]
        if steps:
            failures += apply(repo, output, steps, progress)[0].failures
    return failures


def rearrange(repo: Repo, chosen: Iterable[Selection], progress: Progress) -> list[Failure]:
    """Make the chosen files links or copies, as `cache.type` asks for first.

    Only files whose object is in the cache are touched.
    """
    kind = repo.config.cache.types[0]
    kind = kind if kind in ("hardlink", "symlink") else "copy"
    failures: list[Failure] = []
    for selection in chosen:
        output = selection.output.path
        scan = scanner(repo, progress).scan(output, reader(repo, progress), Trust.IDENTITY)
        steps = [
            step
            for step in _files(repo, scan)
            if _kind(repo, step) != kind
            and selection.covers(paths.relative(step.path, output) if step.path != output else "")
        ]
        if steps:
            failures += apply(repo, output, steps, progress)[0].failures
    return failures


def unlink(repo: Repo, scan: Scan, progress: Progress) -> tuple[int, list[Failure]]:
    """Give the linked files of an output bytes of their own; return how many, and failures."""
    steps = [step for step in _files(repo, scan) if _is_linked(repo, step)]
    if not steps:
        return 0, []
    applied, _ = apply(repo, scan.output, steps, progress, types=("copy",))
    return len(applied.placed), applied.failures


def leave_plain(repo: Repo, output: RepoPath, progress: Progress) -> list[Failure]:
    """Give symbolic links to the cache bytes of their own, where nobody will track them any more.

    Also those that `.datavcignore` hides by now: without a pointer nothing keeps their objects.
    """
    steps = [*_links(repo, output)]
    if not steps:
        return []
    return apply(repo, output, steps, progress, types=("copy",))[0].failures


def _links(repo: Repo, output: RepoPath) -> Iterator[Step]:
    """Yield a step for each symbolic link at or below `output` to an object, here or before."""
    caches = {repo.objects.root, repo.layout.default_cache}
    top = repo.layout.absolute(output)
    names = [top] if os.path.islink(top) else []
    for folder, _, found in os.walk(top):
        names += [os.path.join(folder, name) for name in found]
    for full in filter(os.path.islink, names):
        target = os.readlink(full)
        for cache in caches:
            digest = digests.from_object_key(target.removeprefix(f"{cache}/objects/"))
            if digest is not None:
                path = RepoPath(os.path.relpath(full, repo.root))
                entry = TreeEntry(path, digest, 0, tree.FILE)
                yield Step(path, entry, stat_key("", os.lstat(full)))


def advice(repo: Repo, new: int) -> tuple[str, ...]:
    """Return a line on links where copies doubled much data and a hard link would not."""
    if new < MUCH or not was_refused() or "hardlink" in repo.config.cache.types:
        return ()
    if os.stat(repo.root).st_dev != os.stat(repo.objects.root).st_dev:
        return ()
    return (
        "This file system cannot share copies, so the data now takes twice its size; "
        "`datavc config cache.type hardlink,copy` keeps it once, with files read-only",
    )


def _files(repo: Repo, scan: Scan) -> Sequence[Step]:
    """Return a step that places each stored file of `scan` where it already is."""
    pairs = [
        (entry, key)
        for segment in scan.segments
        for entry, key in zip(segment.entries(), segment.keys, strict=True)
        if entry.flags == tree.FILE and entry.size and entry.digest
    ]
    lost = repo.objects.missing({entry.digest for entry, _ in pairs if entry.digest})
    return [_step(scan, entry, key) for entry, key in pairs if entry.digest not in lost]


def _step(scan: Scan, entry: TreeEntry, key: StatKey) -> Step:
    return Step(paths.join(scan.output, entry.path) if entry.path else scan.output, entry, key)


def _is_linked(repo: Repo, step: Step) -> bool:
    return _kind(repo, step) != "copy"


def _kind(repo: Repo, step: Step) -> str:
    """Return what a stored file is: a hard link, a symbolic link, or a copy."""
    if os.path.islink(os.path.join(repo.root, step.path)):
        return "symlink"
    digest = step.new.digest if step.new is not None else None
    if digest is None or step.old is None:
        return "copy"
    is_same_file = os.lstat(repo.objects.path(digest)).st_ino == step.old[1]
    return "hardlink" if is_same_file else "copy"
