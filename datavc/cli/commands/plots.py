"""`datavc plots`: show, diff, list, templates."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer

from datavc.cli import render
from datavc.cli.context import Session, session
from datavc.cli.options import Json, Quiet, command_app
from datavc.cli.pages import epilog
from datavc.core.errors import UsageError
from datavc.verbs import plot_templates, plots_output
from datavc.verbs import plots as verb
from datavc.verbs.plot_choice import Asked
from datavc.verbs.plots import Listing, Plots
from datavc.verbs.plots_output import Written

app = command_app()

Format = Literal["html", "svg", "png"]

Template = Annotated[
    str | None,
    typer.Option("-t", "--template", metavar="NAME", help="A template, or a file of one."),
]
X = Annotated[str | None, typer.Option("-x", metavar="FIELD", help="The field of the x axis.")]
Y = Annotated[str | None, typer.Option("-y", metavar="FIELD", help="The field of the y axis.")]
Title = Annotated[str | None, typer.Option("--title", metavar="TEXT", help="The plot's title.")]
XLabel = Annotated[
    str | None, typer.Option("--x-label", metavar="TEXT", help="Text at the x axis.")
]
YLabel = Annotated[
    str | None, typer.Option("--y-label", metavar="TEXT", help="Text at the y axis.")
]
NoHeader = Annotated[
    bool, typer.Option("--no-header", help="Tables have no header; columns are 0, 1, …")
]
Out = Annotated[
    str | None,
    typer.Option("-o", "--out", metavar="PATH", help="Folder (datavc_plots), or an HTML file."),
]
Kind = Annotated[
    Format, typer.Option("--format", help="A page for the browser, or a picture of each chart.")
]
Open = Annotated[bool, typer.Option("--open", help="Open the page in the browser.")]
ShowVega = Annotated[
    bool, typer.Option("--show-vega", help="Print the specification of one plot.")
]
Split = Annotated[
    bool, typer.Option("--split", help="With --json: data beside specifications, not in them.")
]
OwnPage = Annotated[
    str | None,
    typer.Option("--html-template", metavar="FILE", help="A page with {plot_divs}, {scripts}."),
]


@app.callback(
    no_args_is_help=True,
    epilog=epilog("datavc plots show", "datavc plots diff v1", "datavc help metrics"),
)
def plots() -> None:
    """Draw what runs left, versions side by side."""


@app.command(
    epilog=epilog("datavc plots show --open", "datavc plots show loss.csv -x step -y loss")
)
def show(
    ctx: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TARGET]...", show_default=False, help="Plots, files, folders."),
    ] = None,
    template: Template = None,
    x: X = None,
    y: Y = None,
    title: Title = None,
    x_label: XLabel = None,
    y_label: YLabel = None,
    no_header: NoHeader = False,
    out: Out = None,
    format: Kind = "html",
    open_: Open = False,
    show_vega: ShowVega = False,
    split: Split = False,
    html_template: OwnPage = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw the plots of the workspace on one page that needs no network."""
    asked = Asked(tuple(targets or ()), template, x, y, title, x_label, y_label, not no_header)
    with session(ctx, json=json, quiet=quiet) as terminal:
        found = verb.show(terminal.repo, asked, split=split)
        _end(terminal, found, (out, format, html_template), vega=show_vega, opened=open_)


@app.command(epilog=epilog("datavc plots diff", "datavc plots diff v1 v2 --targets loss.csv"))
def diff(
    ctx: typer.Context,
    revs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REV]...", show_default=False, help="Revisions (HEAD)."),
    ] = None,
    targets: Annotated[
        list[str] | None, typer.Option("--targets", metavar="PATH", help="Plots, files, folders.")
    ] = None,
    template: Template = None,
    x: X = None,
    y: Y = None,
    title: Title = None,
    x_label: XLabel = None,
    y_label: YLabel = None,
    no_header: NoHeader = False,
    out: Out = None,
    format: Kind = "html",
    open_: Open = False,
    show_vega: ShowVega = False,
    split: Split = False,
    html_template: OwnPage = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw the plots of several revisions in one; a single one beside the workspace."""
    asked = Asked(tuple(targets or ()), template, x, y, title, x_label, y_label, not no_header)
    with session(ctx, json=json, quiet=quiet) as terminal:
        found = verb.diff(terminal.repo, revs or (), asked, split=split)
        _end(terminal, found, (out, format, html_template), vega=show_vega, opened=open_)


def _end(
    terminal: Session,
    found: Plots,
    where: tuple[str | None, Format, str | None],
    *,
    vega: bool,
    opened: bool,
) -> None:
    """Print the plots as JSON, or write them and say where they are."""
    out, form, own = where
    if vega:
        charts = [each.chart for each in found.drawn if each.chart is not None]
        if len(charts) != 1:
            raise UsageError(f"--show-vega needs one plot, but {len(charts)} were found")
        terminal.finish(charts[0].spec, lambda spec: [render.json_text(spec)])
    elif terminal.json:
        terminal.finish(plots_output.with_pictures(terminal.repo, found, out), lambda _: None)
    elif not found.drawn:
        terminal.finish(found, _nothing)
    else:
        written = (
            plots_output.write_page(terminal.repo, found, out, own)
            if form == "html"
            else plots_output.write_charts(terminal.repo, found, out, form)
        )
        if opened:
            typer.launch(_address(written.files[0]))
        terminal.finish(written, _addresses)


def _nothing(_: Plots) -> Iterable[str]:
    return ["No plots: declare files under `plots:` in datavc.yaml, or name them here"]


def _addresses(written: Written) -> Iterable[str]:
    return map(_address, written.files)


def _address(file: str) -> str:
    return Path(file).as_uri()


@app.command("list", epilog=epilog("datavc plots list"))
def list_(ctx: typer.Context, json: Json = False, quiet: Quiet = False) -> None:
    """List the plots that are declared, with their templates and files."""
    with session(ctx, json=json, quiet=quiet) as out:
        out.finish(verb.listed(out.repo), _listed)


def _listed(listing: Listing) -> Iterable[str]:
    return render.table((each.id, each.template, *each.files) for each in listing.plots)


@app.command(epilog=epilog("datavc plots templates", "datavc plots templates linear >my.json"))
def templates(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", show_default=False)] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List plot templates, or print one to start your own from."""
    with session(ctx, json=json, quiet=quiet) as out:
        if name is None:
            out.finish(plot_templates.names(out.repo), lambda names: names)
        else:
            spec = plot_templates.template(out.repo, name)
            out.finish(spec, lambda found: [render.json_text(found)])
