"""What must hold after any fault, judged from outside: by files and hashes alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from blake3 import blake3

from datavc.formats import tree as codec

Files = Mapping[str, bytes]
"""Bytes by path."""


def name_of(content: bytes) -> str:
    """Return the digest that names these bytes."""
    return "blake3:" + blake3(content).hexdigest()


def objects(store: Path) -> dict[str, bytes]:
    """Return every object of a cache or a folder remote by its name."""
    found = {}
    base = store / "objects" / "blake3"
    for folder in base.iterdir() if base.is_dir() else ():
        for file in folder.iterdir():
            found[f"blake3:{folder.name}{file.name}"] = file.read_bytes()
    return found


def torn(store: Path) -> list[str]:
    """Return the objects whose bytes are not what their names say."""
    return [name for name, content in objects(store).items() if name_of(content) != name]


def lost(versions: Iterable[bytes], workspace: Files, store: Path) -> int:
    """Return how many of these contents are neither in the workspace nor in the cache."""
    kept = {name_of(content) for content in workspace.values()}
    kept |= {name for name, content in objects(store).items() if name_of(content) == name}
    return sum(name_of(content) not in kept for content in versions)


def dangling(root: Path, store: Path) -> list[str]:
    """Return what pointers of the work tree and their trees name that is not there."""
    have = objects(store)
    missing = []
    for pointer in root.rglob("*.datavc"):
        if not pointer.is_file():
            continue
        fields = dict(line.split(": ", 1) for line in pointer.read_text().splitlines())
        digest = fields["digest"]
        wanted = _named(digest, have) if fields["kind"] == "directory" else [digest]
        missing += [f"{pointer.name}: {name}" for name in wanted if name not in have]
    return missing


def recorded(pointer: Path, store: Path) -> dict[str, str]:
    """Return the digest of each file that a directory's pointer records, by path."""
    fields = dict(line.split(": ", 1) for line in pointer.read_text().splitlines())
    return dict(listed(fields["digest"], objects(store)))


def listed(tree: str, have: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Return path and content of each entry of a tree that is among these objects."""
    return [
        (entry.path, entry.content)
        for leaf in _leaves(tree, have)
        for entry in codec.decode_leaf(have[leaf], leaf)
    ]


def _leaves(digest: str, have: Mapping[str, bytes]) -> list[str]:
    data = have[digest]
    if codec.is_root(data):
        return [part.digest for part in codec.decode_root(data, digest)]
    return [digest]


def _named(digest: str, have: Mapping[str, bytes]) -> list[str]:
    if digest not in have:
        return [digest]
    found = [digest]
    for leaf in _leaves(digest, have):
        found.append(leaf)
        if leaf in have:
            entries = codec.decode_leaf(have[leaf], leaf)
            found += [entry.content for entry in entries if entry.digest is not None]
    return found


def leftovers(root: Path) -> list[str]:
    """Return temporary names that lie where the user sees them."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in {".git", ".datavc"}]
        here = Path(folder)
        found += [str(here / n) for n in names if n.startswith(".datavc-") or n.endswith(".tmp")]
    return found
