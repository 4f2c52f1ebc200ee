"""`datavc add`."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from datavc.cli import render
from datavc.cli.context import session
from datavc.cli.declared import Caller, Declared
from datavc.cli.pages import epilog
from datavc.core.errors import UsageError
from datavc.verbs import add as verb
from datavc.verbs.add import AddOptions, AddResult
from datavc.verbs.recording import Annotations

if TYPE_CHECKING:
    from typing import Annotated

    import typer

    from datavc.cli.options import DryRun, Glob, Json, Quiet, SomeTargets, Verbose

SHOWN = 4
"""Up to so many files are named in the line that says what comes next."""


def add(
    ctx: Caller,
    targets: SomeTargets,
    glob: Glob = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Record files that were never fetched as deleted.")
    ] = False,
    desc: Annotated[str | None, typer.Option("--desc", help="Describe the data.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Say what kind of data.")] = None,
    labels: Annotated[
        list[str] | None, typer.Option("--label", metavar="LABEL", help="Label the data.")
    ] = None,
    meta: Annotated[
        list[str] | None, typer.Option("--meta", metavar="KEY=VALUE", help="Note a fact.")
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Track files and directories, or record how they changed.

    Their bytes go into the cache, a small pointer file NAME.datavc stands in for them in Git, and
    Git ignores the data itself. A path inside a tracked directory updates that directory.
    """
    notes = Annotations(desc, type_, tuple(labels) if labels else None, _pairs(meta))
    options = AddOptions(glob=glob, prune=prune, dry_run=dry_run, notes=notes)
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        result = verb.add(out.repo, targets, options, progress=out.progress)
        out.finish(result, lambda result: _draw(result, out.elapsed()))


COMMAND = Declared(
    add,
    epilog(
        "datavc add data/raw.csv images/",
        "datavc add --meta source=camera-2 --label raw images/",
        codes=(0, 1, 2, 4, 5),
    ),
)


def _pairs(texts: list[str] | None) -> dict[str, str] | None:
    pairs = [text.partition("=") for text in texts or ()]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise UsageError(f"--meta takes KEY=VALUE, not {key!r}")
    return {key: value for key, _, value in pairs} or None


def _draw(result: AddResult, elapsed: str) -> Iterable[str]:
    counts = [
        (sum(out.added for out in result.outputs), "added"),
        (sum(out.modified for out in result.outputs), "changed"),
        (sum(out.deleted for out in result.outputs), "deleted"),
    ]
    said = [(number, word) for number, word in counts if number]
    size = render.size(sum(out.bytes for out in result.outputs))
    if not said:
        what = "Notes recorded" if result.for_git else "Nothing changed"
        yield f"{what}, {size} in {elapsed}"
    else:
        first, *rest = said
        parts = [f"{render.count(first[0], 'file')} {first[1]}"]
        parts += [f"{number:,} {word}" for number, word in rest]
        would = "Would record: " if result.dry_run else ""
        yield f"{would}{', '.join(parts)}, {size} in {elapsed}"
    kept = sum(out.not_fetched for out in result.outputs)
    if kept:
        yield f"{render.count(kept, 'file')} never fetched kept as recorded (--prune drops them)"
    if result.for_git:
        yield f"Next: {_next(result.for_git)}, then `git commit`"
    yield from result.notes


def _next(files: Sequence[str]) -> str:
    """Return what hands `files` to Git: a command to paste, unless there are many."""
    if len(files) > SHOWN:
        return "`git add` the pointer files (NAME.datavc) and .gitignore"
    return f"`git add {shlex.join(files)}`"
