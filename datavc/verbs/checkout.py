"""checkout: make the workspace's data what its pointers, or those of a revision, say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from datavc.core import paths
from datavc.core.digest import Digest
from datavc.core.errors import DataError, DatavcError
from datavc.core.outputs import POINTER_SUFFIX, Failure, TrackedOutput
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.core.tree import EXECUTABLE, FILE, TreeEntry
from datavc.repo.inventory import Inventory, load
from datavc.repo.journal import ABSENT, PathChange, State
from datavc.repo.placed import PlacedRecord
from datavc.repo.repo import Repo
from datavc.repo.scan import Scan, Trust
from datavc.repo.snapshot import at_commit
from datavc.repo.targets import Selection, repo_path, require_matches, select
from datavc.repo.walk import Found
from datavc.repo.workspace import Step
from datavc.store import trees
from datavc.verbs import checkout_plan, workspaces
from datavc.verbs.applying import apply
from datavc.verbs.checkout_plan import Judge, OnDisk, Plan, Wanted
from datavc.verbs.scanning import inventory, reader, scanner, unreadable

NOT_HERE = "is not in the cache (`datavc pull` gets it)"
_REGULAR = 0o100000


@dataclass(frozen=True, slots=True)
class CheckoutOptions:
    """`force` replaces unsaved work after saving it, `discard` without.

    `rev` takes the data of that revision, `allow_missing` calls objects that are not here no
    failure. `hook`: Git moved the pointers of the targets (of none, if there are none) and took
    others away; nothing is forced, and what is not here is no failure.
    """

    rev: str | None = None
    force: bool = False
    discard: bool = False
    relink: bool = False
    allow_missing: bool = False
    hook: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class CheckoutResult:
    """Paths of files, below the project; `missing` are wanted objects that are not here."""

    added: list[RepoPath] = field(default_factory=list)
    modified: list[RepoPath] = field(default_factory=list)
    deleted: list[RepoPath] = field(default_factory=list)
    bytes: int = 0
    missing: list[Failure] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    dry_run: bool = False

    @property
    def exit_code(self) -> int:
        """4 if data is missing or damaged, 3 if something was left alone."""
        if any(failure.digest for failure in self.failures):
            return 4
        return 3 if self.failures else 0

    @property
    def files(self) -> int:
        """How many files changed."""
        return len(self.added) + len(self.modified) + len(self.deleted)

    def to_json(self) -> dict[str, object]:
        """Return counts, paths by kind, and failures."""
        return {
            "files": self.files,
            "bytes": self.bytes,
            "removed": len(self.deleted),
            "added": self.added,
            "modified": self.modified,
            "deleted": self.deleted,
            "dry_run": self.dry_run,
            "failures": [failure._asdict() for failure in self.failures],
        }


def checkout(
    repo: Repo,
    targets: Sequence[str] = (),
    options: CheckoutOptions = CheckoutOptions(),  # noqa: B008 - frozen
    *,
    progress: Progress = SILENT,
) -> CheckoutResult:
    """Bring back data from the cache, path by path; what must not be touched is left and named.

    Raises:
        PathError: a target names nothing tracked; nothing was changed.
    """
    known = inventory(repo)
    source = known
    if options.rev is not None:
        source = load(at_commit(repo.git, repo.git.resolve(options.rev)))
    chosen = select(source, [repo_path(repo.root, repo.here, text) for text in targets])
    if options.hook and not targets:
        chosen = []
    result = CheckoutResult(warnings=list(unreadable(source)), dry_run=options.dry_run)
    if options.hook:
        unmerged = repo.git.unmerged()
        chosen = [s for s in chosen if s.output.recorded_in not in unmerged]
    progress.start("Checking out")
    work = _Checkout(repo, options, result, progress)
    for selection in chosen:
        try:
            work.settle(selection)
        except DatavcError as error:
            path, digest = selection.output.path, selection.output.digest
            kept = digest if isinstance(error, DataError) else ""
            result.failures.append(Failure(path, kept, error.message))
    if options.rev is None and (options.hook or not targets):
        for output in _vanished(repo, known):
            work.withdraw(output)
    if options.rev is None and not options.dry_run:
        workspaces.announce(repo)
    return result


def _vanished(repo: Repo, known: Inventory) -> list[RepoPath]:
    """Return outputs that this workspace has files of though no pointer tracks them any more."""
    claimed = {pointer.removesuffix(POINTER_SUFFIX) for pointer in known.broken}
    gone = [
        path
        for path in repo.placed.outputs()
        if path not in claimed and known.containing(path) is None and not known.below(path)
    ]
    in_git = repo.git.tracked(gone) if gone else set()
    return [path for path in gone if not any(paths.is_inside(file, path) for file in in_git)]


class _Checkout:
    """One run: settles outputs one after the other into `result`."""

    def __init__(
        self, repo: Repo, options: CheckoutOptions, result: CheckoutResult, progress: Progress
    ) -> None:
        self._repo = repo
        self._options = options
        self._result = result
        self._progress = progress
        self._scanner = scanner(repo, progress)

    def settle(self, selection: Selection) -> None:
        """Make one output what its pointer says."""
        output = selection.output
        scan = self._scan(output.path)
        try:
            wanted = self._wanted(output, scan)
            if not selection.whole:
                require_matches(selection, self._all_paths(output))
        except DataError as error:
            self._fail_missing(Failure(output.path, output.digest, error.message))
            return
        plan = self._plan(wanted, scan, selection)
        done = self._carry_out(plan, scan)
        if not self._options.dry_run:
            self._note_placed(output, wanted, done, selection)

    def withdraw(self, output: RepoPath) -> None:
        """Take away what this workspace was given of an output that is tracked no longer."""
        scan = self._scan(output)
        record = self._repo.placed.get(output)
        wanted = Wanted(output, None, ())
        given = checkout_plan.given_before(self._repo.objects, record, wanted, scan.kind)
        plan = checkout_plan.make(wanted, scan, given, self._judge(lambda _: True))
        failed = len(self._result.failures)
        self._carry_out(plan, scan)
        if not self._options.dry_run and len(self._result.failures) == failed:
            self._repo.placed.forget(output)
            self._repo.stat_cache.forget(output)

    def _scan(self, output: RepoPath) -> Scan:
        return self._scanner.scan(output, reader(self._repo, SILENT), Trust.IDENTITY)

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
        return Judge(covers, self._is_saved, may_replace)

    def _is_saved(self, entry: TreeEntry) -> bool:
        return entry.digest is not None and self._repo.objects.holds(entry.digest)

    def _plan(self, wanted: Wanted, scan: Scan, selection: Selection) -> Plan:
        record = self._repo.placed.get(wanted.output)
        given = checkout_plan.given_before(self._repo.objects, record, wanted, scan.kind)
        plan = checkout_plan.make(wanted, scan, given, self._judge(selection.covers))
        lost = self._repo.objects.missing(
            {s.new.digest for s in plan.steps if s.new and s.new.digest}
        )
        for step in plan.steps:
            if step.new is not None and step.new.digest in lost:
                self._fail_missing(Failure(step.path, step.new.content, NOT_HERE))
        plan.steps = [s for s in plan.steps if s.new is None or s.new.digest not in lost]
        return plan

    def _fail_missing(self, failure: Failure) -> None:
        self._result.missing.append(failure)
        if not (self._options.allow_missing or self._options.hook):
            self._result.failures.append(failure)

    def _carry_out(self, plan: Plan, scan: Scan) -> Scan:
        self._result.failures += plan.refused
        if self._options.dry_run:
            self._report(plan, {step.path for step in plan.steps})
            return scan
        if not plan.steps:
            return scan
        if plan.unsaved and not self._options.discard:
            self._save(plan.unsaved)
        if not self._options.hook:
            self._record(plan)
        size = sum(step.new.size for step in plan.steps if step.new is not None)
        self._progress.start(f"Checking out {plan.output}", len(plan.steps), size)
        applied, after = apply(self._repo, plan.output, plan.steps, self._progress)
        self._result.failures += applied.failures
        done = {path for path, _ in applied.placed} | set(applied.deleted)
        self._report(plan, done)
        return after

    def _save(self, unsaved: Sequence[tuple[RepoPath, OnDisk]]) -> None:
        """Put the bytes that are about to go into the cache, durably."""
        with self._repo.objects.writer() as writer:
            eyes = reader(self._repo, self._progress, writer)
            for path, found in unsaved:
                if found.entry.digest is None and found.entry.content != eyes.UNREADABLE:
                    continue
                value = eyes.read(path, Found(("", *found.key[1:]), _REGULAR), None)
                if value.content != found.entry.content:
                    raise DataError(f"{path} changes while it is saved", "repeat the command")

    def _record(self, plan: Plan) -> None:
        with self._repo.lock(self._progress):
            self._repo.journal.record("checkout", [_change(plan, step) for step in plan.steps])

    def _report(self, plan: Plan, done: set[RepoPath]) -> None:
        for step in plan.steps:
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
        here = {e.path for e in after.entries()} if wanted.entries else set()
        absent = {entry.path for entry in wanted.entries if entry.path not in here}
        had = self._repo.placed.get(output.path)
        if had is not None and had.digest == wanted.digest:
            absent = {p for p in absent if selection.covers(p) or not had.had(p)}
        if not absent:
            record = PlacedRecord(output.digest, None)
        else:
            every = frozenset(self._all_paths(output)) if output.is_directory else frozenset([""])
            record = PlacedRecord(output.digest, every - absent)
        if had != record and self._options.rev is None:
            with self._repo.lock(self._progress):
                self._repo.placed.put(output.path, record)


def _change(plan: Plan, step: Step) -> PathChange:
    before = plan.before.get(step.path)
    return PathChange(
        step.path,
        ABSENT if before is None else State(entry=before),
        ABSENT if step.new is None else State(entry=step.new),
    )


def digests_of(failures: Iterable[Failure]) -> set[Digest]:
    """Return the objects that `failures` name."""
    return {Digest(failure.digest) for failure in failures if failure.digest}
