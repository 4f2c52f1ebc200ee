"""The commands by name. A command's module is imported when it is called, none for `--help`."""

from __future__ import annotations

import os
from importlib import import_module

import typer
from typer._click import exceptions
from typer._click.core import Command as ClickCommand
from typer._click.core import Context
from typer._click.formatting import HelpFormatter
from typer._click.shell_completion import CompletionItem
from typer._completion_classes import completion_init
from typer.core import TyperCommand, TyperGroup

from datavc.cli.before import before_command
from datavc.cli.ending import Exit, end_on_terminate
from datavc.cli.framing import framed
from datavc.cli.globals import COMPLETING
from datavc.cli.pages import epilog
from datavc.cli.plumbing import PLUMBING
from datavc.core.errors import DatavcError, UsageError
from datavc.core.nearest import nearest

GROUPS = {
    "Start": {
        "init": "Make a datavc project in a Git repository.",
        "install": "Let data follow Git, and agree to the remotes of a clone.",
        "remote": "Add, list, change and trust remotes.",
        "config": "Read and change settings.",
        "cache": "Where objects are kept, and how much there is.",
    },
    "Work": {
        "add": "Track files and directories.",
        "status": "Show what changed.",
        "diff": "Compare two versions of the data.",
        "commit": "Record tracked data as it is now.",
        "checkout": "Bring the data of the pointer files into the workspace.",
        "remove": "Stop tracking data. Also `rm`.",
        "move": "Rename tracked data. Also `mv`.",
        "unprotect": "Make linked files private copies that can be edited.",
        "undo": "Take back the last operation.",
    },
    "Pipelines": {
        "repro": "Run the stages whose inputs changed, and what depends on them.",
        "why": "Tell why a stage would run.",
        "run-cache": "Show what stages made of which inputs.",
        "stage": "Write stages into datavc.yaml, list them, and take them out.",
        "dag": "Draw how stages depend on each other.",
        "freeze": "Leave stages as they are.",
        "unfreeze": "Take stages up again.",
        "params": "Compare the parameters of two versions.",
        "metrics": "Show the numbers that runs left, and compare them.",
        "plots": "Draw what runs left, versions side by side.",
    },
    "Share": {
        "push": "Send data to a remote.",
        "pull": "Fetch data from a remote and put it into the workspace.",
        "fetch": "Fetch data from a remote into the cache.",
    },
    "Look": {
        "list": "List files and tracked data. Also `ls`.",
        "cat": "Print a tracked file, also of another version.",
        "du": "Show how much space tracked data takes.",
        "data": "`data status`: the same as `status`.",
        "check-ignore": "Tell which paths .datavcignore excludes, and why.",
        "root": "Print where the project begins.",
    },
    "Keep": {
        "gc": "Free space: remove objects that nothing needs.",
        "fsck": "Verify every object, and repair what is damaged.",
        "doctor": "Look for what is wrong in the set-up.",
        "destroy": "Leave datavc: tracked data become plain files.",
    },
    "Help": {
        "version": "Print versions of datavc and what it stands on.",
        "help": "Read the documentation: `datavc help TOPIC`.",
        "completion": "Print the completion script of a shell.",
    },
}
"""Heading → command → what it does, as `datavc --help` shows them."""
TABLE = {name: text for group in GROUPS.values() for name, text in group.items()}
TABLE |= dict.fromkeys(PLUMBING, "")
"""Every command → what it does; those that Git runs have no text and are not listed."""
ALIASES = {"rm": "remove", "mv": "move", "ls": "list"}


def _plumbing(name: str) -> ClickCommand:
    """Return the page of a command that Git runs; running it is up to `main.py`."""
    text = "Run by Git, through what `datavc install` put in."
    return TyperCommand(name, help=text, epilog=epilog(f"datavc {name}"), rich_markup_mode=None)


class Lazy(TyperGroup):
    """The group of all commands, listed from the table."""

    def list_commands(self, ctx: Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(TABLE)

    def get_command(self, ctx: Context, cmd_name: str) -> ClickCommand | None:
        """Import and return a command, None if there is no such."""
        name = ALIASES.get(cmd_name, cmd_name)
        if name in PLUMBING:
            return _plumbing(name)
        if name not in TABLE:
            return None
        module = import_module(f"datavc.cli.commands.{name.replace('-', '_')}")
        declared = getattr(module, "COMMAND", None)
        command = typer.main.get_command(module.app if declared is None else framed(declared))
        command.name = name
        return command

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, ClickCommand | None, list[str]]:
        """Return the command that `args` call.

        Raises:
            UsageError: there is none; names the nearest.
        """
        if args[0] not in TABLE and args[0] not in ALIASES and not args[0].startswith("-"):
            near = nearest(args[0], [*TABLE, *ALIASES])
            hint = f"did you mean `datavc {near}`?" if near else "`datavc --help` lists them"
            raise UsageError(f"there is no command {args[0]!r}", hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the table, group by group."""
        for heading, group in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl(list(group.items()), col_max=14)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands, or the global options, that begin so."""
        if incomplete.startswith("-"):
            return ClickCommand.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=text)
            for name, text in TABLE.items()
            if text and name.startswith(incomplete)
        ]


app = typer.Typer(
    cls=Lazy,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.callback(epilog="`datavc COMMAND --help` shows an example, `datavc help questions` ways out.")(
    before_command
)


def _usage(error: exceptions.UsageError) -> DatavcError:
    """Return the library's complaint about the command line as one of ours."""
    command = error.ctx.command_path if error.ctx else "datavc"
    hint = f"`{command} --help` shows what it takes"
    if isinstance(error, exceptions.NoSuchOption):
        known = (
            [name for param in error.ctx.command.params for name in param.opts]
            if error.ctx
            else []
        )
        near = nearest(error.option_name, known)
        message = f"{command} has no option {error.option_name}"
        return UsageError(message, f"did you mean `{near}`? {hint}" if near else hint)
    message = error.format_message().rstrip(".").replace("\n", " ")
    return UsageError(f"{command}: {message[:1].lower()}{message[1:]}", hint)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code.

    Raises:
        DatavcError: the command line is wrong, or the command cannot do it.
    """
    end_on_terminate()
    command = typer.main.get_command(app)
    if COMPLETING in os.environ:
        completion_init()
        command.main(arguments, prog_name="datavc")
    try:
        with command.make_context("datavc", list(arguments or ["--help"])) as ctx:
            command.invoke(ctx)
    except exceptions.NoArgsIsHelpError as error:
        typer.echo(error.message)
        return UsageError.exit_code
    except exceptions.UsageError as error:
        raise _usage(error) from error
    except typer.Abort as error:
        raise DatavcError("nothing was done") from error
    except typer.Exit as stop:
        return stop.exit_code
    except Exit as stop:
        return stop.code
    return 0
