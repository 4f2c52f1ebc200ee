"""`datavc gc`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli import render
from datavc.cli.changes import drawn_paths
from datavc.cli.context import session
from datavc.cli.options import (
    AllBranches,
    AllCommits,
    AllTags,
    DryRun,
    Force,
    Json,
    Quiet,
    Verbose,
    command_app,
)
from datavc.cli.pages import epilog
from datavc.verbs import gc as verb
from datavc.verbs.gc import GcResult
from datavc.verbs.gc_options import GcOptions, gc_scope, parse_age

app = command_app()


@app.command(
    epilog=epilog(
        "datavc gc -w --dry-run",
        "datavc gc -a -T --newer-than 30d",
        codes=(0, 1, 2, 3, 4, 6),
    )
)
def gc(
    ctx: typer.Context,
    workspace: Annotated[
        bool, typer.Option("-w", "--workspace", help="Keep the data of the workspace.")
    ] = False,
    all_branches: AllBranches = False,
    all_tags: AllTags = False,
    all_commits: AllCommits = False,
    rev: Annotated[
        list[str] | None, typer.Option("--rev", metavar="REV", help="Data of this commit.")
    ] = None,
    num: Annotated[
        int | None,
        typer.Option("-n", "--num", metavar="N", help="And of N - 1 before --rev; -1: all."),
    ] = None,
    date: Annotated[
        str | None, typer.Option("--date", metavar="DATE", help="Data of commits since then.")
    ] = None,
    newer_than: Annotated[
        str | None,
        typer.Option("--newer-than", metavar="AGE", help="Keep what is younger, such as 30d."),
    ] = None,
    unpushed: Annotated[
        bool, typer.Option("--unpushed", help="Remove also what no remote has.")
    ] = False,
    forget: Annotated[
        list[str] | None,
        typer.Option("--forget", metavar="WORKSPACE", help="Go on without one that is gone."),
    ] = None,
    expire_undo: Annotated[
        bool, typer.Option("--expire-undo", help="Give up what `undo` could bring back.")
    ] = False,
    force: Force = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Free space: remove objects from the cache that nothing needs.

    Kept are always the data of the workspace, of Git's index and stashes, of other worktrees and
    clones that use this cache, of what `undo` takes back, what is younger than a day, and what no
    remote has.
    """
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        options = GcOptions(
            workspace=workspace,
            scope=gc_scope((all_branches, all_tags, all_commits), rev or (), num, date),
            newer_than_s=parse_age(newer_than),
            unpushed=unpushed,
            forget=tuple(forget or ()),
            expire_undo=expire_undo,
            dry_run=dry_run,
            force=force,
            ask=out.asks,
        )
        result = verb.gc(out.repo, options, progress=out.progress)
        out.finish(result, _draw)


def _draw(result: GcResult) -> Iterable[str]:
    if result.declined:
        yield "Nothing was removed"
        return
    yield from drawn_paths("D", [_object(one) for one in result.removed])
    places: dict[str, int] = {}
    for one in result.removed:
        where = f"also on {one.remote}" if one.remote else "on no remote"
        places[where] = places.get(where, 0) + 1
    said = ", ".join(f"{number:,} {where}" for where, number in sorted(places.items()))
    verb_ = "Would remove" if result.dry_run else "Removed"
    if result.removed:
        count = render.count(len(result.removed), "object")
        yield f"{verb_} {count}, {render.size(result.bytes)} ({said})"
    else:
        yield "There is nothing to remove"
    unpushed = result.kept.get("unpushed")
    if unpushed:
        yield (
            f"{render.count(unpushed.files, 'object')} that nothing needs, "
            f"{render.size(unpushed.bytes)}, are on no remote and stay; `--unpushed` frees them"
        )
    young = result.kept.get("young")
    if young:
        count = render.count(young.files, "object")
        yield f"{count} that nothing needs, {render.size(young.bytes)}, are too young to go"
    if result.temporary.files:
        count = render.count(result.temporary.files, "temporary file")
        yield f"{verb_} {count} of interrupted commands, {render.size(result.temporary.bytes)}"


def _object(one: verb.Removed) -> str:
    where = f"also on {one.remote}" if one.remote else "on no remote"
    return f"{one.digest}  {render.size(one.bytes)}, {where}"
