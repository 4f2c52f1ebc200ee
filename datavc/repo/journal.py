"""Journal: the operation log of a workspace, and what `undo` takes back.

One file an operation, JSON lines: a header, then a line a change with the state of one path
before and after. It is durable before anything is replaced, so a state that lies in no pointer is
still named, and its objects count as used until the operation expires. A command that goes from
output to output writes a file for each: later ones name the first, and all are one operation.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from datavc.core import tree
from datavc.core.digest import Digest, is_digest
from datavc.core.errors import DatavcError
from datavc.core.paths import RepoPath, parse
from datavc.core.tree import TreeEntry
from datavc.store import atomic

FORMAT = 1


class State(NamedTuple):
    """What lay at a path: nothing, a small text (pointer, ignore file), or a file of data."""

    text: str | None = None
    entry: TreeEntry | None = None

    @property
    def absent(self) -> bool:
        """Whether nothing lay there."""
        return self.text is None and self.entry is None


ABSENT = State()


class PathChange(NamedTuple):
    """One path of the project, before and after an operation."""

    path: RepoPath
    before: State
    after: State


class Operation(NamedTuple):
    """One entry of the log. `time_s` is for people; order is that of the ids.

    `begun` is the id of the first of its files, `parts` are the ids of all, oldest first.
    """

    id: str
    time_s: float
    command: str
    changes: tuple[PathChange, ...]
    begun: str
    parts: tuple[str, ...]

    def digests(self) -> Iterator[Digest]:
        """Yield the objects that taking it back needs."""
        for change in self.changes:
            for state in (change.before, change.after):
                if state.entry is not None and state.entry.digest is not None:
                    yield state.entry.digest


class Journal:
    """The log of one workspace, in `folder`."""

    def __init__(self, folder: str) -> None:
        """Use `folder`, which need not exist."""
        self._folder = folder

    def record(self, command: str, changes: Iterable[PathChange], begun: str = "") -> str:
        """Write an operation durably and return its id. Call it before bytes are replaced.

        `begun` is the id of the first part, where this is a later one of the same command.
        """
        import json

        os.makedirs(self._folder, exist_ok=True)
        now = time.time()
        last = max((_millis(name) for name in self.ids()), default=0)
        # Later than all before it, also after the clock was put back.
        identity = f"{max(int(now * 1000), int(last) + 1):015d}-{os.urandom(3).hex()}"
        header = {"datavc operation": FORMAT, "id": identity, "time": now, "command": command}
        header |= {"begun": begun} if begun else {}
        encode = json.JSONEncoder(check_circular=False).encode
        lines = [encode(header), *(encode(_change_out(change)) for change in changes)]
        data = ("\n".join(lines) + "\n").encode()
        atomic.write_bytes(self._file(identity), data, mode=0o600)
        return identity

    def ids(self) -> list[str]:
        """Return the ids, oldest first."""
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return []
        return sorted(name[: -len(".jsonl")] for name in names if name.endswith(".jsonl"))

    def read(self, identity: str) -> Operation:
        """Return one operation, or the part of one that this file holds.

        Raises:
            DatavcError: its file is damaged.
        """
        import json

        try:
            with open(self._file(identity), encoding="ascii") as lines:
                header = json.loads(next(lines))
                if header["datavc operation"] != FORMAT:
                    raise DatavcError(f"operation {identity} was written by another datavc")
                changes = tuple(_change_in(json.loads(line)) for line in lines)
            begun = str(header.get("begun", identity))
            time_s, command = float(header["time"]), str(header["command"])
            return Operation(identity, time_s, command, changes, begun, (identity,))
        except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
            raise DatavcError(
                f"operation {identity} cannot be read", f"remove {self._file(identity)}"
            ) from error

    def operations(self) -> list[Operation]:
        """Return all operations, oldest first; damaged ones are left out."""
        found = []
        for identity in self.ids():
            with suppress(DatavcError):
                found.append(self.read(identity))
        return [_joined(tuple(parts)) for _, parts in groupby(found, attrgetter("begun"))]

    def last(self) -> Operation | None:
        """Return the newest operation, whole; None if there is none.

        Raises:
            DatavcError: a file of it is damaged.
        """
        parts: list[Operation] = []
        for identity in reversed(self.ids()):
            part = self.read(identity)
            if parts and part.begun != parts[0].begun:
                break
            parts.append(part)
            if part.id == part.begun:
                break
        return _joined(tuple(reversed(parts))) if parts else None

    def drop(self, identity: str) -> None:
        """Forget an operation, and with it its claim on objects."""
        with suppress(FileNotFoundError):
            os.unlink(self._file(identity))

    def _file(self, identity: str) -> str:
        return os.path.join(self._folder, identity + ".jsonl")


def _joined(parts: tuple[Operation, ...]) -> Operation:
    """Return one operation for the files of one command, oldest first.

    What it did to a path step by step is one change.
    """
    changes: dict[RepoPath, PathChange] = {}
    for change in (change for part in parts for change in part.changes):
        known = changes.get(change.path, change)
        changes[change.path] = known._replace(after=change.after)
    return parts[-1]._replace(
        changes=tuple(changes.values()), parts=tuple(part.id for part in parts)
    )


def _millis(identity: str) -> float:
    digits = identity.partition("-")[0]
    return float(digits) if digits.isdigit() else 0.0


def _change_out(change: PathChange) -> list[object]:
    return [change.path, _state_out(change.before), _state_out(change.after)]


def _state_out(state: State) -> object:
    if state.text is not None:
        return {"text": state.text}
    if state.entry is not None:
        return {
            "content": state.entry.content,
            "size": state.entry.size,
            "flags": state.entry.flags,
        }
    return None


def _change_in(found: Any) -> PathChange:  # noqa: ANN401 - JSON
    path, before, after = found
    target = parse(path)
    return PathChange(target, _state_in(target, before), _state_in(target, after))


def _state_in(path: RepoPath, found: Mapping[str, Any] | None) -> State:
    if found is None:
        return ABSENT
    if "text" in found:
        return State(text=str(found["text"]))
    flags, content = int(found["flags"]), str(found["content"])
    if flags <= tree.EXECUTABLE and not is_digest(content):
        raise ValueError(content)
    return State(entry=TreeEntry(path, content, int(found["size"]), flags))
