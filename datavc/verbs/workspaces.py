"""Workspaces that share a cache: each publishes what it needs, so that no other collects it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from datavc.core.digest import Digest, is_digest
from datavc.repo.layout import Layout
from datavc.repo.repo import Repo
from datavc.store import atomic
from datavc.store.local_writer import make_folder
from datavc.verbs.scanning import inventory

FOLDER = "workspaces"


class Announced(NamedTuple):
    """What one workspace said: its id, root, and the digests that its pointers name."""

    id: str
    root: str
    needs: tuple[Digest, ...]


def announce(repo: Repo, also: Iterable[Digest] = ()) -> None:
    """Say in a cache outside this project that it is used from here, and for what.

    `also` are versions that pointers are about to name. Other users of a shared cache may read it.
    """
    if repo.objects.root == repo.layout.default_cache:
        return
    import json

    if not identity(repo.layout):
        os.makedirs(repo.layout.state, exist_ok=True)
        atomic.write_text(repo.layout.workspace_id, os.urandom(16).hex() + "\n")
    needs = sorted({*also, *(output.digest for output in inventory(repo).outputs.values())})
    data = json.dumps({"root": repo.root, "needs": needs}) + "\n"
    folder = os.path.join(repo.objects.root, FOLDER)
    make_folder(folder, shared=repo.config.cache.shared)
    file = os.path.join(folder, f"{identity(repo.layout)}.json")
    with suppress(OSError), open(file, encoding="utf-8", errors="surrogateescape") as stream:
        if stream.read() == data:
            return
    atomic.write_text(file, data, mode=0o660 if repo.config.cache.shared else 0o644)


def identity(layout: Layout) -> str:
    """Return a name for the workspace that fits into a file name; empty if it never said any.

    It differs where another machine, or a container, has a workspace at the same path, and where
    a workspace was copied with all of its state.
    """
    import xxhash

    try:
        with open(layout.workspace_id, "rb") as stream:
            own = stream.read(64)
    except OSError:
        return ""
    return xxhash.xxh3_128_hexdigest(own + os.fsencode(layout.root))


def announced(cache: str) -> list[Announced]:
    """Return every workspace that uses the cache at `cache`; one that is damaged needs unknown."""
    import json

    folder = os.path.join(cache, FOLDER)
    found = []
    for name in sorted(_names(folder)):
        root, needs = "", ()
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            with open(os.path.join(folder, name), "rb") as stream:
                data = json.load(stream)
            root = str(data["root"])
            needs = tuple(digest for digest in data["needs"] if is_digest(digest))
        found.append(Announced(name.removesuffix(".json"), root, needs))
    return found


def withdraw(cache: str, identity_: str) -> None:
    """Forget that a workspace uses the cache."""
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(cache, FOLDER, f"{identity_}.json"))


def _names(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.endswith(".json")]
    except FileNotFoundError:
        return []
