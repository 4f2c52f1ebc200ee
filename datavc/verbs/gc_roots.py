"""Roots: everything that names objects of a cache, in this workspace and those that share it."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from datavc.core.digest import Digest
from datavc.core.errors import DatavcError, FormatError
from datavc.core.outputs import LOCK_FILE, TrackedOutput, is_record
from datavc.core.paths import name
from datavc.formats import lockfile
from datavc.pipeline.runcache import RunCache, parse
from datavc.repo.git_history import RevisionScope
from datavc.repo.inventory import load, recorded
from datavc.repo.journal import Operation
from datavc.repo.layout import FOLDER, Layout
from datavc.repo.placed import PlacedRecord
from datavc.repo.repo import Repo
from datavc.repo.snapshot import Blobs, Workspace
from datavc.store.gc import Marks
from datavc.verbs.syncing import at_commits
from datavc.verbs.workspaces import Announced, announced, identity

DAY_S = 86400.0
SHOWN = 3
"""Names that a warning lists."""


@dataclass(slots=True)
class Sharing:
    """The workspaces that use one cache: those that were opened, and those that cannot be.

    `said` is what each published, `lost` root (or id) → why it cannot be read.
    """

    open: list[Repo]
    said: list[Announced] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)


def sharing(repo: Repo) -> Sharing:
    """Return the workspaces that use the cache of `repo`.

    This one is the first; then other work trees of its Git repository, the project that the cache
    lies in, and those that announced themselves there.
    """
    found = Sharing([repo], announced(repo.objects.root))
    seen = {repo.root}
    for root in _neighbours(repo):
        if root not in seen and os.path.isdir(Layout(root).folder):
            seen.add(root)
            _open(root, found)
    for said in found.said:
        if not said.root:
            found.lost[said.id] = "its record in the cache is damaged"
        elif said.root not in seen:
            seen.add(said.root)
            _open(said.root, found)
        if said.root and said.root not in found.lost and _is_another(said):
            found.lost[said.id] = (
                f"it was at {said.root}, where another one lies now (it may be on another machine)"
            )
    return found


def _is_another(said: Announced) -> bool:
    return identity(Layout(said.root)) != said.id


def _neighbours(repo: Repo) -> Iterator[str]:
    for folder in repo.git.worktrees():
        yield os.path.normpath(os.path.join(folder, repo.git.prefix))
    owner, name = os.path.split(repo.objects.root)
    if name == "cache" and os.path.basename(owner) == FOLDER:
        yield os.path.dirname(owner)


def _open(root: str, found: Sharing) -> None:
    try:
        other = Repo.open(root, {})
        if other.root != root:
            raise DatavcError("there is no datavc project any more")
        other.git.head()
    except DatavcError as error:
        found.lost[root] = error.message
    except OSError as error:
        found.lost[root] = error.strerror or str(error)
    else:
        found.open.append(other)


class Roots:
    """Marks what workspaces name; remembers what cannot be told.

    `warnings` are sentences; `uncertain` are current outputs whose files are not known, `expired`
    the operations of the own workspace that no longer count, `stale_runs` the entries of the run
    cache that nobody asked for.
    """

    def __init__(self, marks: Marks, own: Repo, *, expire_undo: bool) -> None:
        """Mark into `marks`; with `expire_undo` no operation of the `own` workspace counts."""
        self._marks = marks
        self._own = own
        self._expire_undo = expire_undo
        self.expired: set[str] = set()
        self.stale_runs: set[str] = set()
        self.uncertain: dict[str, str] = {}
        self.warnings: list[str] = []

    def now(self, workspaces: Iterable[Repo], needs: Iterable[Digest]) -> None:
        """Mark what pointers in work trees, the operation logs and published needs name.

        Raises:
            DatavcError: a pointer or an operation cannot be read; names it.
        """
        for digest in needs:
            self._marks.unknown(digest)
        for repo in workspaces:
            outputs = _readable(repo, Workspace(repo.git), "")
            self.current(outputs)
            for digest in _inputs(repo):
                self._marks.unknown(digest)
            recorded = {output.path: output.digest for output in outputs}
            for path in repo.placed.outputs():
                # What lies there may be links to the cache, though its pointer is gone.
                if path in recorded or os.path.lexists(repo.layout.absolute(path)):
                    self._lying(repo.placed.get(path), recorded.get(path))
            self._operations(repo)
        self._runs()

    def _runs(self) -> None:
        """Mark what runs that are asked for now and then have made."""
        runs = RunCache(self._own.objects.root)
        for key in runs.known_keys():
            data = runs.read(key)
            try:
                run = None if data is None else parse(data, key)
            except FormatError:
                run = None
            if run is None or runs.unused_s(key) > self._own.config.repro.keep_runs_s:
                self.stale_runs.add(key)
                continue
            for digest in run.objects():
                self._marks.unknown(digest)

    def _lying(self, record: PlacedRecord | None, recorded: Digest | None) -> None:
        """Mark the versions that were placed, but for the one that is `recorded`."""
        for digest in (record.digest, record.shown) if record is not None else ():
            if digest is not None and digest != recorded:
                self._marks.unknown(digest)

    def git(self, repo: Repo, scope: RevisionScope | None, grace_s: float) -> None:
        """Mark what Git's indexes and the commits that it holds, or `scope` names, track.

        Raises:
            DatavcError: a pointer in an index cannot be read; names it.
        """
        for blobs in (repo.git.index_blobs(), *repo.git.other_indexes()):
            self.current(_readable(repo, Blobs(repo.git, blobs), " (as staged)"))
        commits = repo.git.implicit_commits(time.time() - grace_s)
        if scope is not None:
            commits += repo.git.commits(scope)
        outputs, warnings = at_commits(repo, list(dict.fromkeys(commits)))
        self.warnings += dict.fromkeys(warnings)
        lost = {path for output in outputs if (path := self._mark(output))}
        if lost:
            self.warnings.append(
                f"older commits track {_some(lost)}, whose lists of files are not here: what only "
                "these lists name is not known to be needed"
            )

    def current(self, outputs: Iterable[TrackedOutput]) -> None:
        """Mark outputs of a work tree or an index."""
        for output in outputs:
            if path := self._mark(output):
                self.uncertain[path] = output.digest

    def _mark(self, output: TrackedOutput) -> str:
        """Mark one version; return its path if what it holds cannot be told."""
        if not output.is_directory:
            self._marks.file(output.digest)
            return ""
        return output.path if self._marks.directory(output.digest) else ""

    def _operations(self, repo: Repo) -> None:
        own = repo is self._own
        limit = time.time() - repo.config.core.undo_days * DAY_S
        for identity_ in repo.journal.ids():
            operation = None if own and self._expire_undo else repo.journal.read(identity_)
            if operation is not None and operation.time_s >= limit:
                self._operation(operation)
            elif own:
                self.expired.add(identity_)

    def _operation(self, operation: Operation) -> None:
        for digest in operation.digests():
            self._marks.file(digest)
        for change in operation.changes:
            for state in (change.before, change.after):
                if state.text is not None and is_record(change.path):
                    data = state.text.encode("utf-8", "surrogateescape")
                    try:
                        for output in recorded(change.path, data):
                            self._mark(output)
                    except DatavcError:
                        self.warnings.append(
                            f"{change.path}, as {operation.command} left or found it, "
                            "is no record of data; it was passed over"
                        )


def known_to(repo: Repo, scope: RevisionScope) -> RevisionScope:
    """Return `scope` without the revisions that another repository does not have."""
    found = []
    for rev in scope.revs:
        try:
            repo.git.resolve(rev)
        except DatavcError:
            continue
        found.append(rev)
    return scope._replace(revs=tuple(found))


def _some(names: Collection[str]) -> str:
    shown = sorted(names)[:SHOWN]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _readable(repo: Repo, snapshot: Workspace | Blobs, where: str) -> list[TrackedOutput]:
    """Return what a snapshot tracks.

    Raises:
        DatavcError: it holds a pointer that cannot be read: its data would not be known.
    """
    found = load(snapshot)
    for path, error in found.broken.items():
        message = error.message if error.message.startswith(path) else f"{path}: {error.message}"
        raise DatavcError(
            f"{message}{where} in {repo.root}; the data that it names cannot be known, so nothing "
            "is collected",
            error.hint or "mend or remove the pointer file, then repeat",
        )
    return list(found.outputs.values())


def _inputs(repo: Repo) -> Iterator[Digest]:
    """Yield what the stages of a workspace last read: data that was edited lies nowhere else."""
    for path, data in Workspace(repo.git).records().items():
        if name(path) == LOCK_FILE and isinstance(data, bytes):
            for entry in lockfile.parse(data, path).values():
                yield from (dep.digest for dep in entry.deps)
