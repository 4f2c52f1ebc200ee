"""Repairing: which files an object serves, what is lost, and where sound bytes still are."""

from __future__ import annotations

import errno
import os
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from datavc.core.digest import Digest
from datavc.core.errors import DatavcError, RemoteError
from datavc.core.outputs import TrackedOutput
from datavc.core.paths import RepoPath
from datavc.core.progress import Progress
from datavc.repo import consent
from datavc.repo.git_history import RevisionScope
from datavc.repo.placed import had_here
from datavc.repo.repo import Repo
from datavc.repo.scan import Trust
from datavc.store import trees
from datavc.store.local_writer import LocalWriter
from datavc.verbs.fetch import again
from datavc.verbs.scanning import inventory, reader, scanner
from datavc.verbs.sync_options import SyncOptions
from datavc.verbs.syncing import at_commits

Names = dict[Digest, set[str]]
"""Object → files that it serves; a directory's list of files as its path with a slash."""

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NO_FILE = {
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO),
    *(errno.EACCES, errno.EPERM),
}
"""Why there are no bytes to be had: nothing, a folder, a link, a socket, or no permission."""


def served(repo: Repo, wanted: Collection[Digest]) -> Names:
    """Return the files, of the workspace and of all commits, that `wanted` objects serve."""
    names: Names = defaultdict(set)
    seen: set[tuple[RepoPath, Digest]] = set()
    for output in _all_versions(repo):
        if (output.path, output.digest) in seen:
            continue
        seen.add((output.path, output.digest))
        folder = f"{output.path}/"
        if output.digest in wanted:
            names[output.digest].add(folder if output.is_directory else output.path)
        for digest, path in _inside(repo, output, seen):
            if digest in wanted:
                names[digest].add(folder + path)
    return names


def _all_versions(repo: Repo) -> Iterator[TrackedOutput]:
    yield from inventory(repo).outputs.values()
    commits = repo.git.commits(RevisionScope(all_commits=True))
    commits += repo.git.implicit_commits(time.time() - repo.config.gc.grace_s)
    yield from at_commits(repo, list(dict.fromkeys(commits)))[0]


def _inside(
    repo: Repo, output: TrackedOutput, seen: set[tuple[RepoPath, Digest]]
) -> Iterator[tuple[Digest, str]]:
    """Yield the objects of a directory with their paths in it; lists themselves have none."""
    if not output.is_directory:
        return
    try:
        segments = trees.segments(repo.objects, output.digest)
    except DatavcError:  # damaged itself: what it names is not known until it is repaired
        return
    for segment in segments:
        if segment.digest != output.digest:
            if (output.path, segment.digest) in seen:
                continue
            seen.add((output.path, segment.digest))
            yield segment.digest, ""
        try:
            entries = trees.leaf(repo.objects, segment)
        except DatavcError:
            continue
        for entry in entries:
            if entry.digest is not None:
                yield entry.digest, entry.path


def lost(repo: Repo) -> Names:
    """Return what the cache lacks of the files that this workspace has had, and their lists.

    What was never fetched is not lost.
    """
    names: Names = defaultdict(set)
    for output in inventory(repo).outputs.values():
        record = repo.placed.get(output.path)
        if record is None or not output.pointer.cache:
            continue
        folder = f"{output.path}/"
        wanted: Names = defaultdict(set)
        wanted[output.digest].add(folder if output.is_directory else output.path)
        had = had_here(repo.objects, record, output.digest)
        for digest, path in _inside(repo, output, set()):
            if not path or had(path):
                wanted[digest].add(folder + path)
        for digest in repo.objects.missing(wanted):
            names[digest] |= wanted[digest]
    return names


def from_workspace(repo: Repo, wanted: Mapping[Digest, set[str]], progress: Progress) -> None:
    """Store those of `wanted` whose bytes a file of the workspace still has."""
    with repo.objects.writer() as writer:
        for folder in sorted({n for names in wanted.values() for n in names if n[-1:] == "/"}):
            _rebuild_list(repo, RepoPath(folder[:-1]), wanted.keys(), (writer, progress))
        for digest, names in wanted.items():
            for name in sorted(names):
                if name[-1:] != "/" and _stored(writer, os.path.join(repo.root, name), digest):
                    break


def _stored(writer: LocalWriter, file: str, digest: Digest) -> bool:
    try:
        with open(os.open(file, _OPEN), "rb", buffering=0) as stream:
            writer.put(stream, expect=digest)
    except OSError as error:
        if error.errno not in _NO_FILE:
            raise
        return False
    except DatavcError:  # other bytes lie there now
        return False
    return True


def _rebuild_list(
    repo: Repo,
    output: RepoPath,
    wanted: Collection[Digest],
    how: tuple[LocalWriter, Progress],
) -> None:
    """Store the list of a directory's files again if they lie there as it says."""
    writer, progress = how
    eyes = reader(repo, progress)
    scan = scanner(repo, progress).scan(output, eyes, Trust.IDENTITY)
    if scan.kind != "directory" or eyes.failures:
        return
    found = {segment.summary.digest for segment in scan.segments}
    found.add(scan.summary(repo.objects.algorithm).digest)
    if not found.isdisjoint(wanted):
        trees.write(writer, scan.entries())


def from_remotes(
    repo: Repo,
    wanted: Mapping[Digest, set[str]],
    options: SyncOptions,
    progress: Progress,
) -> list[str]:
    """Fetch those of `wanted` that a remote has; return warnings.

    The remote that `options` names is asked, else the default one and then the others, as far as
    the user has agreed to them.

    Raises:
        ConfigError, RemoteError: the named remote cannot be used.
    """
    warnings = []
    paths = {digest: min(names, default="") for digest, names in wanted.items()}
    for name in [options.remote] if options.remote else _agreed(repo):
        left = repo.objects.missing(wanted)
        if not left:
            break
        chosen = SyncOptions(remote=name, jobs=options.jobs, ask=options.ask)
        try:
            again(repo, left, paths, chosen, progress)
        except RemoteError as error:
            if options.remote:
                raise
            warnings.append(f"remote {name} could not be asked: {error.message}")
    return warnings


def _agreed(repo: Repo) -> Iterable[str]:
    default = repo.config.core.remote
    names = sorted(repo.config.remotes, key=lambda name: (name != default, name))
    return [name for name in names if consent.is_agreed(repo.layout, repo.config.remotes[name])]
