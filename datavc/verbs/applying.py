"""Applying: steps on the files of one output, and what the stat cache then knows of them."""

from __future__ import annotations

from collections.abc import Sequence

from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.repo import ignore
from datavc.repo.repo import Repo
from datavc.repo.scan import Scan, Trust
from datavc.repo.walk import stat_key
from datavc.repo.workspace import Applied, Step, WorkspaceWriter
from datavc.store.links import Placer
from datavc.verbs import laid
from datavc.verbs.scanning import reader, scanner


def apply(
    repo: Repo,
    output: RepoPath,
    steps: Sequence[Step],
    progress: Progress,
    types: tuple[str, ...] | None = None,
) -> tuple[Applied, Scan]:
    """Carry out `steps` and return what was done, and the output as it lies there now.

    What was placed is known by its verified object and not read again. `types` are the link
    types, those of the settings by default.
    """
    applied = carry_out(repo, output, steps, progress, types)
    return applied, _look(repo, output, steps, applied)


def lay(
    repo: Repo, output: RepoPath, steps: Sequence[Step], progress: Progress
) -> tuple[Applied, Scan]:
    """Carry out `steps` where nothing lies: what lies there afterwards is what was placed."""
    applied = carry_out(repo, output, steps, progress)
    entries = [step.new for step in steps if step.new is not None]
    ours = f"{repo.objects.algorithm}:"
    plain = all(entry.path and entry.content.startswith(ours) for entry in entries)
    seen = not ignore.load(repo.root).passes_over([step.path for step in steps])
    if applied.failures or not (plain and seen):
        return applied, _look(repo, output, steps, applied)
    return applied, laid.scan_of(repo, output, entries, applied)


def _look(repo: Repo, output: RepoPath, steps: Sequence[Step], applied: Applied) -> Scan:
    """Return the output as it lies there; files that were placed are not read."""
    entries = {step.path: step.new for step in steps}
    eyes = reader(repo, SILENT)
    for path, status in applied.placed:
        entry = entries[path]
        if entry is not None:
            eyes.placed[path] = stat_key("", status), laid.value_of(entry, status)
    return scanner(repo, SILENT).scan(output, eyes, Trust.IDENTITY)


def carry_out(
    repo: Repo,
    output: RepoPath,
    steps: Sequence[Step],
    progress: Progress,
    types: tuple[str, ...] | None = None,
) -> Applied:
    """Carry out `steps` and return what was done, without looking at the rest."""
    placer = Placer(repo.objects, repo.layout.tmp, types or repo.config.cache.types)
    with WorkspaceWriter(repo.root, placer, progress) as writer:
        return writer.apply(steps, output)
