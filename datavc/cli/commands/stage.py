"""`datavc stage`: add, list, remove."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli import render
from datavc.cli.commands.repro import repro
from datavc.cli.context import session
from datavc.cli.options import Json, Quiet, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.core.errors import UsageError
from datavc.verbs import stage as verb
from datavc.verbs import stage_list
from datavc.verbs.stage import NewOuts, NewStage, StageAdded, StageRemoved
from datavc.verbs.stage_list import ListOptions, Row, StageList

app = command_app()

Texts = list[str] | None


@app.callback(
    no_args_is_help=True,
    epilog=epilog(
        "datavc stage add -n train -d train.py -d data -p lr -o model.pkl python train.py",
        "datavc stage list",
    ),
)
def stage() -> None:
    """Write stages into datavc.yaml, list them, and take them out."""


@app.command(
    context_settings={"allow_interspersed_args": False},
    epilog=epilog(
        "datavc stage add -n train -d train.py -d data -p lr -o model.pkl python train.py",
        "datavc stage add -n eval -d model.pkl -M metrics.json 'python eval.py > log.txt'",
        codes=(0, 1, 2, 5),
    ),
)
def add(
    ctx: typer.Context,
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND...", help="What to run; quote | and >.")
    ],
    name: Annotated[str, typer.Option("-n", "--name", metavar="NAME", help="Its name.")],
    deps: Annotated[
        Texts, typer.Option("-d", "--deps", metavar="PATH", help="It needs this.")
    ] = None,
    params: Annotated[
        Texts,
        typer.Option(
            "-p", "--params", metavar="[FILE:]KEYS", help="It needs these keys (of params.yaml)."
        ),
    ] = None,
    outs: Annotated[
        Texts, typer.Option("-o", "--outs", metavar="PATH", help="It makes this.")
    ] = None,
    outs_no_cache: Annotated[
        Texts,
        typer.Option("-O", "--outs-no-cache", metavar="PATH", help="Makes it, left to Git."),
    ] = None,
    outs_persist: Annotated[
        Texts,
        typer.Option("--outs-persist", metavar="PATH", help="Makes it, kept between runs."),
    ] = None,
    outs_persist_no_cache: Annotated[
        Texts, typer.Option("--outs-persist-no-cache", metavar="PATH", help="Both of these.")
    ] = None,
    metrics: Annotated[
        Texts, typer.Option("-m", "--metrics", metavar="PATH", help="Makes a metrics file.")
    ] = None,
    metrics_no_cache: Annotated[
        Texts, typer.Option("-M", "--metrics-no-cache", metavar="PATH", help="Left to Git.")
    ] = None,
    plots: Annotated[
        Texts, typer.Option("--plots", metavar="PATH", help="Makes a file to be plotted.")
    ] = None,
    plots_no_cache: Annotated[
        Texts, typer.Option("--plots-no-cache", metavar="PATH", help="Left to Git.")
    ] = None,
    wdir: Annotated[
        str | None,
        typer.Option("-w", "--wdir", metavar="DIR", help="Runs there; paths begin there."),
    ] = None,
    env: Annotated[
        Texts, typer.Option("--env", metavar="NAME", help="Depends on this variable's value.")
    ] = None,
    resource: Annotated[
        Texts, typer.Option("--resource", metavar="NAME=AMOUNT", help="cpu=2, mem=4G, gpu=1, …")
    ] = None,
    retries: Annotated[
        int, typer.Option("--retries", min=0, metavar="N", help="Try again if it fails.")
    ] = 0,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="TIME", help="Stop it after 90s, 2h, …")
    ] = None,
    always_changed: Annotated[
        bool, typer.Option("--always-changed", help="Run it every time.")
    ] = False,
    desc: Annotated[
        str | None, typer.Option("--desc", metavar="TEXT", help="What it is for.")
    ] = None,
    force: Annotated[
        bool, typer.Option("-f", "--force", help="Write over the stage of that name.")
    ] = False,
    run: Annotated[bool, typer.Option("--run", help="Run it, once it is written.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Write a stage into the datavc.yaml of the current folder."""
    made = [
        NewOuts("outs", outs or ()),
        NewOuts("outs", outs_no_cache or (), cache=False),
        NewOuts("outs", outs_persist or (), persist=True),
        NewOuts("outs", outs_persist_no_cache or (), cache=False, persist=True),
        NewOuts("metrics", metrics or ()),
        NewOuts("metrics", metrics_no_cache or (), cache=False),
        NewOuts("plots", plots or ()),
        NewOuts("plots", plots_no_cache or (), cache=False),
    ]
    new = NewStage(
        name,
        command,
        deps=deps or (),
        params=params or (),
        outs=made,
        wdir=wdir,
        env=env or (),
        resources=resource or (),
        retries=retries,
        timeout=timeout,
        always_changed=always_changed,
        desc=desc,
    )
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        result = verb.add(out.repo, new, force=force, progress=out.progress)
        if not (run and json):
            out.finish(result, lambda added: _added(added, run=run))
    if run:
        repro(ctx, [f"{result.file}:{result.name}"], single=True, json=json, quiet=quiet)


def _added(result: StageAdded, *, run: bool) -> Iterable[str]:
    done = "Replaced" if result.replaced else "Added"
    yield f"{done} stage {result.name} in {result.file}"
    if not run:
        yield f"Next: `datavc repro {result.name}`"


@app.command("list", epilog=epilog("datavc stage list", "datavc stage list --all --names-only"))
def list_(
    ctx: typer.Context,
    targets: Annotated[
        Texts,
        typer.Argument(
            metavar="[TARGET]...",
            help="Stages, stage files, or folders with -R.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Those of all folders, and pointer files.")
    ] = False,
    recursive: Annotated[
        bool, typer.Option("-R", "--recursive", help="Those of all folders below.")
    ] = False,
    names_only: Annotated[
        bool, typer.Option("--names-only", "--name-only", help="One name a line.")
    ] = False,
    fail: Annotated[
        bool, typer.Option("--fail", help="Stop at a stage file that cannot be used.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """List the stages of the current folder's datavc.yaml."""
    if everything and targets:
        raise UsageError("--all lists everything, so it takes no targets")
    options = ListOptions(everything, recursive, fail)
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        result = stage_list.listing(out.repo, targets or (), options)
        out.finish(result, _names if names_only else _rows)


def _names(result: StageList) -> Iterable[str]:
    return (row.name for row in result.rows)


def _rows(result: StageList) -> Iterable[str]:
    if not result.rows:
        return [f"There is no stage here: {result.hint}"]
    return render.table([(row.name, _text(row)) for row in result.rows])


def _text(row: Row) -> str:
    frozen = row.stage is not None and row.stage.frozen
    return f"{row.text} (frozen)".strip() if frozen else row.text


@app.command(epilog=epilog("datavc stage remove train", codes=(0, 1, 2, 5)))
def remove(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A stage, or FILE:STAGE.")],
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Take a stage out of its file and of the lock; its outputs and their objects stay."""
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        out.finish(verb.remove(out.repo, name, progress=out.progress), _removed)


def _removed(result: StageRemoved) -> Iterable[str]:
    yield f"Removed stage {result.name} from {result.file}"
    if result.outs:
        yield f"No longer ignored by Git: {', '.join(result.outs)}"
