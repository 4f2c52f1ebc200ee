"""`datavc commit`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from datavc.cli import progress as drawn
from datavc.cli import render
from datavc.cli.changes import drawn_paths
from datavc.cli.context import Session, session
from datavc.cli.declared import Caller, Declared
from datavc.cli.pages import epilog
from datavc.verbs import commit as verb
from datavc.verbs.commit import Changed, CommitOptions, CommitResult

if TYPE_CHECKING:
    from typing import Annotated

    import typer

    from datavc.cli.options import DryRun, Force, Json, Quiet, Recursive, Targets, Verbose

LETTERS = {"A": "added", "M": "modified", "D": "deleted"}


def commit(
    ctx: Caller,
    targets: Targets = None,
    force: Force = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Record files that were never fetched as deleted.")
    ] = False,
    recursive: Recursive = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Record tracked data, and stages without running them, as they lie in the workspace now.

    Shows what changed and asks about each; where nobody can be asked, --force is needed.
    Nothing new is tracked, and of a part of a directory only that part is recorded.
    """
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        ask = (lambda changed: _ask(out, changed)) if out.asks else None
        options = CommitOptions(force, prune, dry_run, ask, out.asks)
        result = verb.commit(out.repo, targets or (), options, progress=out.progress)
        out.finish(result, lambda result: _draw(result, out.elapsed()))


COMMAND = Declared(
    commit, epilog("datavc commit images", "datavc commit --force", codes=(0, 1, 2, 4, 5))
)


def _ask(out: Session, changed: Changed) -> bool:
    drawn.end(out.progress)
    for text in _entries(changed):
        render.complain(text)
    return out.ask(f"Record {changed.path} as it is now?")


def _entries(changed: Changed) -> Iterable[str]:
    if not changed.entries:
        yield f"M  {changed.path}"
    for letter, kind in LETTERS.items():
        yield from drawn_paths(letter, [path for found, path in changed.entries if found == kind])


def _draw(result: CommitResult, elapsed: str) -> Iterable[str]:
    for changed in result.outputs:
        yield from _entries(changed)
    if result.outputs:
        size = render.size(sum(changed.bytes for changed in result.outputs))
        would = "would be " if result.dry_run else ""
        count = render.count(len(result.outputs), "output")
        yield f"{count} {would}recorded, {size} in {elapsed}"
    elif not (result.skipped or result.stages):
        yield "Nothing changed"
    for name in result.stages:
        yield f"stage {name} {'would be ' if result.dry_run else ''}recorded as it lies here"
    if result.skipped:
        yield f"{render.count(result.skipped, 'output')} left as recorded"
    if result.not_fetched:
        kept = render.count(result.not_fetched, "file")
        yield f"{kept} never fetched kept as recorded (--prune drops them)"
