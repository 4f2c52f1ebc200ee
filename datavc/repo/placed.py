"""Placed record: which files of each output this workspace has had.

It alone tells "deleted here" from "never fetched". Written under the repository's lock. Where it
is lost, everything absent counts as not fetched: the harmless side.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import NamedTuple

from datavc.core.digest import Digest, is_digest
from datavc.core.paths import RepoPath, sort_key
from datavc.store import atomic


class PlacedRecord(NamedTuple):
    """The version that lies here, and which of its files; None means all of them."""

    digest: Digest
    paths: frozenset[str] | None

    def had(self, path: str) -> bool:
        """Tell whether a file of that version was here."""
        return self.paths is None or path in self.paths


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
                paths = found["paths"]
                return PlacedRecord(found["digest"], None if paths is None else frozenset(paths))
        return None

    def put(self, output: RepoPath, record: PlacedRecord) -> None:
        """Note what lies here now, durably: it says what absence means."""
        import json

        if self.get(output) == record:
            return
        paths = None if record.paths is None else sorted(record.paths, key=sort_key)
        data = {"path": output, "digest": record.digest, "paths": paths}
        os.makedirs(self._folder, exist_ok=True)
        atomic.write_text(self._file(output), json.dumps(data) + "\n")

    def forget(self, output: RepoPath) -> None:
        """Drop the record of `output`."""
        with suppress(FileNotFoundError):
            os.unlink(self._file(output))

    def _file(self, output: str) -> str:
        import xxhash

        return os.path.join(self._folder, xxhash.xxh3_128_hexdigest(sort_key(output)) + ".json")
