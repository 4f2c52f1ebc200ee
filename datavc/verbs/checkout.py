"""checkout: make the workspace's data what its pointers, or those of a revision, say."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress

from datavc.core import paths
from datavc.core.errors import BusyError, DataError, DatavcError
from datavc.core.outputs import Failure
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.repo.inventory import Inventory, load
from datavc.repo.pointers import pointer_path
from datavc.repo.repo import Repo
from datavc.repo.snapshot import at_commit
from datavc.repo.targets import Selection, repo_path, require_matches, select
from datavc.store import trees
from datavc.verbs import linking, workspaces
from datavc.verbs.checkout_result import CheckoutOptions as CheckoutOptions
from datavc.verbs.checkout_result import CheckoutResult as CheckoutResult
from datavc.verbs.scanning import inventory, passed_over, unreadable
from datavc.verbs.settling import Settler


def checkout(
    repo: Repo,
    targets: Sequence[str] = (),
    options: CheckoutOptions = CheckoutOptions(),
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
    result = CheckoutResult(dry_run=options.dry_run)
    if targets or options.hook:
        result.warnings += unreadable(source)
    else:
        result.failures += passed_over(source)
    if options.hook:
        unmerged = repo.git.unmerged()
        chosen = [s for s in chosen if s.output.recorded_in not in unmerged]
    _require_matches(repo, chosen)
    progress.start("Checking out")
    with closing(Settler(repo, options, result, progress)) as work:
        for selection in chosen:
            with _noted(selection.output.path, selection.output.digest, result, options):
                work.settle(selection)
        if options.rev is None and (options.hook or not targets):
            for output in _vanished(repo, known):
                with _noted(output, "", result, options):
                    work.withdraw(output)
    if options.relink and not options.dry_run:
        result.failures += linking.rearrange(repo, chosen, progress)
    if options.rev is None and not options.dry_run:
        with _readable_only(result):
            workspaces.announce(repo)
    return result


@contextmanager
def _readable_only(result: CheckoutResult) -> Iterator[None]:
    """Warn where a shared cache cannot be told that it is used from here."""
    try:
        yield
    except OSError as error:
        result.warnings.append(
            f"the shared cache could not be told what is needed here: {error.strerror}; "
            "a collection elsewhere does not know of this workspace"
        )


def _require_matches(repo: Repo, chosen: Sequence[Selection]) -> None:
    """Refuse a target inside a directory that names nothing there, as far as that is known."""
    for selection in chosen:
        if not selection.whole:
            with suppress(DataError):
                entries = trees.entries(repo.objects, selection.output.digest)
                require_matches(selection, (entry.path for entry in entries))


@contextmanager
def _noted(
    path: RepoPath, digest: str, result: CheckoutResult, options: CheckoutOptions
) -> Iterator[None]:
    """Make what goes wrong with one output a failure that costs no other.

    Who holds the lock keeps us from all of them; a hook goes on, for it needs the lock only to
    note what it did, which the next command makes up for.
    """
    try:
        yield
    except DatavcError as error:
        if isinstance(error, BusyError) and not options.hook:
            raise
        kept = digest if isinstance(error, DataError) else ""
        result.failures.append(Failure(path, kept, error.message))


def _vanished(repo: Repo, known: Inventory) -> list[RepoPath]:
    """Return outputs that this workspace has files of though no pointer tracks them any more.

    A pointer that is there but was not found (ignored by Git, in a nested project, unreadable),
    or that only its user removed, is never a reason to take data away.
    """
    if known.broken:
        return []
    gone = [
        path
        for path in repo.placed.outputs()
        if known.containing(path) is None
        and not known.below(path)
        and not os.path.lexists(repo.layout.absolute(pointer_path(path)))
    ]
    in_git = repo.git.tracked([*gone, *map(pointer_path, gone)]) if gone else set()
    made: set[RepoPath] = set()
    if gone and repo.git.listing().stage_files:
        from datavc.verbs.stage_status import declared_outputs

        made = declared_outputs(repo)
    return [
        path
        for path in gone
        if pointer_path(path) not in in_git
        and path not in made
        and not any(paths.is_inside(file, path) for file in in_git)
    ]
