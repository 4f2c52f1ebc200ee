"""The options that several commands share, each spelled once: `def add(…, json: Json = False)`."""

from __future__ import annotations

from typing import Annotated, Literal, cast

import typer

from datavc.core.errors import UsageError

Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]
Verbose = Annotated[
    int,
    typer.Option(
        "-v", "--verbose", count=True, show_default=False, help="Say why things are done."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "--dry", help="Say what would be done, and do nothing.")
]
Force = Annotated[bool, typer.Option("-f", "--force", help="Do it without asking.")]
Jobs = Annotated[
    int | None, typer.Option("-j", "--jobs", min=1, metavar="N", help="Do N things at once.")
]
RemoteName = Annotated[
    str | None, typer.Option("-r", "--remote", metavar="NAME", help="The remote to use.")
]
AllBranches = Annotated[bool, typer.Option("-a", "--all-branches", help="Data of all branches.")]
AllTags = Annotated[bool, typer.Option("-T", "--all-tags", help="Data of all tags.")]
AllCommits = Annotated[bool, typer.Option("-A", "--all-commits", help="Data of all commits.")]
RunCache = Annotated[
    bool,
    typer.Option(
        "--run-cache/--no-run-cache", help="Also results of stages that the run cache knows."
    ),
]
Rev = Annotated[
    str | None, typer.Option("--rev", metavar="REV", help="Take the version of this commit.")
]
Targets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TARGET]...", help="Tracked paths or pointer files.", show_default=False
    ),
]
SomeTargets = Annotated[
    list[str], typer.Argument(metavar="TARGET...", help="Files, directories or pointer files.")
]
Glob = Annotated[bool, typer.Option("--glob", help="Targets may hold *, ? and [abc].")]
Recursive = Annotated[
    bool, typer.Option("-R", "--recursive", help="All that is tracked below a target.")
]


def command_app() -> typer.Typer:
    """Return the empty frame of one command, or of a group of them."""
    return typer.Typer(
        rich_markup_mode=None,
        add_completion=False,
        no_args_is_help=False,
        pretty_exceptions_enable=False,
    )


Local = Annotated[
    bool, typer.Option("--local", help="In .datavc/config.local.toml, which Git ignores.")
]
Global = Annotated[bool, typer.Option("--global", help="In your own settings, for all projects.")]
System = Annotated[bool, typer.Option("--system", help="In the settings of this machine.")]
Project = Annotated[bool, typer.Option("--project", help="In .datavc/config.toml (the default).")]
Unset = Annotated[bool, typer.Option("-u", "--unset", help="Take the setting out of the file.")]


def chosen_level(
    local: bool, global_: bool, system: bool, project: bool
) -> Literal["local", "user", "system", "project"] | None:
    """Return the level that the options choose, None if they choose none.

    Raises:
        UsageError: they choose two.
    """
    chosen = {"local": local, "user": global_, "system": system, "project": project}
    names = [name for name, wanted in chosen.items() if wanted]
    if len(names) > 1:
        raise UsageError("only one of --local, --global, --system and --project makes sense")
    return cast("Literal['local', 'user', 'system', 'project']", names[0]) if names else None
