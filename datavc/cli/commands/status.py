"""`datavc status`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer
from typer._click.core import Context
from typer.core import TyperCommand

from datavc.cli.changes import drawn_paths, up_to_date
from datavc.cli.context import session
from datavc.cli.options import (
    Jobs,
    Json,
    Quiet,
    RemoteName,
    Targets,
    Verbose,
    command_app,
    epilog,
)
from datavc.verbs import status as verb
from datavc.verbs.status import Differences, StatusOptions, StatusResult
from datavc.verbs.syncing import SyncOptions

DIFFERENCES = 7
QUIET_DIFFERENCES = 1

app = command_app()


class _BareRemote(TyperCommand):
    """Understands `--remote` without a name as `--cloud`."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Return what is left of `args` after options."""
        for index, word in enumerate(args):
            alone = index + 1 == len(args) or args[index + 1].startswith("-")
            if word == "--remote" and alone:
                args[index] = "--cloud"
        return super().parse_args(ctx, args)


command_class = _BareRemote
EPILOG = epilog(
    "datavc status --granular", "datavc status -c --rev main --exit-code", codes=(0, 1, 2, 6, 7)
)


@app.command(cls=command_class, epilog=EPILOG)
def status(
    ctx: typer.Context,
    targets: Targets = None,
    granular: Annotated[
        bool, typer.Option("--granular", help="Show the files of directories.")
    ] = False,
    cloud: Annotated[
        bool, typer.Option("-c", "--cloud", help="Ask the remotes too; also `--remote`.")
    ] = False,
    remote: RemoteName = None,
    rev: Annotated[
        str | None,
        typer.Option("--rev", metavar="REV", help="Compare with REV in place of HEAD."),
    ] = None,
    unchanged: Annotated[
        bool, typer.Option("--unchanged", help="Show what did not change, too.")
    ] = False,
    untracked: Annotated[
        str, typer.Option("--untracked-files", metavar="no|all", help="Show stray files.")
    ] = "no",
    not_in_remote: Annotated[
        bool, typer.Option("--not-in-remote", help="The same as --cloud.")
    ] = False,
    jobs: Jobs = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 7 if anything differs.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Show what differs between the last commit, the pointer files and the workspace.

    With -q nothing is printed, and the exit code is 1 if anything differs.
    """
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        options = StatusOptions(
            granular=granular,
            untracked=untracked == "all",
            unchanged=unchanged,
            cloud=cloud or not_in_remote or remote is not None,
            rev=rev,
            sync=SyncOptions(remote=remote, jobs=jobs, ask=out.asks),
        )
        result = verb.status(out.repo, targets or (), options, progress=out.progress)
        out.finish(result, _draw)
        if result.differs and (exit_code or quiet):
            raise typer.Exit(DIFFERENCES if exit_code else QUIET_DIFFERENCES)


def _draw(result: StatusResult) -> Iterable[str]:
    absent = set(result.not_fetched)
    lost = [path for path in result.not_in_cache if path not in absent]
    shown = [
        ("Not committed yet (`git add` and `git commit` record them):", _kinds(result.committed)),
        (f"Changed in the workspace ({_ways(result.uncommitted)}):", _kinds(result.uncommitted)),
        ("Not in the cache (`datavc fetch` gets them):", _plain(lost)),
        ("Not fetched (`datavc pull` brings them):", _plain(result.not_fetched)),
        ("Not on the remote (`datavc push` sends them):", _plain(result.not_in_remote)),
        ("Tracked by neither datavc nor Git:", _plain(result.untracked)),
        ("Unchanged:", _plain(result.unchanged)),
    ]
    sections = [(title, lines) for title, lines in shown if lines]
    for number, (title, lines) in enumerate(sections):
        if number:
            yield ""
        yield title
        yield from (f"  {text}" for text in lines)
    if not (result.outputs or result.warnings):
        yield "Nothing is tracked yet; `datavc add PATH` tracks a file or a directory"
    elif result.outputs and not sections:
        yield up_to_date("Data and pointers are", result.warnings)


def _ways(found: Differences) -> str:
    """Return what records changes, and what takes them back where some files are gone."""
    back = ", `datavc checkout` brings back what is gone" if found.deleted else ""
    return f"`datavc add` records them{back}"


def _kinds(found: Differences) -> list[str]:
    lines = []
    for kind in ("added", "modified", "deleted", "unknown"):
        lines += [
            f"{kind}:".ljust(10) + text[3:] for text in drawn_paths(" ", getattr(found, kind))
        ]
    lines += [f"renamed:  {pair['old']} -> {pair['new']}" for pair in found.renamed]
    return lines


def _plain(paths: list[str]) -> list[str]:
    return [text[3:] for text in drawn_paths(" ", paths)]
