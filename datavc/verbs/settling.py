"""Settling: one output after the other is made what its pointer says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from datavc.core import paths
from datavc.core.digest import Digest
from datavc.core.errors import BusyError, DataError
from datavc.core.outputs import Failure, TrackedOutput
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.core.trace import trace
from datavc.core.tree import EMPTY_DIRECTORY, EXECUTABLE, FILE, TreeEntry
from datavc.repo.journal import ABSENT, PathChange, State
from datavc.repo.placed import PlacedRecord
from datavc.repo.repo import Repo
from datavc.repo.scan import Scan, Trust
from datavc.repo.targets import Selection
from datavc.repo.workspace import Step
from datavc.store import trees
from datavc.store.leases import Lease
from datavc.verbs import advancing, checkout_plan
from datavc.verbs.applying import apply, carry_out, lay
from datavc.verbs.checkout_plan import Judge, Plan, Wanted
from datavc.verbs.checkout_result import CheckoutOptions, CheckoutResult
from datavc.verbs.saving import save_each
from datavc.verbs.scanning import Looker, is_link_of_ours, reader, scanner

NOT_HERE = "is not in the cache (`datavc pull` gets it)"


Recorded = Mapping[RepoPath, TreeEntry] | None
"""What a record says of an output's files; None where there is no record, or it cannot be read."""


class Settler:
    """One run: settles outputs one after the other into `result`.

    `begun` is the id of the operation that it belongs to, empty until something is noted in one.
    """

    def __init__(
        self, repo: Repo, options: CheckoutOptions, result: CheckoutResult, progress: Progress
    ) -> None:
        """Begin; nothing is looked at yet."""
        self._repo = repo
        self._options = options
        self._result = result
        self._progress = progress
        self._looker = Looker(repo, SILENT)
        self._lease: Lease | None = None
        self.begun = ""

    def close(self) -> None:
        """Let go of the objects that replaced files were saved in."""
        if self._lease is not None:
            self._lease.release()

    def settle(self, selection: Selection) -> None:
        """Make one output what its pointer says."""
        output = selection.output
        if self._options.hook and selection.whole and self._advance(output):
            return
        scan = self._looker.scan(output, Trust.IDENTITY)
        try:
            wanted = self._wanted(output, scan)
        except DataError as error:
            self._fail_missing(Failure(output.path, output.digest, error.message))
            return
        plan = self._plan(wanted, scan, selection)
        if self._options.hook and plan.steps:
            self._begin(output)
        done = self._carry_out(plan, scan)
        if not self._options.dry_run:
            self._note_placed(output, wanted, done, selection)

    def _advance(self, output: TrackedOutput) -> bool:
        """Go to the recorded version by what differs; False if the whole must be looked at.

        Git, whose hook this is, does the same: what both versions share it leaves as it is.
        """
        if not output.is_directory:
            return False
        advance = advancing.plan(self._repo, output, self._is_saved)
        if advance is None:
            return False
        trace(
            __name__, "%s: %d files differ between the versions", output.path, len(advance.steps)
        )
        self._hold(advance.replaced)
        if advance.steps:
            self._begin(output)
        size = sum(step.new.size for step in advance.steps if step.new is not None)
        self._progress.start(f"Checking out {output.path}", len(advance.steps), size)
        applied = carry_out(self._repo, output.path, advance.steps, self._progress)
        self._report(advance.steps, applied.done)
        if applied.failures:  # told by whoever looks at the whole
            return False
        advancing.note(self._repo, advance, applied)
        with self._repo.lock(self._progress):
            self._repo.placed.put(output.path, PlacedRecord(output.digest, None))
        return True

    def _begin(self, output: TrackedOutput) -> None:
        """Note that files of this version may lie here, for the hook that runs after a kill."""
        had = self._repo.placed.get(output.path)
        if had is not None:
            with suppress(BusyError), self._repo.lock(self._progress):
                marked = had._replace(shown=output.digest)
                self._repo.placed.put_all({output.path: marked}, "none")

    def withdraw(self, output: RepoPath) -> None:
        """Take away what this workspace was given of an output that is tracked no longer."""
        scan = scanner(self._repo, SILENT).scan(output, reader(self._repo, SILENT), Trust.IDENTITY)
        record = self._repo.placed.get(output)
        wanted = Wanted(output, None, ())
        self._claim(wanted, scan)
        given = checkout_plan.given_before(self._repo.objects, record, wanted, scan)
        plan = checkout_plan.make(wanted, scan, given, self._judge(lambda _: True))
        failed = len(self._result.failures)
        self._carry_out(plan, scan)
        if not self._options.dry_run and len(self._result.failures) == failed:
            self._repo.placed.forget(output)
            self._repo.stat_cache.forget(output)

    def clear(self, output: RepoPath, recorded: Recorded = None) -> None:
        """Take away all that lies at `output`, for what a command is about to make there.

        Only what is other than `recorded` (by path below the output), or was saved nowhere
        before, is noted for `undo`: the rest can be had again.
        """
        scan = scanner(self._repo, SILENT).scan(output, reader(self._repo, SILENT), Trust.IDENTITY)
        wanted = Wanted(output, None, ())
        self._claim(wanted, scan)
        given = {entry.path: entry for entry in scan.entries()}
        judge = Judge(lambda _: True, self._is_saved, True, self._options.discard)
        plan = checkout_plan.make(wanted, scan, given, judge)
        self._result.failures += plan.refused
        edited = _edited(plan, recorded)
        if (plan.unsaved or edited) and not self._options.discard:
            self._save(plan)
            self._result.saved += [path for path in edited if path not in self._result.saved]
            self._record(plan)
        applied = carry_out(self._repo, output, plan.steps, self._progress)
        self._result.failures += applied.failures
        self._report(plan.steps, applied.done)

    def _wanted(self, output: TrackedOutput, scan: Scan) -> Wanted:
        pointer = output.pointer
        if output.is_directory:
            return checkout_plan.wanted_tree(self._repo.objects, output.path, output.digest, scan)
        flags = EXECUTABLE if pointer.executable else FILE
        entry = TreeEntry(RepoPath(""), output.digest, pointer.size or 0, flags)
        return Wanted(output.path, output.digest, (entry,))

    def _all_paths(self, output: TrackedOutput) -> Iterable[str]:
        return (entry.path for entry in trees.entries(self._repo.objects, output.digest))

    def _judge(self, covers: Callable[[str], bool]) -> Judge:
        may_replace = (self._options.force or self._options.discard) and not self._options.hook
        return Judge(covers, self._is_saved, may_replace, self._options.discard)

    def _is_saved(self, entry: TreeEntry) -> bool:
        if is_link_of_ours(self._repo, entry):
            return True
        return entry.digest is not None and self._repo.objects.holds(entry.digest)

    def _claim(self, wanted: Wanted, scan: Scan) -> None:
        """Keep what may be replaced from a collection beside us, until the journal names it."""
        digests = {
            entry.digest
            for segment in scan.segments
            if segment.summary.digest not in wanted.shared
            for entry in segment.entries()
            if entry.digest
        }
        if not self._options.dry_run:
            self._hold(digests)

    def _hold(self, digests: set[Digest]) -> None:
        if not digests:
            return
        with suppress(OSError):  # a cache that cannot be written cannot be collected from here
            self._lease = self._lease or Lease(self._repo.objects.root)
            self._lease.claim(digests)

    def _plan(self, wanted: Wanted, scan: Scan, selection: Selection) -> Plan:
        self._claim(wanted, scan)
        record = self._repo.placed.get(wanted.output)
        given = checkout_plan.given_before(self._repo.objects, record, wanted, scan)
        covers = self._covers(selection, wanted, given)
        plan = checkout_plan.make(wanted, scan, given, self._judge(covers))
        if selection.output.is_directory and not (wanted.entries or wanted.shared or scan.present):
            nothing = TreeEntry(RepoPath(""), "", 0, EMPTY_DIRECTORY)
            plan.steps.append(Step(wanted.output, nothing, None))
        lost = self._repo.objects.missing(
            {s.new.digest for s in plan.steps if s.new and s.new.digest}
        )
        for step in plan.steps:
            if step.new is not None and step.new.digest in lost:
                self._fail_missing(Failure(step.path, step.new.content, NOT_HERE))
        plan.steps = [s for s in plan.steps if s.new is None or s.new.digest not in lost]
        return plan

    def _covers(
        self, selection: Selection, wanted: Wanted, given: dict[RepoPath, TreeEntry]
    ) -> Callable[[str], bool]:
        """Return the test for paths that are meant.

        A hook leaves what both versions have alike as it is, as Git does with its own files.
        """
        if not self._options.hook:
            return selection.covers
        alike = {e.path for e in wanted.entries if _is_alike(given.get(e.path), e)}
        return lambda path: path not in alike and selection.covers(path)

    def _fail_missing(self, failure: Failure) -> None:
        self._result.missing.append(failure)
        if not (self._options.allow_missing or self._options.hook):
            self._result.failures.append(failure)

    def _carry_out(self, plan: Plan, scan: Scan) -> Scan:
        trace(
            __name__,
            "%s: %d files to place or delete, %d left alone, %d unsaved",
            *(plan.output, len(plan.steps), len(plan.refused), len(plan.unsaved)),
        )
        self._result.failures += plan.refused
        if self._options.dry_run:
            self._report(plan.steps, {step.path for step in plan.steps})
            self._result.saved += [] if self._options.discard else [p for p, _ in plan.unsaved]
            return scan
        if not plan.steps:
            return scan
        if plan.unsaved and not self._options.discard:
            self._save(plan)
        if not self._options.hook:
            self._record(plan)
        size = sum(step.new.size for step in plan.steps if step.new is not None)
        self._progress.start(f"Checking out {plan.output}", len(plan.steps), size)
        place = apply if scan.present else lay
        applied, after = place(self._repo, plan.output, plan.steps, self._progress)
        self._result.failures += applied.failures
        self._report(plan.steps, applied.done)
        return after

    def _save(self, plan: Plan) -> None:
        """Put bytes that are about to go into the cache; what cannot be saved does not go."""
        failures = save_each(self._repo, plan.unsaved, self._progress)
        kept = {failure.path for failure in failures}
        plan.steps = [step for step in plan.steps if step.path not in kept]
        self._result.saved += [path for path, _ in plan.unsaved if path not in kept]
        self._result.failures += failures

    def _record(self, plan: Plan) -> None:
        with self._repo.lock(self._progress):
            changes = [_change(plan, step) for step in plan.steps]
            part = self._repo.journal.record(self._options.command, changes, self.begun)
            self.begun = self.begun or part

    def _report(self, steps: Iterable[Step], done: set[RepoPath]) -> None:
        for step in steps:
            if step.path not in done:
                continue
            if step.new is None:
                self._result.deleted.append(step.path)
                continue
            kind = self._result.modified if step.old is not None else self._result.added
            kind.append(step.path)
            self._result.bytes += step.new.size

    def _note_placed(
        self, output: TrackedOutput, wanted: Wanted, after: Scan, selection: Selection
    ) -> None:
        """Record which files of the version have been here: all that lie here now."""
        had = self._repo.placed.get(output.path)
        if self._options.rev is not None:
            if had is None and not self._is_tracked(output):
                return  # the user's own file from here on
            record = had or PlacedRecord(output.digest, frozenset())
            record = record._replace(shown=output.digest)
        else:
            record = self._placed(output, wanted, after, selection, had)
        if had != record:
            with self._repo.lock(self._progress):
                self._repo.placed.put(output.path, record)

    def _is_tracked(self, output: TrackedOutput) -> bool:
        return os.path.lexists(os.path.join(self._repo.root, output.recorded_in))

    def _placed(
        self,
        output: TrackedOutput,
        wanted: Wanted,
        after: Scan,
        selection: Selection,
        had: PlacedRecord | None,
    ) -> PlacedRecord:
        here = {e.path for e in after.entries()} if wanted.entries else set()
        absent = {entry.path for entry in wanted.entries if entry.path not in here}
        if had is not None and had.digest == wanted.digest:
            absent = {p for p in absent if selection.covers(p) or not had.had(p)}
        shown = had.shown if had is not None and not selection.whole else None
        if had is not None and had.digest != wanted.digest and not selection.whole:
            # The rest is still of the version before: what that had and this has not must go yet.
            return had if had.paths is None else had._replace(paths=had.paths | here)
        if not absent:
            return PlacedRecord(output.digest, None, shown)
        every = frozenset(self._all_paths(output)) if output.is_directory else frozenset([""])
        return PlacedRecord(output.digest, every - absent, shown)


def _edited(plan: Plan, recorded: Recorded) -> list[RepoPath]:
    """Return the files that go and are not as recorded; none where nothing is recorded."""
    if recorded is None:
        return []
    known = {
        paths.join(plan.output, path) if path else plan.output: entry.identity
        for path, entry in recorded.items()
    }
    return [path for path, entry in plan.before.items() if known.get(path) != entry.identity]


def _is_alike(one: TreeEntry | None, other: TreeEntry) -> bool:
    return one is not None and one.identity == other.identity


def _change(plan: Plan, step: Step) -> PathChange:
    before = plan.before.get(step.path)
    return PathChange(
        step.path,
        ABSENT if before is None else State(entry=before),
        ABSENT if step.new is None else State(entry=step.new),
    )
