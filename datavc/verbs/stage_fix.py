"""Stage fix: files that stages were seen to read and write become entries of their stage files."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from datavc.core.errors import FormatError, PathError
from datavc.core.paths import RepoPath, is_inside, name
from datavc.core.progress import SILENT, Progress
from datavc.core.stage import STAGE_FILE, Stage
from datavc.formats import stage_edit
from datavc.formats.stage_edit import Entries
from datavc.repo import pointers
from datavc.repo.repo import Repo
from datavc.verbs import declaring, publishing
from datavc.verbs.declaring import Named


class Undeclared(NamedTuple):
    """What a stage was seen to read and write beside what it declares; perhaps nothing."""

    stage: Stage
    reads: Sequence[RepoPath] = ()
    writes: Sequence[RepoPath] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """The entries that a stage has got, as they stand in its file: seen from where it runs."""

    name: str
    file: RepoPath
    deps: tuple[str, ...]
    outs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fixed:
    """The stages that changed, and a sentence for each file that could not be declared."""

    stages: tuple[Declared, ...]
    left_out: tuple[str, ...]


class _Entry(NamedTuple):
    """A text for the list `key` of a stage; for which stages, by address, it means which path."""

    named: Named
    key: str
    text: str
    places: dict[str, RepoPath]

    def refused(self, why: str) -> str:
        """Return the sentence that says why this is not declared."""
        path = next(iter(self.places.values()))
        return f"{path} is not added to `{self.key}` of stage {_label(self.named)}: {why}"


def fix(repo: Repo, found: Iterable[Undeclared], *, progress: Progress = SILENT) -> Fixed:
    """Write what stages were `found` to read and write into their stage files.

    `found` has every stage that was traced: what foreach or matrix made of one definition changes
    together, and gets what all of them lack. What would not go together with the other stages is
    left out. Stopped halfway, some files are done and the others as they were.

    Raises:
        BusyError: somebody else holds the lock.
        PathError: a stage file, or an ignore file, cannot be written.
    """
    files: dict[RepoPath, dict[Named, list[Undeclared]]] = {}
    for one in found:
        named = Named(one.stage.file, one.stage.group)
        files.setdefault(named.file, {}).setdefault(named, []).append(one)
    stages: list[Declared] = []
    left_out: list[str] = []
    with repo.lock(progress):
        for file, groups in sorted(files.items()):
            page = _File(repo, file)
            page.declare(groups)
            page.publish()
            stages += (
                Declared(named.name, file, tuple(new.deps), tuple(new.outs))
                for named, new in _by_stage(page.added).items()
            )
            left_out += page.left_out
    return Fixed(tuple(stages), tuple(left_out))


class _File:
    """A stage file on its way: what it says so far, what was added, and what was not."""

    def __init__(self, repo: Repo, file: RepoPath) -> None:
        """Begin with the file as it is now."""
        self._repo = repo
        self._file = file
        self._text = declaring.text_of(repo, file)
        self.added: list[_Entry] = []
        self.left_out: list[str] = []

    def declare(self, groups: dict[Named, list[Undeclared]]) -> None:
        """Add all that can be: outputs first, since they say which inputs make no sense."""
        entries = [entry for named, traced in groups.items() for entry in _entries(named, traced)]
        written = {path for entry in entries if entry.key == "outs" for path in _paths(entry)}
        tracked = self._repo.git.tracked(sorted(written))
        wanted = []
        for entry in sorted(entries, key=lambda entry: entry.key != "outs"):
            if why := _hindrance(entry, len(groups[entry.named]), tracked):
                self.left_out.append(entry.refused(why))
            else:
                wanted.append(entry)
        if wanted:
            self._add(wanted)

    def publish(self) -> None:
        """Write the file, if it says more now, once Git ignores the new outputs."""
        if not self.added:
            return
        outs = {path for entry in self.added if entry.key == "outs" for path in _paths(entry)}
        touched = declaring.hide(self._repo, outs)
        pointers.write_text(self._repo.root, self._file, self._text.decode())
        publishing.stage(self._repo, [self._file, *touched])

    def _add(self, entries: Sequence[_Entry]) -> None:
        """Add entries: all at once, or by halves, so that those few that cannot be are found."""
        try:
            text = self._with(entries)
            self._check(text, entries)
        except FormatError as error:
            if len(entries) == 1:
                self.left_out.append(entries[0].refused(error.message))
                return
            middle = len(entries) // 2
            self._add(entries[:middle])
            self._add(entries[middle:])
        else:
            self._text = text
            self.added += entries

    def _with(self, entries: Sequence[_Entry]) -> bytes:
        """Return the file with these entries.

        Raises:
            FormatError: the stage is gone, or written so that only a person can change it.
        """
        known = stage_edit.stages(self._text, self._file)
        more = _by_stage(entries)
        for named in more:
            if named.name not in known:
                raise FormatError(f"{self._file} has no such stage any more")
        by_name = {named.name: texts for named, texts in more.items()}
        return stage_edit.declare(self._text, by_name, self._file)

    def _check(self, text: bytes, entries: Sequence[_Entry]) -> None:
        """Refuse a text that means anything else, or does not go together with all stages.

        Raises:
            FormatError: says why.
        """
        found = declaring.changed(self._repo, self._file, text).stages
        stages = {stage.address: stage for stage in found}
        for entry in entries:
            for address, path in entry.places.items():
                stage = stages.get(address)
                if stage is None or path not in _declared(stage, entry.key):
                    raise FormatError(f"{self._file} has changed since the stage ran")


def _entries(named: Named, traced: Sequence[Undeclared]) -> Iterator[_Entry]:
    """Yield what is to be said of the stages of one definition, equal texts once."""
    found: dict[tuple[str, str], _Entry] = {}
    for stage, reads, writes in traced:
        for key, listed in (("deps", reads), ("outs", writes)):
            for path in listed:
                text = _seen_from(stage.wdir, path)
                entry = found.setdefault((key, text), _Entry(named, key, text, {}))
                entry.places[stage.address] = path
    yield from found.values()


def _seen_from(folder: str, path: RepoPath) -> str:
    """Return a path as a stage that runs in `folder` names it, with nothing to be filled in."""
    return posixpath.relpath(f"/{path}", f"/{folder}").replace("${", "\\${")


def _hindrance(entry: _Entry, traced: int, tracked: Iterable[RepoPath]) -> str:
    """Return why this cannot be declared, whatever else the stages say; nothing if it can."""
    if len(entry.places) < traced:
        return f"only {len(entry.places)} of its {traced} traced stages would need it"
    try:
        entry.text.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8, as a stage file is"
    return _no_output(entry, tracked) if entry.key == "outs" else ""


def _no_output(entry: _Entry, tracked: Iterable[RepoPath]) -> str:
    """Return why Git would not leave this to the stage; nothing if it would."""
    for path in tracked:
        if any(is_inside(path, out) for out in _paths(entry)):
            return f"Git tracks {path}; `git rm --cached` leaves it to the stage"
    try:
        for out in _paths(entry):
            pointers.ignore_line(name(out), is_dir=False)
    except PathError as error:
        return error.message
    return ""


def _paths(entry: _Entry) -> Iterable[RepoPath]:
    return entry.places.values()


def _declared(stage: Stage, key: str) -> Sequence[RepoPath]:
    return stage.deps if key == "deps" else [out.path for out in stage.outs]


def _label(named: Named) -> str:
    return named.name if named.file == STAGE_FILE else f"{named.file}:{named.name}"


def _by_stage(entries: Iterable[_Entry]) -> dict[Named, Entries]:
    """Return the texts of entries by the definition that they belong to."""
    found: dict[Named, dict[str, list[str]]] = {}
    for entry in entries:
        found.setdefault(entry.named, {}).setdefault(entry.key, []).append(entry.text)
    return {named: Entries(**texts) for named, texts in found.items()}
