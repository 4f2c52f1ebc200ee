"""status: what differs between the last commit, the pointers, the workspace, cache and remote."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from datavc.core import digest as digests
from datavc.core.diff import Change, with_renames
from datavc.core.errors import DataError, DatavcError, PathError
from datavc.core.outputs import TrackedOutput
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.repo.inventory import Inventory, load
from datavc.repo.inventory import recorded as recorded_by
from datavc.repo.placed import had_here
from datavc.repo.repo import Repo
from datavc.repo.scan import Trust
from datavc.repo.snapshot import Workspace, at_commit
from datavc.repo.targets import Selection, repo_path, require_matches, select
from datavc.verbs.comparing import Version, changes, file_paths, is_same, lying, recorded
from datavc.verbs.scanning import Looker, misnamed, unreadable
from datavc.verbs.sync_options import SyncOptions

if TYPE_CHECKING:
    from datavc.verbs.stage_status import Meant


class StatusOptions(NamedTuple):
    """`rev` stands in for the last commit; `cloud` asks the remotes as well."""

    granular: bool = False
    untracked: bool = False
    unchanged: bool = False
    cloud: bool = False
    rev: str | None = None
    sync: SyncOptions = SyncOptions()


class Differences:
    """Paths by kind of change; a directory as a whole has a slash at its end."""

    def __init__(self) -> None:
        """Begin without any."""
        self.added: list[str] = []
        self.modified: list[str] = []
        self.deleted: list[str] = []
        self.renamed: list[dict[str, str]] = []
        self.unknown: list[str] = []

    def __bool__(self) -> bool:
        """Whether there is any."""
        return any((self.added, self.modified, self.deleted, self.renamed, self.unknown))

    def to_json(self) -> dict[str, object]:
        """Return the kinds that occur."""
        kinds = ("added", "modified", "deleted", "renamed", "unknown")
        return {kind: getattr(self, kind) for kind in kinds if getattr(self, kind)}


class StatusResult:
    """`committed`: last commit to pointers; `uncommitted`: pointers to workspace."""

    def __init__(
        self, outputs: int, unreadable: int, warnings: list[str], *, has_remote: bool = True
    ) -> None:
        """Begin with nothing found in so many `outputs`, besides what is `unreadable`."""
        self.committed = Differences()
        self.uncommitted = Differences()
        self.not_in_cache: list[str] = []
        self.not_fetched: list[str] = []
        self.not_in_remote: list[str] = []
        self.untracked: list[str] = []
        self.unchanged: list[str] = []
        self.outputs = outputs
        self.unreadable = unreadable
        self.warnings = warnings
        self.has_remote = has_remote
        self.stages: dict[str, tuple[str, list[object]]] = {}
        self.recorded_by: set[str] = set()
        """Commands that record what changed in the workspace: what stages make is not added."""

    @property
    def differs(self) -> bool:
        """Whether anything is not as recorded, not where it should be, or cannot be told."""
        found = (self.committed, self.uncommitted, self.not_in_cache, self.not_in_remote)
        return any(found) or bool(self.not_fetched or self.unreadable or self.stages)

    def to_json(self) -> dict[str, object]:
        """Return the sections that are not empty."""
        sections: dict[str, object] = {
            "committed": self.committed.to_json(),
            "uncommitted": self.uncommitted.to_json(),
            "not_in_cache": self.not_in_cache,
            "not_fetched": self.not_fetched,
            "not_in_remote": self.not_in_remote,
            "untracked": self.untracked,
            "unchanged": self.unchanged,
            "stages": {name: found for name, (_, found) in self.stages.items()},
        }
        return {name: section for name, section in sections.items() if section}


def status(
    repo: Repo,
    targets: Sequence[str] = (),
    options: StatusOptions = StatusOptions(),
    *,
    progress: Progress = SILENT,
) -> StatusResult:
    """Compare, without writing and, unless `cloud` is set, without the network.

    Raises:
        PathError: a target names nothing tracked.
        ConfigError, RemoteError: only with `cloud`.
    """
    listing = repo.git.listing()
    known = load(Workspace(repo.git, listing.records))
    stages = None
    if listing.stage_files:
        from datavc.verbs import stage_status

        stages = stage_status.opened(repo, listing.stage_files, known)
    meant = stages.meant(targets) if stages is not None else None
    chosen = _chosen(repo, known, targets, meant)
    passed_over = unreadable(known)
    result = StatusResult(
        outputs=len(chosen),
        unreadable=len(passed_over),
        warnings=[*passed_over, *misnamed(repo, known)],
        has_remote=bool(repo.config.remotes),
    )
    progress.start("Checking")
    _committed(repo, known, chosen if targets else None, options, result)
    look = _Look(repo, options, result, progress)
    sound = stages.sound(chosen) if stages is not None else frozenset()
    for selection in chosen:
        if selection.output.path not in sound:
            look.at(selection)
        elif options.unchanged:
            result.unchanged.append(_name(selection.output))
    if stages is not None and meant is not None:
        stages.compare(meant, result.stages, result.warnings)
    if options.cloud:
        from datavc.verbs.cloud import lacking

        asked = chosen if options.rev is None else _at(repo, options.rev, targets)
        found = lacking(repo, asked, options.sync, granular=options.granular)
        result.not_in_remote += found.paths
        result.warnings += found.warnings
    if options.untracked:
        _note_untracked(repo, known, result)
    _warn_of_git(repo, chosen, result)
    return result


def _note_untracked(repo: Repo, known: Inventory, result: StatusResult) -> None:
    """Note the files that neither Git nor datavc knows."""
    pointers = {output.recorded_in for output in known.outputs.values()} | known.broken.keys()
    result.untracked += [path for path in repo.git.untracked() if path not in pointers]


def _warn_of_git(repo: Repo, chosen: Sequence[Selection], result: StatusResult) -> None:
    """Say which of the outputs Git tracks as well."""
    in_git = repo.git.tracked([s.output.path for s in chosen]) if chosen else set()
    if in_git:
        first = sorted(in_git)[0]
        result.warnings.append(
            f"{first} is tracked by datavc and by Git; `git rm -r --cached {first}` leaves it to "
            "datavc"
        )


def _chosen(
    repo: Repo, known: Inventory, targets: Sequence[str], meant: Meant | None
) -> list[Selection]:
    """Return the outputs that targets name, themselves or by the stage that makes them."""
    rest = targets if meant is None else meant.rest
    paths = [repo_path(repo.root, repo.here, text) for text in rest]
    if meant is not None and targets:
        paths += [path for path in meant.outs if path in known.outputs]
        return meant.select(known, paths) if paths else []
    return select(known, paths)


def _at(repo: Repo, rev: str, targets: Sequence[str]) -> list[Selection]:
    paths = [repo_path(repo.root, repo.here, text) for text in targets]
    return select(load(at_commit(repo.git, repo.git.resolve(rev))), paths)


def _committed(
    repo: Repo,
    known: Inventory,
    chosen: list[Selection] | None,
    options: StatusOptions,
    result: StatusResult,
) -> None:
    """Compare what the last commit tracks with what the records say."""
    now = known.outputs
    if options.rev is not None:
        old = load(at_commit(repo.git, repo.git.resolve(options.rev))).outputs
    else:
        old, touched = _as_committed(repo, result)
        now = {path: output for path, output in now.items() if output.recorded_in in touched}
    meant = None if chosen is None else {selection.output.path for selection in chosen}
    for path in sorted(old.keys() | now.keys()):
        was = old.get(path)
        readable = was is None or was.recorded_in not in known.broken
        if (meant is None or path in meant) and readable:
            _compare(repo, was, now.get(path), options.granular, result.committed)


def _as_committed(
    repo: Repo, result: StatusResult
) -> tuple[dict[RepoPath, TrackedOutput], Collection[RepoPath]]:
    """Return what the last commit says in records that may have changed, and those records."""
    blobs = repo.git.records_unlike_head()
    texts = repo.git.read_blobs({blob for blob in blobs.values() if blob})
    old: dict[RepoPath, TrackedOutput] = {}
    for path, blob in blobs.items():
        if blob in texts:
            try:
                old |= {output.path: output for output in recorded_by(path, texts[blob])}
            except DatavcError as error:
                result.warnings.append(f"{error.message} (as committed)")
    return old, blobs.keys()


def _compare(
    repo: Repo,
    old: TrackedOutput | None,
    new: TrackedOutput | None,
    granular: bool,  # noqa: FBT001
    into: Differences,
) -> None:
    before = recorded(repo.objects, old) if old is not None else None
    after = recorded(repo.objects, new) if new is not None else None
    if before is not None and after is not None and is_same(before, after):
        return
    describe(before, after, granular=granular, into=into)


def describe(
    old: Version | None, new: Version | None, *, granular: bool, into: Differences
) -> None:
    """Add to `into` how an output differs, and with `granular` how its files do."""
    version = new or old
    if version is None:
        return
    slash = "/" if version.is_directory else ""
    kind = "added" if old is None else "deleted" if new is None else "modified"
    getattr(into, kind).append(version.path + slash)
    if not (granular and version.is_directory):
        return
    try:
        found = list(changes(old, new))
    except DatavcError:  # a list of files is not here: what changed inside cannot be told
        return
    _add_files([change for change in found if change.path], version.path, into)


def _add_files(found: Iterable[Change], folder: str, into: Differences) -> None:
    for change in with_renames(found):
        if change.kind == "renamed" and change.old is not None:
            into.renamed.append(
                {"old": f"{folder}/{change.old.path}", "new": f"{folder}/{change.path}"}
            )
        else:
            getattr(into, change.kind).append(f"{folder}/{change.path}")


class _Look:
    """Looks at the workspace, output by output."""

    def __init__(
        self, repo: Repo, options: StatusOptions, result: StatusResult, progress: Progress
    ) -> None:
        self._repo = repo
        self._options = options
        self._result = result
        self._looker = Looker(repo, progress)

    def at(self, selection: Selection) -> None:
        """Compare one pointer with what lies there, and with the cache."""
        output = selection.output
        try:
            scan = self._looker.scan(output, Trust.CHANGED)
        except PathError as error:
            self._result.uncommitted.unknown.append(_name(output))
            self._result.warnings.append(error.message)
            return
        version = recorded(self._repo.objects, output)
        now = lying(scan, digests.algorithm(output.digest)) if scan.present else None
        same = now is not None and is_same(version, now)
        # What lies here lists the same files, and is at hand without reading a tree.
        self._cache(selection, now if same and now is not None else version)
        if not selection.whole:
            require_matches(selection, file_paths(version, now))
        if same:
            self._result.unchanged += [_name(output)] if self._options.unchanged else []
        else:
            self._differs(selection, version, now)

    def _differs(self, selection: Selection, version: Version, now: Version | None) -> None:
        output, into = selection.output, self._result.uncommitted
        self._result.recorded_by.add("commit" if output.stage else "add")
        record = self._repo.placed.get(output.path)
        if now is None and (record is None or record.paths == frozenset()):
            self._result.not_fetched.append(_name(output))
            return
        kind = "deleted" if now is None else "modified"
        try:
            found = [c for c in changes(version, now) if selection.covers(c.path)]
        except DataError:
            getattr(into, kind if now is None else "unknown").append(_name(output))
            return
        gone: list[RepoPath] = []
        if output.is_directory:
            had = had_here(self._repo.objects, record, output.digest)
            gone = [c.path for c in found if c.kind == "deleted" and not had(c.path)]
        if gone:
            inside = [f"{output.path}/{path}" for path in gone]
            self._result.not_fetched += inside if self._options.granular else [_name(output)]
        absent = set(gone)
        real = [change for change in found if change.path not in absent]
        if not real and (gone or now is not None):
            return
        getattr(into, kind).append(_name(output))
        if self._options.granular and output.is_directory and (now is None or now.is_directory):
            _add_files(real, output.path, into)

    def _cache(self, selection: Selection, version: Version) -> None:
        """Note what the cache lacks of `version`, which holds what the pointer records."""
        output = selection.output
        store, into = self._repo.objects, self._result.not_in_cache
        name = _name(output)
        if not output.is_directory:
            into += [name] if store.missing([output.digest]) else []
            return
        if store.whole.knows(output.digest):
            return
        device = os.stat(store.root).st_dev if os.path.isdir(store.root) else 0
        asked = self._repo.stat_cache.now(device)
        try:
            parts = version.parts()
            lost = store.missing({output.digest, *(digest for digest, _ in parts)})
            entries = (entry for _, load in parts for entry in load())
            files = [(e.path, e.digest) for e in entries if e.digest and selection.covers(e.path)]
        except DatavcError:
            into.append(name)
            return
        lost |= store.missing({digest for _, digest in files if digest})
        if lost:
            into.append(name)
        elif selection.whole:
            store.whole.remember(output.digest, asked)
        if lost and self._options.granular:
            into += [f"{output.path}/{path}" for path, digest in files if digest in lost]


def _name(output: TrackedOutput) -> str:
    return output.path + ("/" if output.is_directory else "")
