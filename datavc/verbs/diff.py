"""diff: which files differ between two revisions, or a revision and the workspace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from datavc.core import digest as digests
from datavc.core.diff import Change, with_renames
from datavc.core.digest import Digest
from datavc.core.errors import DatavcError
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.core.tree import TreeEntry
from datavc.repo.inventory import load
from datavc.repo.placed import had_here
from datavc.repo.repo import Repo
from datavc.repo.scan import Trust
from datavc.repo.snapshot import at_commit
from datavc.repo.targets import Selection, narrow, not_tracked, repo_path, require_matches
from datavc.verbs.comparing import Version, changes, file_paths, is_same, lying, recorded
from datavc.verbs.scanning import Looker, inventory, unreadable


class DiffEntry(NamedTuple):
    """One path and its digests on both sides, None where it is not; `old_path` of a rename."""

    path: str
    old: str | None
    new: str | None
    old_path: str | None = None

    def to_json(self, *, show_hash: bool) -> dict[str, object]:
        """Return the shape that scripts read."""
        shown: dict[str, object] = {"path": self.path}
        if self.old_path is not None:
            shown["path"] = {"old": self.old_path, "new": self.path}
        if show_hash:
            both = self.old is not None and self.new is not None
            shown["hash"] = {"old": self.old, "new": self.new} if both else self.old or self.new
        return shown


@dataclass(slots=True)
class DiffResult:
    """Paths by kind, directories as a whole with a slash at their end.

    `unreadable` are pointer files that one side could not read; their outputs are left out.
    """

    added: list[DiffEntry] = field(default_factory=list)
    deleted: list[DiffEntry] = field(default_factory=list)
    modified: list[DiffEntry] = field(default_factory=list)
    renamed: list[DiffEntry] = field(default_factory=list)
    not_in_cache: list[DiffEntry] = field(default_factory=list)
    with_workspace: bool = True
    show_hash: bool = False
    unreadable: set[RepoPath] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Whether there is any difference, or a pointer file that cannot be compared."""
        kinds = (self.added, self.deleted, self.modified, self.renamed, self.unreadable)
        return any(kinds)

    def to_json(self) -> dict[str, object]:
        """Return all kinds, also empty ones; nothing at all where nothing differs."""
        kinds = {name: getattr(self, name) for name in ("added", "deleted", "modified", "renamed")}
        if self.with_workspace:
            kinds["not in cache"] = self.not_in_cache
        if not any(kinds.values()):
            return {}
        return {
            name: [entry.to_json(show_hash=self.show_hash) for entry in entries]
            for name, entries in kinds.items()
        }


class DiffOptions(NamedTuple):
    """`old` and `new` are revisions; None is HEAD for the one, the workspace for the other."""

    old: str | None = None
    new: str | None = None
    targets: tuple[str, ...] = ()
    show_hash: bool = False


def diff(
    repo: Repo,
    options: DiffOptions = DiffOptions(),
    *,
    progress: Progress = SILENT,
) -> DiffResult:
    """Compare file by file; lists of files that both sides share are not read.

    Raises:
        DatavcError: a revision does not exist.
        PathError: a target is tracked on neither side.
    """
    result = DiffResult(with_workspace=options.new is None, show_hash=options.show_hash)
    wanted = [repo_path(repo.root, repo.here, text) for text in options.targets]
    old = _at_revision(repo, options.old or "HEAD", wanted, result)
    if options.new is not None:
        new = _at_revision(repo, options.new, wanted, result)
    else:
        new = _in_workspace(repo, wanted, result, progress)
    chosen = {
        part.selection.output.path: part.selection for part in (*old.values(), *new.values())
    }
    for target in wanted:
        if not any(narrow(selection.output, [target]) for selection in chosen.values()):
            raise not_tracked(inventory(repo), target)
    for path, selection in sorted(chosen.items()):
        if selection.output.recorded_in in result.unreadable:
            continue
        before, after = old.get(path), new.get(path)
        if not selection.whole:
            require_matches(selection, file_paths(*(p.version for p in (before, after) if p)))
        _compare(before, after, result)
    _pair_renamed_outputs(result)
    return result


class Part(NamedTuple):
    """One side of an output: what is there, which files are meant, and which were ever here."""

    version: Version
    selection: Selection
    had: Callable[[str], bool] = lambda _: True


Side = dict[RepoPath, Part]


def _at_revision(repo: Repo, rev: str, wanted: Sequence[RepoPath], result: DiffResult) -> Side:
    if rev == "HEAD" and repo.git.head() is None:
        return {}
    known = load(at_commit(repo.git, repo.git.resolve(rev)))
    result.warnings += [f"{error.message} (at {rev})" for error in known.broken.values()]
    result.unreadable |= known.broken.keys()
    chosen = [s for out in known.outputs.values() if (s := narrow(out, wanted)) is not None]
    return {s.output.path: Part(recorded(repo.objects, s.output), s) for s in chosen}


def _in_workspace(
    repo: Repo, wanted: Sequence[RepoPath], result: DiffResult, progress: Progress
) -> Side:
    """Return what lies in the workspace; what was never fetched counts as recorded."""
    progress.start("Comparing")
    looker = Looker(repo, progress)
    side: Side = {}
    known = inventory(repo)
    result.warnings += unreadable(known)
    result.unreadable |= known.broken.keys()
    for output in known.outputs.values():
        selection = narrow(output, wanted)
        if selection is None:
            continue
        scan = looker.scan(output, Trust.CHANGED)
        name = output.path + ("/" if output.is_directory else "")
        if repo.objects.missing([output.digest]):
            result.not_in_cache.append(DiffEntry(name, None, output.digest))
        record = repo.placed.get(output.path)
        if scan.present:
            had = had_here(repo.objects, record, output.digest)
            now = lying(scan, digests.algorithm(output.digest))
            side[output.path] = Part(now, selection, had)
        elif record is None:
            side[output.path] = Part(recorded(repo.objects, output), selection)
    return side


def _compare(old: Part | None, new: Part | None, result: DiffResult) -> None:
    before, after = old.version if old else None, new.version if new else None
    if before is not None and after is not None and is_same(before, after):
        return
    part = new or old
    if part is None:
        return
    try:
        inside = [c for c in changes(before, after) if c.path and part.selection.covers(c.path)]
    except DatavcError as error:
        result.warnings.append(
            f"{part.version.path}: {error.message}; its files were not compared"
        )
        inside = None
    found = [c for c in inside or () if c.kind != "deleted" or part.had(c.path)]
    never_fetched = bool(inside) and not found
    if found or (part.selection.whole and not never_fetched):
        name = part.version.path + ("/" if part.version.is_directory else "")
        kind = "added" if before is None else "deleted" if after is None else "modified"
        digests = before.digest if before else None, after.digest if after else None
        getattr(result, kind).append(DiffEntry(name, *digests))
    for change in with_renames(found):
        _add(change, part.version.path, result)


def _add(change: Change, folder: str, result: DiffResult) -> None:
    old, new = _content(change.old), _content(change.new)
    path = f"{folder}/{change.path}"
    if change.kind == "renamed" and change.old is not None:
        old_path = f"{folder}/{change.old.path}"
        result.renamed.append(DiffEntry(path, old, new, old_path))
    else:
        getattr(result, change.kind).append(DiffEntry(path, old, new))


def _content(entry: TreeEntry | None) -> str | None:
    return entry.content if entry is not None else None


def _pair_renamed_outputs(result: DiffResult) -> None:
    """Turn what went from one place and came with the same digest at another into a rename."""
    gone: dict[str, list[DiffEntry]] = {}
    for entry in result.deleted:
        if entry.old and Digest(entry.old):
            gone.setdefault(entry.old, []).append(entry)
    for entry in list(result.added):
        rivals = gone.get(entry.new or "")
        if rivals and entry.path.endswith("/") == rivals[0].path.endswith("/"):
            before = rivals.pop(0)
            result.added.remove(entry)
            result.deleted.remove(before)
            result.renamed.append(DiffEntry(entry.path, before.old, entry.new, before.path))
