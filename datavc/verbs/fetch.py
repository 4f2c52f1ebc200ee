"""fetch: bring objects from remotes into the cache, each verified before it gets its name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from datavc.core.digest import Digest
from datavc.core.errors import DatavcError
from datavc.core.outputs import Failure
from datavc.core.progress import SILENT, Progress
from datavc.core.tree import TreeEntry
from datavc.repo.repo import Repo
from datavc.repo.targets import Selection, require_matches
from datavc.store import trees
from datavc.store.object_store import WHOLE_LIMIT, ObjectStore
from datavc.store.transfer import copy
from datavc.verbs.sync_options import SyncOptions
from datavc.verbs.syncing import NOWHERE, Remote, SyncResult, by_remote, meant, open_remote


def fetch(
    repo: Repo,
    targets: Sequence[str] = (),
    options: SyncOptions = SyncOptions(),
    *,
    progress: Progress = SILENT,
) -> SyncResult:
    """Bring what the workspace's pointers, and those of a scope, name and the cache lacks.

    Nothing is asked of a remote if nothing is lacking. What can be had arrives; the rest is named.

    Raises:
        ConfigError, RemoteError: no remote, no consent, or it cannot be reached.
    """
    result = SyncResult(dry_run=options.dry_run)
    bring(repo, meant(repo, targets, options, result), result, (options, progress))
    if options.run_cache and not options.dry_run:
        _fetch_runs(repo, result, (options, progress))
    return result


def _fetch_runs(repo: Repo, result: SyncResult, how: tuple[SyncOptions, Progress]) -> None:
    """Bring the run-cache entries that are not here, each once all that it names has arrived."""
    from datavc.verbs import run_shelf

    shelf = run_shelf.Shelf(open_remote(repo, how[0].remote, how[0]).store)
    runs = run_shelf.of_cache(repo)
    for run in run_shelf.readable(shelf.keys() - set(runs.known_keys()), shelf.get):
        failed = len(result.failures)
        bring(repo, run_shelf.made(run), result, how)
        if len(result.failures) == failed:
            runs.put(run)
            result.runs += 1


def bring(
    repo: Repo,
    chosen: Sequence[Selection],
    result: SyncResult,
    how: tuple[SyncOptions, Progress],
) -> None:
    """Bring what the cache lacks of `chosen` versions; `result` says what came and what did not.

    Raises:
        ConfigError, RemoteError: no remote, no consent, or it cannot be reached.
    """
    options, progress = how
    for name, group in by_remote(chosen, options.remote, result).items():
        work = _Fetch(repo, name, result, options, progress)
        work.trees([s.output.digest for s in group if s.output.is_directory], group)
        for selection in group:
            work.choose(selection)
        work.files()


def again(
    repo: Repo,
    digests: Collection[Digest],
    paths: Mapping[Digest, str],
    options: SyncOptions,
    progress: Progress,
) -> SyncResult:
    """Fetch objects that turned out to be damaged or missing when they were to be used."""
    result = SyncResult()
    work = _Fetch(repo, options.remote, result, options, progress)
    for digest in digests:
        work.want(digest, None, paths.get(digest, ""))
    work.files()
    return result


class _Fetch:
    """One remote's share. The remote is opened when the first object is lacking."""

    def __init__(
        self,
        repo: Repo,
        name: str | None,
        result: SyncResult,
        options: SyncOptions,
        progress: Progress,
    ) -> None:
        self._repo = repo
        self._name = name
        self._result = result
        self._options = options
        self._progress = progress
        self._remote: Remote | None = None
        self._wanted: dict[Digest, tuple[int | None, str]] = {}

    def trees(self, roots: Iterable[Digest], chosen: Sequence[Selection]) -> None:
        """Bring the lists of files of all chosen directories: roots, then their segments."""
        served = {s.output.digest: s.output.path for s in chosen}
        lacking = {d: (None, served[d]) for d in roots if not self._repo.objects.holds(d)}
        self._bring(lacking, WHOLE_LIMIT)
        segments: dict[Digest, tuple[int | None, str]] = {}
        for root in roots:
            try:
                parts = trees.segments(self._repo.objects, root)
            except DatavcError:
                continue
            for part in parts:
                if not self._repo.objects.holds(part.digest):
                    segments[part.digest] = None, served[root]
        self._bring(segments, WHOLE_LIMIT)

    def choose(self, selection: Selection) -> None:
        """Want the files of one selection."""
        output = selection.output
        if not output.is_directory:
            self.want(output.digest, output.pointer.size, output.path)
            return
        try:
            entries = self._entries(output.digest)
        except DatavcError as error:
            self._tree_lost(selection, error)
            return
        if not selection.whole:
            require_matches(selection, (entry.path for entry in entries))
        for entry in entries:
            digest = entry.digest
            if digest is not None and selection.covers(entry.path):
                self.want(digest, entry.size, f"{output.path}/{entry.path}")

    def _entries(self, digest: Digest) -> list[TreeEntry]:
        """Return the files of a directory; in a dry run its list may be on the remote alone."""
        store: ObjectStore = self._repo.objects
        if self._remote is not None and self._options.dry_run and store.missing([digest]):
            store = self._remote.store
        return list(trees.entries(store, digest))

    def want(self, digest: Digest, size: int | None, path: str) -> None:
        """Note an object that must be in the cache."""
        self._wanted[digest] = size, path

    def files(self) -> None:
        """Bring what is wanted and lacking."""
        lacking = self._repo.objects.missing(self._wanted.keys())
        self._result.skipped += len(self._wanted) - len(lacking)
        self._bring({digest: self._wanted[digest] for digest in sorted(lacking)})

    def _tree_lost(self, selection: Selection, error: DatavcError) -> None:
        output = selection.output
        if not any(failure.digest == output.digest for failure in self._result.failures):
            self._result.failures.append(Failure(output.path, output.digest, error.message))

    def _bring(
        self, lacking: Mapping[Digest, tuple[int | None, str]], limit: int | None = None
    ) -> None:
        """Copy objects into the cache; `limit` is the most bytes of one whose size is unknown."""
        if not lacking:
            return
        if self._remote is None:
            self._remote = open_remote(self._repo, self._name, self._options)
            self._result.remotes.append(self._remote.config.name)
        if self._options.dry_run:
            self._preview(lacking)
            return
        size = sum(size or 0 for size, _ in lacking.values())
        self._progress.start(f"Fetching from {self._remote.config.name}", len(lacking), size)
        done = copy(
            self._remote.store,
            self._repo.objects,
            [(d, limit if size is None else size) for d, (size, _) in lacking.items()],
            jobs=self._remote.jobs(self._options),
            progress=self._progress,
        )
        self._result.took(done, {digest: path for digest, (_, path) in lacking.items()})

    def _preview(self, lacking: Mapping[Digest, tuple[int | None, str]]) -> None:
        """Count what would come, and name what the remote lacks too."""
        absent = self._remote.store.missing(lacking.keys()) if self._remote is not None else set()
        for digest, (size, path) in lacking.items():
            if digest in absent:
                self._result.failures.append(Failure(path, digest, NOWHERE))
            else:
                self._result.files += 1
                self._result.bytes += size or 0
