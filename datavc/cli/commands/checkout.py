"""`datavc checkout`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datavc.cli.changes import drawn_checkout
from datavc.cli.context import session
from datavc.cli.declared import Caller, Declared
from datavc.cli.pages import epilog
from datavc.verbs import checkout as verb
from datavc.verbs.checkout import CheckoutOptions

if TYPE_CHECKING:
    from typing import Annotated

    import typer

    from datavc.cli.options import DryRun, Json, Quiet, Recursive, Rev, Targets, Verbose


def checkout(
    ctx: Caller,
    targets: Targets = None,
    rev: Rev = None,
    force: Annotated[
        bool,
        typer.Option("-f", "--force", help="Replace unsaved changes too; they are saved first."),
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Replace unsaved changes and give them up.")
    ] = False,
    relink: Annotated[
        bool, typer.Option("--relink", help="Make files the links that cache.type asks for.")
    ] = False,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Objects that are not here are no failure.")
    ] = False,
    summary: Annotated[bool, typer.Option("--summary", help="Show the counts alone.")] = False,
    recursive: Recursive = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Put the data that the pointer files name into the workspace, from the cache.

    Work that was never added is left alone and named. `git checkout` runs this by itself once
    `datavc install` was run.
    """
    options = CheckoutOptions(
        rev=rev,
        force=force,
        discard=discard,
        relink=relink,
        allow_missing=allow_missing,
        dry_run=dry_run,
    )
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        result = verb.checkout(out.repo, targets or (), options, progress=out.progress)
        out.finish(result, lambda r: drawn_checkout(r, out.elapsed(), summary=summary))


COMMAND = Declared(
    checkout,
    epilog(
        "datavc checkout images/cats",
        "datavc checkout --rev v1 data.csv",
        codes=(0, 1, 2, 3, 4, 5),
    ),
)
