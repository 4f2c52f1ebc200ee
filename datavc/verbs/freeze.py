"""freeze, unfreeze: have repro leave a stage as it is, or look at it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.formats import stage_edit
from datavc.repo import pointers
from datavc.repo.repo import Repo
from datavc.verbs import declaring, publishing
from datavc.verbs.declaring import Named


@dataclass(frozen=True, slots=True)
class Frozen:
    """The stages that were named, whether they are `frozen` now, and those that were before."""

    stages: tuple[Named, ...]
    frozen: bool
    already: tuple[Named, ...]


def freeze(
    repo: Repo, names: Sequence[str], *, frozen: bool, progress: Progress = SILENT
) -> Frozen:
    """Write into their stage files that the stages are `frozen`, or no longer.

    Nothing is written before all names are found.

    Raises:
        PathError: there is no such stage.
        FormatError: a stage file is malformed, or one that only a person can change.
    """
    with repo.lock(progress):
        found = tuple(dict.fromkeys(declaring.resolve(repo, name) for name in names))
        texts: dict[RepoPath, bytes] = {}
        already = []
        for named in found:
            old = texts.get(named.file) or declaring.text_of(repo, named.file)
            new = stage_edit.freeze(old, named.name, named.file, frozen=frozen)
            if new == old:
                already.append(named)
            else:
                texts[named.file] = new
        pointers.write_texts(
            repo.root,
            {file: text.decode() for file, text in texts.items()},
            repo.config.core.durability,
        )
        publishing.stage(repo, [*texts])
    return Frozen(found, frozen, tuple(already))
