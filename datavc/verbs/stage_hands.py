"""Stage hands: what a run of stages does to the workspace, the cache and the locks."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from types import TracebackType

from datavc.core import digest as digests
from datavc.core.digest import Digest
from datavc.core.errors import DataError, DatavcError
from datavc.core.lock import Locked, LockEntry
from datavc.core.outputs import Failure
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.core.stage import Out, Stage
from datavc.core.tree import EXECUTABLE, FILE, LINK, TreeEntry
from datavc.pipeline.deciding import lock_of
from datavc.pipeline.runcache import UNCACHED_LIMIT, CachedRun, RunCache
from datavc.pipeline.running import Done
from datavc.repo.inventory import made_by
from datavc.repo.placed import PlacedRecord
from datavc.repo.repo import Repo
from datavc.repo.scan import Trust
from datavc.repo.targets import Selection
from datavc.repo.walk import Found, stat_key
from datavc.repo.workspace import Step
from datavc.store import trees
from datavc.verbs import linking, workspaces
from datavc.verbs.add_targets import Target
from datavc.verbs.applying import carry_out
from datavc.verbs.checkout_result import CheckoutOptions, CheckoutResult
from datavc.verbs.pipelines import Pipelines
from datavc.verbs.recording import Annotations, Recorder
from datavc.verbs.scanning import reader, scanner
from datavc.verbs.settling import Recorded, Settler
from datavc.verbs.stage_ignoring import IgnoredOutputs
from datavc.verbs.stage_sources import StageSources

COMMAND = "repro"

FetchRun = Callable[[str, CachedRun | None], CachedRun | None]
"""Takes a key, and the run here if its results are gone; returns a run whose results are here."""


class StageHands:
    """Use as a context: what was recorded last is published when it ends."""

    def __init__(self, repo: Repo, pipelines: Pipelines, fetch: FetchRun, *, commit: bool) -> None:
        """Work on the workspace of `repo`; without `commit` outputs do not go into the cache.

        `fetch` is asked for runs that are not here, or whose results are not.
        """
        self._repo = repo
        self._sight = pipelines.sight
        self._locks = pipelines.locks
        self._sources = StageSources(pipelines.data, pipelines.sight)
        self._fetch = fetch
        self._commit = commit
        self._runs = RunCache(repo.objects.root, shared=repo.config.cache.shared)
        self._open = ExitStack()
        self._saved: list[str] = []
        self.ignored = IgnoredOutputs(repo)
        self._begun = ""
        self._progress: Progress = SILENT

    def __enter__(self) -> StageHands:
        """Open the writer through which outputs are stored."""
        self._writer = self._open.enter_context(self._repo.objects.writer())
        self._recorder = Recorder(self._repo, self._writer, SILENT)
        self._reader = reader(self._repo, SILENT, self._writer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the writer."""
        self._open.__exit__(kind, error, trace)

    def has_objects(self, outs: Iterable[Locked]) -> bool:
        """Tell whether the cache has all that these outputs are made of."""
        store = self._repo.objects
        for out in outs:
            if store.missing([out.digest]):
                return False
            if out.kind == "directory" and not store.whole.knows(out.digest):
                try:
                    wanted = {e.digest for e in trees.entries(store, out.digest) if e.digest}
                except DatavcError:
                    return False
                if store.missing(wanted):
                    return False
        return True

    def fetch_run(self, key: str) -> CachedRun | None:
        """Return a run of these inputs, from here or from a remote; its objects are in the cache.

        One whose objects are gone is said to be so.
        """
        run = self._runs.get(key)
        if run is not None and self.has_objects(run.entry.outs):
            return run
        return self._fetch(key, run)

    def make_way(self, stage: Stage, entry: LockEntry | None, *, discard: bool = False) -> None:
        """Remove a stage's outputs, but for those that stay, once their bytes are safe.

        With `discard` they are what a command that failed has just left.

        Raises:
            DatavcError: they cannot be made safe, or not be removed.
        """
        known = {} if entry is None else {out.path: out for out in entry.outs}
        result = CheckoutResult()
        options = CheckoutOptions(force=True, discard=discard, command=COMMAND)
        with self._settling(options, result) as settler:
            for out in stage.outs:
                if out.persist:
                    result.failures += self._unlinked(out)
                elif not self._removed(out, known.get(out.path)):
                    settler.clear(out.path, self._recorded(known.get(out.path)))
        self._saved += result.saved
        for failure in result.failures:
            raise DatavcError(f"{failure.path} cannot be replaced: {failure.message}")

    def _recorded(self, locked: Locked | None) -> Recorded:
        """Return the files of an output as they were recorded, None where that is not known."""
        if locked is None:
            return None
        if locked.kind == "file":
            flags = EXECUTABLE if locked.executable else FILE
            return {RepoPath(""): TreeEntry(RepoPath(""), locked.digest, locked.size or 0, flags)}
        try:
            return {e.path: e for e in trees.entries(self._repo.objects, locked.digest)}
        except DatavcError:
            return None

    def mark(self) -> None:
        """Note that this run changed what `undo` cannot take back, unless it noted what it can."""
        if not self._begun:
            self._begun = self._repo.journal.record(COMMAND, ())

    @contextmanager
    def _settling(self, options: CheckoutOptions, result: CheckoutResult) -> Iterator[Settler]:
        """Yield what settles outputs; all that one run replaces is one operation to `undo`."""
        with closing(Settler(self._repo, options, result, SILENT)) as settler:
            settler.begun = self._begun
            try:
                yield settler
            finally:
                self._begun = settler.begun

    def _unlinked(self, out: Out) -> list[Failure]:
        """Give an output that stays bytes of its own: the command must not write to the cache."""
        eyes = reader(self._repo, SILENT)
        scan = scanner(self._repo, SILENT).scan(out.path, eyes, Trust.IDENTITY)
        return linking.unlink(self._repo, scan, SILENT)[1]

    def _removed(self, out: Out, locked: Locked | None) -> bool:
        """Remove an output that is a file as it was recorded; True if nothing is left to do."""
        try:
            status = os.lstat(f"{self._repo.root}/{out.path}")
        except (FileNotFoundError, NotADirectoryError):
            return True
        if locked is None or not stat.S_ISREG(status.st_mode):
            return False
        seen = self._sight.look(out.path, digests.algorithm(locked.digest), Trust.IDENTITY)
        if seen is None or not seen.is_like(locked):
            return False
        if locked.cache and self._repo.objects.missing([locked.digest]):
            return False
        step = Step(out.path, None, stat_key("", status))
        return not carry_out(self._repo, out.path, [step], SILENT).failures

    def restore(self, stage: Stage, outs: Sequence[Locked]) -> str:
        """Put outputs back as recorded; return why not, empty if all is well."""
        result = CheckoutResult()
        options = CheckoutOptions(force=True, command=COMMAND)
        with self._settling(options, result) as settler:
            for out in outs:
                chosen = Selection(made_by(stage.name, lock_of(stage), out))
                had_files = os.path.isdir(f"{self._repo.root}/{out.path}")
                settler.settle(chosen)
                if had_files and not result.failures and self._has_more(out):
                    settler.clear(out.path)
                    settler.settle(chosen)
                self.ignored.add(out)
                if not out.cache:  # Git's: nothing of ours takes it away again
                    self._repo.placed.forget(out.path)
        self._saved += result.saved
        self._sight.look_anew()
        return result.failures[0].message if result.failures else ""

    def _has_more(self, out: Locked) -> bool:
        """Tell whether there lies more than was recorded, which a checkout leaves alone."""
        self._sight.look_anew()
        seen = self._sight.look(out.path, digests.algorithm(out.digest), Trust.IDENTITY)
        return seen is not None and not seen.is_like(out)

    def saved(self) -> list[str]:
        """Return work of the user's that was saved before it went, since this was last asked."""
        found, self._saved = self._saved, []
        return found

    def record(self, out: Out) -> Locked:
        """Return the record of an output that a command has just made; its bytes are on the way.

        Raises:
            DatavcError: it is not there, or of a kind that cannot be stored.
        """
        try:
            status = os.lstat(f"{self._repo.root}/{out.path}")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise DatavcError(
                f"the command did not make {out.path}, which is among its outputs",
                "make it, or take it out of the stage",
            ) from error
        self.ignored.add(out)
        if self._is_stored(out, status):
            found = self._stored(out, status)
        else:
            seen = self._sight.look(out.path, self._repo.objects.algorithm, Trust.IDENTITY)
            if seen is None:
                raise DataError(f"{out.path} vanished while it was recorded")
            found = seen.as_locked(out.path)
        return found._replace(cache=out.cache, push=out.push, remote=out.remote)

    def _is_stored(self, out: Out, status: os.stat_result) -> bool:
        """Tell whether bytes go into the cache: those left to Git only for the run cache."""
        if not self._commit:
            return False
        return out.cache or (stat.S_ISREG(status.st_mode) and status.st_size <= UNCACHED_LIMIT)

    def _stored(self, out: Out, status: os.stat_result) -> Locked:
        if not stat.S_ISREG(status.st_mode):
            pointer = self._recorder.draft(
                Target(out.path, None), Annotations(), prune=True
            ).pointer
            return Locked(
                *(out.path, pointer.kind, pointer.digest, pointer.size, pointer.files),
                executable=pointer.executable,
            )
        key = stat_key(out.path, status)
        probe = self._sight.settled(key)
        value = self._reader.read(out.path, Found(("", *key[1:]), status.st_mode), None)
        if value.flags == LINK:
            raise DatavcError(f"{out.path} is a symbolic link", "make a file, or a directory")
        self._sight.note(key, value, probe)
        executable = value.flags == EXECUTABLE
        digest = Digest(value.content)
        return Locked(out.path, "file", digest, value.size, executable=executable)

    def store_log(self, file: str) -> Digest | None:
        """Keep what a command wrote, None if it wrote nothing."""
        try:
            with open(file, "rb") as stream:
                if not os.fstat(stream.fileno()).st_size:
                    return None
                return self._writer.put(stream).digest
        except OSError:
            return None

    def publish(self, done: Sequence[Done]) -> list[str]:
        """Make these results durable, objects first, then their names; return warnings."""
        deps = (dep for one in done for dep in one.entry.deps)
        warnings = list(self._sources.keep(deps, self._recorder)) if self._commit else []
        self._writer.flush()
        self.mark()
        warnings += [text for one in done if (text := self._keep(one))]
        cached = [(one.stage, out) for one in done for out in one.entry.outs if out.cache]
        records = {out.path: PlacedRecord(out.digest, None) for _, out in cached}
        workspaces.announce(self._repo, also=[out.digest for _, out in cached])
        for one in done:
            self._let_go(one)
        self._locks.note(done)
        self._repo.placed.put_all(records, self._repo.config.core.durability)
        if self._commit and self._repo.config.cache.types[0] in ("hardlink", "symlink"):
            linking.relink(self._repo, list(records), SILENT, self._recorder.linked)
            self._sight.look_anew()
        return warnings

    def _let_go(self, done: Done) -> None:
        """Leave to their user the files that a stage does not make any more, or Git keeps."""
        old = self._locks.entries.get((lock_of(done.stage), done.stage.name))
        kept = {out.path for out in done.entry.outs if out.cache}
        self._locks.let_go(out.path for out in (old.outs if old else ()) if out.path not in kept)

    def _keep(self, done: Done) -> str:
        """Keep a run for those with the same inputs; return a warning if it is not the first."""
        if done.run is None:
            return ""
        old = self._runs.get(done.run.key)
        self._runs.put(done.run)
        made = {out.path: out.identity for out in done.run.entry.outs}
        if old is None or made == {out.path: out.identity for out in old.entry.outs}:
            return ""
        differing = min(out.path for out in old.entry.outs if made[out.path] != out.identity)
        return (
            f"{done.stage.address} made another {differing} of the same inputs than before; "
            "the newer result is kept"
        )
