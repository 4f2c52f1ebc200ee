"""`datavc status`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from datavc.cli.changes import drawn_paths, up_to_date
from datavc.cli.context import session
from datavc.cli.declared import Caller, Declared
from datavc.cli.ending import Exit
from datavc.cli.pages import epilog
from datavc.verbs import status as verb
from datavc.verbs.status import Differences, StatusOptions, StatusResult
from datavc.verbs.sync_options import SyncOptions

if TYPE_CHECKING:
    from typing import Annotated

    import typer

    from datavc.cli.options import Jobs, Json, Quiet, RemoteName, Targets, Verbose

DIFFERENCES = 7
QUIET_DIFFERENCES = 1
SHOWN = 10
"""Stages that are listed."""


def status(
    ctx: Caller,
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
            raise Exit(DIFFERENCES if exit_code else QUIET_DIFFERENCES)


def bare_remote(words: list[str]) -> None:
    """Understand `--remote` without a name as `--cloud`."""
    for index, word in enumerate(words):
        alone = index + 1 == len(words) or words[index + 1].startswith("-")
        if word == "--remote" and alone:
            words[index] = "--cloud"


COMMAND = Declared(
    status,
    epilog(
        "datavc status --granular",
        "datavc status -c --rev main --exit-code",
        codes=(0, 1, 2, 6, 7),
    ),
    prepare=bare_remote,
)


def _draw(result: StatusResult) -> Iterable[str]:
    absent = set(result.not_fetched)
    lost = [path for path in result.not_in_cache if path not in absent]
    shown = [
        ("Not committed yet (`git add` and `git commit` record them):", _kinds(result.committed)),
        (f"Changed in the workspace ({_ways(result)}):", _kinds(result.uncommitted)),
        (f"Not in the cache ({_back(result)}):", _plain(lost)),
        ("Not fetched (`datavc pull` brings them):", _plain(result.not_fetched)),
        ("Not on the remote (`datavc push` sends them):", _plain(result.not_in_remote)),
        ("Stages to run (`datavc repro` runs them):", _stages(result)),
        ("Tracked by neither datavc nor Git:", _plain(result.untracked)),
        ("Unchanged:", _plain(result.unchanged)),
    ]
    sections = [(title, lines) for title, lines in shown if lines]
    for number, (title, lines) in enumerate(sections):
        if number:
            yield ""
        yield title
        yield from (f"  {text}" for text in lines)
    if not (result.outputs or result.stages or result.warnings):
        yield "Nothing is tracked yet; `datavc add PATH` tracks a file or a directory"
    elif result.outputs and not sections:
        yield up_to_date("Data and pointers are", result.warnings)


def _stages(result: StatusResult) -> list[str]:
    lines = [f"{name}: {reason}" for name, (reason, _) in result.stages.items()]
    return [*lines[:SHOWN], f"… and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else lines


def _back(result: StatusResult) -> str:
    """Return what brings lost objects back: a remote, or the files that still lie here."""
    if result.has_remote:
        return "`datavc fetch` gets them"
    return "`datavc fsck` takes back what lies in the workspace"


def _ways(result: StatusResult) -> str:
    """Return what records changes, and what takes them back where some files are gone."""
    back = ", `datavc checkout` brings back what is gone" if result.uncommitted.deleted else ""
    names = " or ".join(f"`datavc {name}`" for name in sorted(result.recorded_by or {"add"}))
    return f"{names} records them{back}"


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
