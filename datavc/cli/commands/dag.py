"""`datavc dag`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from datavc.cli.context import session
from datavc.cli.options import Json, Quiet, Verbose, command_app
from datavc.cli.pages import epilog
from datavc.core.errors import UsageError
from datavc.verbs import dag as verb
from datavc.verbs.dag import Dag, DagOptions, Form

app = command_app()


@app.command(epilog=epilog("datavc dag", "datavc dag train --mermaid"))
def dag(
    ctx: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TARGET]...",
            help="Only what these stages, outputs or data need, and they.",
            show_default=False,
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="With targets: all that is connected with them.")
    ] = False,
    outs: Annotated[
        bool, typer.Option("-o", "--outs", help="Draw outputs instead of stages.")
    ] = False,
    collapse: Annotated[
        bool,
        typer.Option("--collapse-foreach-matrix", help="Draw stages of one template as one."),
    ] = False,
    dot: Annotated[bool, typer.Option("--dot", help="Print it for Graphviz.")] = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print it for Mermaid.")] = False,
    markdown: Annotated[
        bool, typer.Option("--md", help="Print it for Mermaid, in a block of Markdown.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Draw how stages depend on each other: each below all that it needs."""
    if dot + mermaid + markdown > 1:
        raise UsageError("only one of --dot, --mermaid and --md makes sense")
    if outs and collapse:
        raise UsageError("--collapse-foreach-matrix draws stages, --outs draws none")
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        result = verb.dag(out.repo, targets or (), DagOptions(outs, full, collapse))
        if markdown:
            out.finish(result, _markdown)
        else:
            form: Form = "dot" if dot else "mermaid" if mermaid else "text"
            out.finish(result, lambda drawn: _lines(drawn, form))


def _lines(result: Dag, form: Form) -> Iterable[str]:
    if form == "text" and not result.picture.nodes:
        yield "There is nothing to draw: `datavc stage add` writes a stage"
    yield from result.drawn(form)


def _markdown(result: Dag) -> Iterable[str]:
    yield "```mermaid"
    yield from result.drawn("mermaid")
    yield "```"
