"""Publishing: pointers, ignore lines and placed records, once all they name is durable."""

from __future__ import annotations

from collections.abc import Sequence

from datavc.core import paths
from datavc.core.paths import RepoPath
from datavc.core.progress import Progress
from datavc.repo import pointers
from datavc.repo.journal import ABSENT, PathChange, State
from datavc.repo.repo import Repo
from datavc.repo.snapshot import read_record
from datavc.verbs import workspaces
from datavc.verbs.recording import Draft


def publish(repo: Repo, drafts: Sequence[Draft], command: str, progress: Progress) -> bool:
    """Write what `drafts` record; False, with nothing written, if a pointer changed meanwhile."""
    with repo.lock(progress):
        for draft in drafts:
            if read_record(repo.root, draft.target.pointer_path) != draft.before:
                return False
        changes = [change for draft in drafts if (change := _change(draft)) is not None]
        if changes:
            repo.journal.record(command, changes)
        # A line too many harms nobody; a pointer whose data Git would take in does.
        touched = ignore(repo, [(d.target.path, d.pointer.kind == "directory") for d in drafts])
        workspaces.announce(repo, also=[draft.pointer.digest for draft in drafts])
        durability = repo.config.core.durability
        texts = {change.path: change.after.text or "" for change in changes}
        pointers.write_texts(repo.root, texts, durability)
        repo.placed.put_all({draft.target.path: draft.placed for draft in drafts}, durability)
        stage(repo, [*(change.path for change in changes), *touched])
    return True


def ignore(repo: Repo, outputs: Sequence[tuple[RepoPath, bool]]) -> list[RepoPath]:
    """Have Git ignore `outputs` (path, whether a directory); return the files that changed."""
    lines: dict[RepoPath, list[tuple[str, bool]]] = {}
    for path, is_dir in outputs:
        lines.setdefault(RepoPath(paths.parent(path)), []).append((paths.name(path), is_dir))
    return pointers.add_ignore_lines(repo.root, lines)


def stage(repo: Repo, touched: Sequence[RepoPath]) -> None:
    """Add changed pointers and ignore files to Git's index, where `core.autostage` wants it."""
    if repo.config.core.autostage and touched:
        repo.git.stage(touched)


def _change(draft: Draft) -> PathChange | None:
    """Return how the pointer file changes, None if it stays as it is."""
    old = None if draft.before is None else draft.before.decode("utf-8", "surrogateescape")
    new = pointers.text_of(draft.pointer, old)
    if new == old:
        return None
    before = ABSENT if old is None else State(text=old)
    return PathChange(draft.target.pointer_path, before, State(text=new))
