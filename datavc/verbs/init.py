"""Make a datavc project in a Git repository."""

from __future__ import annotations

import os
from dataclasses import dataclass

from datavc.core.errors import DatavcError, NotARepository
from datavc.pipeline.editor import write_schema
from datavc.repo import config_files, hooks
from datavc.repo.config_keys import read_value
from datavc.repo.git import Git
from datavc.repo.layout import FOLDER, IGNORE_FILE, IGNORED_HERE, Layout, find
from datavc.store import atomic

_IGNORE_TEXT = """\
# Files below tracked directories that datavc leaves alone; the rules are those of .gitignore.
"""


@dataclass(frozen=True, slots=True)
class InitOptions:
    """How to begin: `digest` names new data, `subdir` allows a folder below Git's top."""

    digest: str = ""
    subdir: bool = False
    force: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class InitResult:
    """The new project: its root, what was written there, and the hooks that make data follow."""

    root: str
    files: tuple[str, ...]
    hooks: tuple[str, ...]
    dry_run: bool
    warnings: tuple[str, ...] = ()


def init(folder: str, options: InitOptions) -> InitResult:
    """Make `folder` a project; one that is there is completed with `force`, never emptied.

    Raises:
        NotARepository: no Git repository contains it.
        DatavcError: it cannot be the root of a project.
    """
    layout = Layout(os.path.realpath(folder))
    git = Git(layout.root)
    _check_place(layout, git, options)
    texts = _texts(layout, options)
    if not options.dry_run:
        os.makedirs(layout.folder, exist_ok=True)
        for file, text in texts.items():
            atomic.write_text(file, text)
        write_schema(layout)
        if options.digest and layout.config not in texts:
            config_files.edit(layout.config, {"core.digest": options.digest}, "project")
    installed = hooks.install(git, dry_run=options.dry_run)
    names = [os.path.relpath(file, layout.root) for file in texts]
    if installed.attributes:
        names.append(hooks.ATTRIBUTES)
    if not options.dry_run:
        git.stage(names)
    return InitResult(
        layout.root, tuple(names), installed.written, options.dry_run, installed.warnings
    )


def _check_place(layout: Layout, git: Git, options: InitOptions) -> None:
    if git.prefix and not options.subdir:
        raise DatavcError(
            f"{layout.root} is not the top of the Git repository, which is {git.work_tree}",
            "go there, or say `datavc init --subdir` to track data below this folder alone",
        )
    try:
        around = find(layout.root)
    except NotARepository:
        around = None
    if around is not None and around.root != layout.root:
        raise DatavcError(f"{layout.root} is inside the datavc project {around.root} already")
    if around is not None and os.path.lexists(layout.config) and not options.force:
        raise DatavcError(
            f"{layout.root} is a datavc project already",
            "`datavc install` makes data follow Git; `datavc init -f` puts back what is missing",
        )
    if os.path.islink(layout.folder):
        raise DatavcError(f"{layout.folder} is a symbolic link, and must be a folder")
    if git.ignored([f"{FOLDER}/config.toml"]):
        raise DatavcError(
            f"Git ignores {FOLDER}, so the project's settings would be lost to others",
            f"`git check-ignore -v {FOLDER}/config.toml` shows the line to take out",
        )


def _texts(layout: Layout, options: InitOptions) -> dict[str, str]:
    """Return file → text of what is to be written; files that are there are left out."""
    digest = options.digest or "blake3"
    read_value("core.digest", digest, "--digest")
    wanted = {
        layout.config: f'[core]\ndigest = "{digest}"\n',
        os.path.join(layout.folder, ".gitignore"): "".join(f"{line}\n" for line in IGNORED_HERE),
        os.path.join(layout.root, IGNORE_FILE): _IGNORE_TEXT,
    }
    return {file: text for file, text in wanted.items() if not os.path.lexists(file)}
