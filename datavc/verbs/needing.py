"""Needing: the objects that versions are made of, as the trees here, or on a remote, tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from datavc.core.digest import Digest
from datavc.core.errors import DatavcError, RemoteError
from datavc.core.outputs import Failure
from datavc.core.tree import TreeEntry
from datavc.repo.repo import Repo
from datavc.repo.targets import Selection, require_matches
from datavc.store import trees
from datavc.store.object_store import ObjectStore
from datavc.store.parallel import each


class Listed(NamedTuple):
    """A tree that was read: its entries, and the objects that it is made of itself."""

    entries: list[TreeEntry]
    parts: list[Digest]


class Needs:
    """Objects of some versions, with a file that each serves and its size, if recorded.

    `unknown` are trees that could not be read: what they name cannot be told.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.files: dict[Digest, tuple[str, int | None]] = {}
        self.trees: dict[Digest, str] = {}
        self.unknown: dict[Digest, Selection] = {}

    def served(self) -> dict[Digest, str]:
        """Return a path for each object."""
        unknown = {digest: selection.output.path for digest, selection in self.unknown.items()}
        return {**self.trees, **unknown, **{d: path for d, (path, _) in self.files.items()}}

    def take(self, selection: Selection, listed: Listed) -> None:
        """Add what the chosen part of a directory is made of.

        Raises:
            PathError: the selection names nothing in it.
        """
        output = selection.output
        if not selection.whole:
            require_matches(selection, (entry.path for entry in listed.entries))
        # Segments first: whoever finds the root finds what it lists.
        self.trees.update((digest, output.path) for digest in reversed(listed.parts))
        for entry in listed.entries:
            digest = entry.digest
            if digest is not None and selection.covers(entry.path):
                self.files[digest] = f"{output.path}/{entry.path}", entry.size

    def ask(self, store: ObjectStore, jobs: int) -> list[Failure]:
        """Read trees that are not here from `store`, a remote; return what it cannot tell either.

        That a remote has a tree says nothing of the tree's files.

        Raises:
            RemoteError: the remote refused or is out of reach.
        """
        failures: list[Failure] = []
        asked, self.unknown = self.unknown, {}

        def read(selection: Selection) -> None:
            digest = selection.output.digest
            try:
                listed = _list(store, digest)
            except RemoteError:
                raise
            except DatavcError as error:
                self.unknown[digest] = selection
                failures.append(Failure(selection.output.path, digest, error.message))
                return
            self.take(selection, listed)

        each(read, asked.values(), jobs)
        return failures


def needs(repo: Repo, chosen: Sequence[Selection]) -> Needs:
    """Return the objects that the chosen versions are made of."""
    found = Needs()
    for selection in chosen:
        output = selection.output
        if not output.is_directory:
            found.files[output.digest] = output.path, output.pointer.size
            continue
        try:
            listed = _list(repo.objects, output.digest)
        except DatavcError:
            repo.objects.holds(output.digest)  # sets a damaged one aside
            found.unknown[output.digest] = selection
            continue
        found.take(selection, listed)
    return found


def _list(store: ObjectStore, digest: Digest) -> Listed:
    return Listed(list(trees.entries(store, digest)), list(trees.tree_objects(store, digest)))
