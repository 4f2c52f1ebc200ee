"""What several verbs need to look at the workspace with: scanner and reader of one repository."""

from __future__ import annotations

import os

from datavc.core import digest as digests
from datavc.core import paths
from datavc.core.outputs import POINTER_SUFFIX, Failure, TrackedOutput
from datavc.core.progress import Progress
from datavc.core.tree import LINK, TreeEntry
from datavc.repo import ignore
from datavc.repo.file_reader import FileReader, ReaderSettings
from datavc.repo.inventory import Inventory, load
from datavc.repo.repo import Repo
from datavc.repo.scan import Scan, Scanner, Trust
from datavc.repo.snapshot import Workspace
from datavc.store.local_writer import LocalWriter


def jobs(repo: Repo) -> int:
    """Return how many threads read and hash: the setting, else one a core, at most eight."""
    return repo.config.core.jobs or min(8, os.cpu_count() or 1)


def scanner(repo: Repo, progress: Progress, algorithm: str | None = None) -> Scanner:
    """Return a scanner of the workspace with its `.datavcignore` rules."""
    rules = ignore.load(repo.root)
    named = algorithm or repo.objects.algorithm
    return Scanner(repo.root, repo.stat_cache, named, rules, progress)


def reader(
    repo: Repo,
    progress: Progress,
    writer: LocalWriter | None = None,
    algorithm: str | None = None,
) -> FileReader:
    """Return a reader of the workspace's files, which stores them if it has a `writer`.

    The algorithm is the project's own by default.
    """
    objects = os.path.join(repo.objects.root, "objects")
    by_link = repo.config.cache.types[0] == "hardlink"
    named = algorithm or repo.objects.algorithm
    settings = ReaderSettings(repo.root, named, objects, jobs(repo), repo.objects.holds, by_link)
    return FileReader(settings, progress, writer)


class Looker:
    """Scans outputs for comparison, each in the algorithm that its record uses.

    So data that another choice of `core.digest`, or another tool, recorded is not taken for
    changed because its name is of another kind.
    """

    def __init__(self, repo: Repo, progress: Progress) -> None:
        """Look at the workspace of `repo`."""
        self._repo = repo
        self._progress = progress
        self._by_algorithm: dict[str, tuple[Scanner, FileReader]] = {}

    def scan(self, output: TrackedOutput, trust: Trust) -> Scan:
        """Return what lies at an output.

        Raises:
            PathError: a folder cannot be read.
        """
        algorithm = digests.algorithm(output.digest)
        if algorithm not in self._by_algorithm:
            self._by_algorithm[algorithm] = (
                scanner(self._repo, self._progress, algorithm),
                reader(self._repo, self._progress, algorithm=algorithm),
            )
        look, eyes = self._by_algorithm[algorithm]
        return look.scan(output.path, eyes, trust)


def inventory(repo: Repo) -> Inventory:
    """Return what the workspace's pointers track."""
    return load(Workspace(repo.git))


def data_only(found: Inventory) -> Inventory:
    """Return the outputs that pointers record, those of stages left out."""
    outputs = {path: output for path, output in found.outputs.items() if not output.stage}
    return Inventory(outputs, found.broken)


def unreadable(found: Inventory) -> tuple[str, ...]:
    """Return a warning for each pointer file that was passed over."""
    return tuple(
        f"{error.message}; it was passed over" + (f" ({error.hint})" if error.hint else "")
        for error in found.broken.values()
    )


def passed_over(found: Inventory) -> list[Failure]:
    """Return the same as failures, for a command that was asked for everything."""
    texts = unreadable(found)
    return [Failure(path, "", text) for path, text in zip(found.broken, texts, strict=True)]


def is_link_of_ours(repo: Repo, entry: TreeEntry) -> bool:
    """Tell whether a link in the workspace leads to an object that is gone or damaged.

    (One to a sound object is a file to every scan.) It holds nothing of the user's.
    """
    objects = os.path.join(repo.objects.root, "objects") + os.sep
    return entry.flags == LINK and entry.content.startswith(objects)


def misnamed(repo: Repo, found: Inventory) -> list[str]:
    """Return a warning for each pointer that was renamed by hand together with its data."""

    def is_there(path: str) -> bool:
        return os.path.lexists(repo.layout.absolute(path))

    pointers = (out for out in found.outputs.values() if not out.stage)
    named = {out.recorded_in.removesuffix(POINTER_SUFFIX): out for out in pointers}
    return [
        f"{out.recorded_in} records {out.path}, which is not there, but {beside} is: write "
        f"`path: {paths.name(beside)}` into it, then `datavc add {beside}`"
        for beside, out in named.items()
        if beside != out.path and not is_there(out.path) and is_there(beside)
    ]
