"""`datavc fsck`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli import render
from datavc.cli.commands.status import bare_remote
from datavc.cli.context import session
from datavc.cli.framing import prepared
from datavc.cli.options import DryRun, Jobs, Json, Quiet, RemoteName, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.verbs import fsck as verb
from datavc.verbs.fsck import Finding, FsckOptions, FsckResult
from datavc.verbs.sync_options import SyncOptions

app = command_app()


@app.command(
    cls=prepared(bare_remote),
    epilog=epilog("datavc fsck", "datavc fsck -c -r storage", codes=(0, 1, 2, 4, 6)),
)
def fsck(
    ctx: typer.Context,
    repair: Annotated[
        bool, typer.Option("--repair/--no-repair", help="Look for sound bytes elsewhere.")
    ] = True,
    remote: RemoteName = None,
    cloud: Annotated[
        bool,
        typer.Option("-c", "--cloud", help="Verify what remotes have, too; also `--remote`."),
    ] = False,
    jobs: Jobs = None,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Verify every object of the cache, and repair what is damaged.

    Damaged objects are set aside and named by the files that they serve. Sound bytes are looked
    for in the workspace, then on -r NAME, else on the remotes that you agreed to.
    """
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        options = FsckOptions(
            repair=repair,
            cloud=cloud,
            dry_run=dry_run,
            sync=SyncOptions(remote=remote, jobs=jobs, ask=out.asks),
        )
        result = verb.fsck(out.repo, options, progress=out.progress)
        out.finish(result, lambda result: _draw(result, out.elapsed()))


def _draw(result: FsckResult, elapsed: str) -> Iterable[str]:
    for title, found in (("Damaged", result.damaged), ("Missing", result.missing)):
        repaired = [one for one in found if one.repaired]
        yield from (
            f"Repaired: {_served(one)} ({title.lower()}: {one.reason})" for one in repaired
        )
    for stray in result.strays:
        yield f"Not an object: {stray} in the cache"
    wrong = sum(not one.repaired for one in (*result.damaged, *result.missing))
    mended = len(result.damaged) + len(result.missing) - wrong
    said = [
        f"{render.count(result.checked, 'object')} verified, {render.size(result.bytes)} "
        f"in {elapsed}"
    ]
    if mended:
        said.append(f"{mended:,} repaired")
    said.append(f"{wrong:,} damaged or missing" if wrong else "all sound")
    yield "; ".join(said)
    if result.quarantine:
        count = render.count(len(result.quarantine), "damaged object")
        size = render.size(sum(one.bytes for one in result.quarantine))
        yield f"{count} set aside, {size}: in `quarantine` below `datavc cache dir`, to be removed"


def _served(one: Finding) -> str:
    more = f" and {len(one.files) - 1} more" if len(one.files) > 1 else ""
    return f"{one.files[0]}{more}" if one.files else f"object {one.digest}"
