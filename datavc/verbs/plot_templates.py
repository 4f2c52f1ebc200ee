"""Plot templates: those that come along, and the user's own files."""

from __future__ import annotations

import os

from datavc.core.errors import PathError
from datavc.core.paths import RepoPath, parse
from datavc.metrics import templates
from datavc.metrics.templates import NAMES, Spec
from datavc.repo.files import WorkspaceFiles
from datavc.repo.layout import FOLDER
from datavc.repo.repo import Repo
from datavc.repo.targets import repo_path

PLACE = "plots"
"""The folder below `.datavc` in which a template NAME is NAME.json."""


def template(repo: Repo, name: str | None) -> Spec:
    """Return the template `name`: a file of the project, one of its own, or a built-in one.

    Raises:
        UsageError: there is no such template.
        PathError, FormatError: its file cannot be read, or is none.
    """
    wanted = name or templates.DEFAULT
    own = _file(repo, wanted)
    return templates.built_in(wanted) if own is None else templates.parse(own, wanted)


def names(repo: Repo) -> list[str]:
    """Return the names of all templates, the user's own first."""
    try:
        listed = sorted(os.listdir(os.path.join(repo.layout.folder, PLACE)))
    except (FileNotFoundError, NotADirectoryError):
        listed = []
    own = [name.removesuffix(".json") for name in listed if name.endswith(".json")]
    return list(dict.fromkeys([*own, *NAMES]))


def _file(repo: Repo, name: str) -> bytes | None:
    files = WorkspaceFiles(repo.git)
    stem = name.removesuffix(".json")
    try:
        own = files.read(RepoPath(f"{FOLDER}/{PLACE}/{parse(stem)}.json"))
    except PathError:
        own = None
    if own is not None or (name in NAMES and not os.path.isfile(os.path.join(repo.here, name))):
        return own
    for place in (repo.here, repo.root):
        if os.path.isfile(os.path.join(place, name)):
            return files.read(repo_path(repo.root, place, name))
    return None
