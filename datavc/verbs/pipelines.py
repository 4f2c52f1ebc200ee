"""Pipelines: the stages of a workspace with all that they are compared with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from datavc.core import paths
from datavc.core.digest import Digest
from datavc.core.errors import FormatError
from datavc.core.outputs import POINTER_SUFFIX
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT
from datavc.core.stage import STAGE_FILE
from datavc.pipeline import graph as graphs
from datavc.pipeline import project as projects
from datavc.pipeline.deciding import Decider, Surroundings
from datavc.pipeline.graph import Graph
from datavc.pipeline.project import Project
from datavc.pipeline.rendering import Rendering
from datavc.pipeline.sight import Eyes, Sight
from datavc.repo import ignore
from datavc.repo.file_reader import FileReader, ReaderSettings
from datavc.repo.files import WorkspaceFiles
from datavc.repo.inventory import Inventory, load
from datavc.repo.loose import LooseFiles
from datavc.repo.repo import Repo
from datavc.repo.scan import Scanner
from datavc.repo.snapshot import Workspace
from datavc.verbs.scanning import jobs
from datavc.verbs.stage_locks import StageLocks

MISTAKEN_NAMES = ("dvc.yaml", "datavc.yml", "dvc.yml")
"""Files that are taken for the stage file."""


class Pipelines(NamedTuple):
    """The graph of all stages, what pointers track, the locks, and what decides about stages."""

    project: Project
    graph: Graph
    data: Inventory
    locks: StageLocks
    sight: Sight
    decider: Decider


def declared(repo: Repo, listed: Sequence[RepoPath] | None = None) -> Project:
    """Return what the stage files of the workspace declare; those `listed`, if that is known."""
    files = WorkspaceFiles(repo.git, listed)
    return projects.load(files, repo.layout.pipeline, rendering(repo))


def rendering(repo: Repo) -> Rendering:
    """Return how values become text in commands, as it is set."""
    chosen = repo.config.repro
    return Rendering._make((chosen.parse_bool, chosen.parse_list))


def open_pipelines(repo: Repo) -> Pipelines:
    """Return the stages of the workspace, ready to be decided about.

    Raises:
        FormatError: the stages do not go together, or a lock cannot be read; names it.
    """
    listing = repo.git.listing()
    pointers = [path for path in listing.records if path.endswith(POINTER_SUFFIX)]
    data = load(Workspace(repo.git, pointers))
    return compared(repo, declared(repo, listing.stage_files), data)


def compared(repo: Repo, project: Project, data: Inventory) -> Pipelines:
    """Return the stages that `project` declares with what they are compared with.

    Raises:
        FormatError: the stages do not go together, or a lock cannot be read; names it.
    """
    tracked: dict[RepoPath, Digest] = {
        path: output.digest for path, output in data.outputs.items() if not output.stage
    }
    graph = graphs.build(project.stages, list(tracked))
    locks = StageLocks(repo, project.files)
    sight = sight_of(repo)
    around = Surroundings(
        tracked,
        os.environ,
        repo.layout.pipeline,
        os.path.join(repo.layout.logs, "stages"),
        repo.objects.algorithm,
    )
    files = WorkspaceFiles(repo.git)
    decider = Decider(graph.stages, dict(locks.entries), sight, files, around)
    return Pipelines(project, graph, data, locks, sight, decider)


def sight_of(repo: Repo) -> Sight:
    """Return what looks at dependencies and outputs of stages."""
    rules = ignore.load(repo.root)

    def eyes(root: str, algorithm: str) -> Eyes:
        objects = os.path.join(repo.objects.root, "objects")
        settings = ReaderSettings(root, algorithm, objects, jobs(repo), repo.objects.holds)
        scanner = Scanner(root, repo.stat_cache, algorithm, rules, SILENT)
        return scanner, FileReader(settings, SILENT)

    def clock() -> int:
        return repo.stat_cache.now(os.stat(repo.root).st_dev)

    return Sight(repo.root, LooseFiles(repo.layout.loose), eyes, clock)


def here(repo: Repo) -> str:
    """Return the folder below the root that the user stands in; empty for the root."""
    folder = os.path.relpath(repo.here, repo.root)
    return "" if folder == "." else folder


def find(opened: Pipelines, text: str, folder: str, *, glob: bool = False) -> list[int]:
    """Return the stages that a user means by `text`, typed in `folder`.

    Raises:
        FormatError: it names nothing, and a stage file that may declare it cannot be used.
        PathError: it names nothing, or stages of several files.
    """
    try:
        return graphs.find(opened.graph, text, folder, glob=glob)
    except graphs.UnknownStageError:
        near = [paths.join(near, STAGE_FILE) for near in (folder, "")]
        require_sound(opened.project, [*near, *opened.project.broken])
        raise


def next_step(repo: Repo, stages: int) -> str:
    """Return what helps where the folder's stage file declares nothing: `stages` are elsewhere."""
    for name in MISTAKEN_NAMES:
        if os.path.lexists(os.path.join(repo.here, name)):
            return f"rename {name} to {STAGE_FILE}"
    if stages:
        all_of_them = f"all {stages} stages" if stages > 1 else "the one stage"
        return (
            f"`datavc repro -P` runs {all_of_them} of the project, "
            f"or go to the folder of its {STAGE_FILE}"
        )
    return "`datavc stage add -n NAME COMMAND` writes one"


def require_sound(project: Project, files: Sequence[RepoPath]) -> None:
    """Refuse if one of `files` cannot be used.

    Raises:
        FormatError: it cannot; says why.
    """
    for file in files:
        if file in project.broken:
            raise FormatError(project.broken[file].message, project.broken[file].hint)
