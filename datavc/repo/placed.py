"""Placed record: which files of each output this workspace has had.

It alone tells "deleted here" from "never fetched". Written under the repository's lock. Where it
is lost, everything absent counts as not fetched: the harmless side.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from datavc.core.digest import Digest, is_digest
from datavc.core.errors import DatavcError
from datavc.core.paths import RepoPath, parse, sort_key
from datavc.store import atomic, trees
from datavc.store.object_store import ObjectStore


class PlacedRecord(NamedTuple):
    """The version that lies here, and which of its files; None means all of them.

    `shown` is a version whose files a checkout by revision, or a hook that did not come to its
    end, has put beside or over them.
    """

    digest: Digest
    paths: frozenset[str] | None
    shown: Digest | None = None

    def had(self, path: str) -> bool:
        """Tell whether a file of that version was here."""
        return self.paths is None or path in self.paths


class HadHere:
    """Whether this workspace has had a file of a recorded tree."""

    def __init__(self, record: PlacedRecord | None, known: frozenset[str] | None) -> None:
        """`known` are the paths of the placed tree where that is another one than the recorded."""
        self._record = record
        self._known = known

    def __call__(self, path: str) -> bool:
        """Tell whether `path` was here."""
        if self._record is None:
            return False
        return self._record.had(path) and (self._known is None or path in self._known)


def had_here(store: ObjectStore, record: PlacedRecord | None, recorded: Digest) -> HadHere:
    """Return the test for files of the tree `recorded`."""
    known = None
    if record is not None and record.paths is None and record.digest != recorded:
        try:
            known = frozenset(entry.path for entry in trees.entries(store, record.digest))
        except DatavcError:  # that tree is gone: then nothing of it is known to have been here
            known = frozenset()
    return HadHere(record, known)


class Placed:
    """The records of one workspace, one file an output."""

    def __init__(self, folder: str) -> None:
        """Keep them in `folder`, which need not exist."""
        self._folder = folder

    def get(self, output: RepoPath) -> PlacedRecord | None:
        """Return what was placed of `output`, None if nothing is known."""
        import json

        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            with open(self._file(output), "rb") as stream:
                found = json.load(stream)
            if is_digest(found["digest"]):
                paths = None if found["paths"] is None else frozenset(found["paths"])
                shown = found.get("shown")
                return PlacedRecord(found["digest"], paths, shown if is_digest(shown) else None)
        return None

    def put(self, output: RepoPath, record: PlacedRecord) -> None:
        """Note what lies here now, durably: it says what absence means."""
        self.put_all({output: record}, "batch")

    def put_all(
        self, records: Mapping[RepoPath, PlacedRecord], durability: atomic.Durability
    ) -> None:
        """Note what lies here now of many outputs, together durable."""
        changed = {out: record for out, record in records.items() if self.get(out) != record}
        if changed:
            os.makedirs(self._folder, exist_ok=True)
            files = {self._file(out): (_encoded(out, r), 0o644) for out, r in changed.items()}
            atomic.write_many(files, durability)

    def outputs(self) -> list[RepoPath]:
        """Return the outputs that have a record."""
        import json

        found = []
        with suppress(FileNotFoundError):
            for name in os.listdir(self._folder):
                file = os.path.join(self._folder, name)
                with (
                    suppress(OSError, ValueError, KeyError, TypeError, DatavcError),
                    open(file, "rb") as stream,
                ):
                    found.append(parse(json.load(stream)["path"]))
        return sorted(found)

    def forget(self, output: RepoPath) -> None:
        """Drop the record of `output`."""
        with suppress(FileNotFoundError):
            os.unlink(self._file(output))

    def _file(self, output: str) -> str:
        import xxhash

        return os.path.join(self._folder, xxhash.xxh3_128_hexdigest(sort_key(output)) + ".json")


def _encoded(output: RepoPath, record: PlacedRecord) -> bytes:
    import json

    paths = None if record.paths is None else sorted(record.paths, key=sort_key)
    data = {"path": output, "digest": record.digest, "paths": paths}
    if record.shown is not None:
        data["shown"] = record.shown
    return (json.dumps(data) + "\n").encode("utf-8", "surrogateescape")
