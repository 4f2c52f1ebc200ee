"""stage add, stage remove: definitions written into stage files, and taken out again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from datavc.core import paths
from datavc.core.errors import DatavcError, UsageError
from datavc.core.outputs import LOCK_FILE
from datavc.core.paths import RepoPath
from datavc.core.progress import SILENT, Progress
from datavc.core.stage import PARAMS_FILE, STAGE_FILE, Stage, Value
from datavc.formats import lockfile, stage_edit, stagefile
from datavc.formats.strict_yaml import plain
from datavc.pipeline.editor import editor_line, write_schema
from datavc.repo import pointers
from datavc.repo.lock_journal import LockJournal
from datavc.repo.repo import Repo
from datavc.repo.snapshot import read_record
from datavc.verbs import declaring, pipelines, publishing
from datavc.verbs.declaring import Named
from datavc.verbs.scanning import inventory
from datavc.verbs.withdrawing import stage as tell_git
from datavc.verbs.withdrawing import withdraw

_QUOTED = re.compile(r"[\s'\"]|\A\Z")


class NewOuts(NamedTuple):
    """Outputs of one kind: below which key they stand, and what is said of each."""

    key: str
    paths: Sequence[str]
    cache: bool = True
    persist: bool = False


class NewStage(NamedTuple):
    """What a stage is to say; `cmd` is one text for the shell, or its words.

    `params` are `[FILE:]KEY,…`, and `FILE:` for a whole file; `resources` are `NAME=AMOUNT`.
    """

    name: str
    cmd: Sequence[str]
    deps: Sequence[str] = ()
    params: Sequence[str] = ()
    outs: Sequence[NewOuts] = ()
    wdir: str | None = None
    env: Sequence[str] = ()
    resources: Sequence[str] = ()
    retries: int = 0
    timeout: str | None = None
    always_changed: bool = False
    desc: str | None = None


@dataclass(frozen=True, slots=True)
class StageAdded:
    """The stage, the file it stands in, and whether it took another's place."""

    name: str
    file: RepoPath
    replaced: bool


@dataclass(frozen=True, slots=True)
class StageRemoved:
    """The stage, the file it stood in, and its outputs, which stay where they are."""

    name: str
    file: RepoPath
    outs: tuple[RepoPath, ...]


def add(
    repo: Repo, new: NewStage, *, force: bool = False, progress: Progress = SILENT
) -> StageAdded:
    """Write a stage into the stage file of the current folder, once all is checked.

    Its outputs are ignored by Git from here on, as far as the cache is to keep them.

    Raises:
        DatavcError: there is one of that name, without `force`; or Git tracks an output.
        FormatError: the file would not make sense, or not go together with the other stages.
    """
    if problem := stagefile.name_problem(new.name):
        raise UsageError(f"{new.name!r} {problem}")
    file = paths.join(pipelines.here(repo), STAGE_FILE)
    definition = _definition(new)
    with repo.lock(progress):
        old = declaring.text_of(repo, file)
        replaced = new.name in stage_edit.stages(old, file)
        if replaced and not force:
            raise DatavcError(
                f"{file} has a stage {new.name} already", "`--force` writes over its definition"
            )
        text = stage_edit.put(old or editor_line(file).encode(), new.name, definition, file)
        before = _of_group(pipelines.declared(repo).stages, Named(file, new.name))
        stages = declaring.changed(repo, file, text).stages
        _refuse_tracked(repo, _of_group(stages, Named(file, new.name)))
        gone = declaring.hidden(before) - declaring.hidden(stages)
        touched = declaring.hide(repo, declaring.hidden(_of_group(stages, Named(file, new.name))))
        pointers.write_text(repo.root, file, text.decode())
        write_schema(repo.layout)
        touched += declaring.show(repo, gone)
        publishing.stage(repo, [file, *touched])
    return StageAdded(new.name, file, replaced)


def remove(repo: Repo, text: str, *, progress: Progress = SILENT) -> StageRemoved:
    """Take a stage's definition, lock entry and ignore lines out; its outputs stay.

    The definition goes last, so that after a kill the same command finishes the work.

    Raises:
        PathError: there is no such stage.
        FormatError: a file that is to be changed is malformed.
    """
    with repo.lock(progress):
        named = declaring.resolve(repo, text)
        new = stage_edit.remove(declaring.text_of(repo, named.file), named.name, named.file)
        found = pipelines.declared(repo).stages
        own = _of_group(found, named)
        others = declaring.hidden(stage for stage in found if stage not in own)
        outs = declaring.hidden(own) - others
        touched = _forget(repo, named)
        touched += declaring.show(repo, outs)
        pointers.write_text(repo.root, named.file, new.decode())
        tell_git(repo, [named.file, *touched])
    return StageRemoved(named.name, named.file, tuple(sorted(outs)))


def _of_group(stages: Iterable[Stage], named: Named) -> list[Stage]:
    """Return the stages that one name of a file stands for."""
    return [stage for stage in stages if (stage.file, stage.group) == named]


def _forget(repo: Repo, named: Named) -> list[RepoPath]:
    """Take a stage out of the lock and its outputs out of what is tracked.

    Returns the files of Git's that changed.
    """
    path = paths.join(paths.parent(named.file), LOCK_FILE)
    journal = LockJournal(repo.layout.lock_journals)
    data = journal.merged(path, read_record(repo.root, path))
    if data is None:
        return []
    lock = lockfile.parse(data, path)
    gone = {name for name in lock if name.partition("@")[0] == named.name}
    if not gone:
        return []
    outputs = [
        output
        for output in inventory(repo).outputs.values()
        if output.recorded_in == path and output.stage in gone
    ]
    left = {name: entry for name, entry in lock.items() if name not in gone}
    touched = withdraw(repo, outputs)
    if left:
        pointers.write_text(repo.root, path, lockfile.render(left, path).decode())
    else:
        pointers.remove(repo.root, path)
    journal.drop(path)
    return [*touched, path]


def _refuse_tracked(repo: Repo, stages: Iterable[Stage]) -> None:
    """Refuse outputs that Git has: it and the cache would both keep them.

    Raises:
        DatavcError: names one.
    """
    found = sorted(repo.git.tracked(sorted(declaring.hidden(stages))))
    if found:
        raise DatavcError(
            f"{found[0]} would be an output, but Git tracks it",
            f"`git rm -r --cached {found[0]}` leaves it to the stage; or leave it to Git: "
            "`--outs-no-cache`",
        )


def _definition(new: NewStage) -> dict[str, Value]:
    """Return what is to stand below the stage's name, in the usual order."""
    cmd = new.cmd[0] if len(new.cmd) == 1 else " ".join(map(_word, new.cmd))
    found: dict[str, Value] = {"desc": new.desc, "cmd": cmd, "wdir": new.wdir}
    found |= {"deps": list[Value](new.deps), "params": _params(new.params)}
    found["env"] = list[Value](new.env)
    for outs in new.outs:
        said: dict[str, Value] = {} if outs.cache else {"cache": False}
        said |= {"persist": True} if outs.persist else {}
        items: list[Value] = [{path: dict(said)} if said else path for path in outs.paths]
        known = found.setdefault(outs.key, [])
        assert isinstance(known, list)
        known += items
    found["resources"] = _amounts(new.resources)
    found |= {"retries": new.retries, "timeout": new.timeout and plain(new.timeout)}
    found["always_changed"] = new.always_changed
    return {key: value for key, value in found.items() if value not in (None, [], {}, 0, False)}


def _word(word: str) -> str:
    """Return a word of the command line for the shell, which shall see its variables."""
    return shlex.quote(word) if _QUOTED.search(word) else word


def _params(texts: Sequence[str]) -> list[Value]:
    files: dict[str, list[Value]] = {}
    for text in texts:
        file, colon, keys = text.rpartition(":")
        known = files.setdefault(file if colon else PARAMS_FILE, [])
        known += [key for each in keys.split(",") if (key := each.strip()) and key not in known]
    bare = files.pop(PARAMS_FILE) if files.get(PARAMS_FILE) else []
    named: list[Value] = [{file: keys or None} for file, keys in files.items()]
    return bare + named


def _amounts(texts: Sequence[str]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for text in texts:
        name, equals, amount = text.partition("=")
        if not (name and equals and amount):
            raise UsageError(f"--resource takes NAME=AMOUNT, not {text!r}")
        found[name] = plain(amount)
    return found
