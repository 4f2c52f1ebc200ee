"""What a new version adds to cache and remote: one file of many changed, in objects and bytes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from datavc.core.outputs import Pointer
from datavc.core.tree import FILE, TreeEntry
from datavc.formats import pointer
from datavc.store import trees
from datavc.store.local import LocalStore
from tests.support.repo import RepoBuilder

CHANGED = "blake3:6a9f75eec6464a34f0a7967471bc2b468914240a1bd29215340487264cb279e2"
"""The digest of the bytes `changed`."""

Held = dict[str, int]
"""Objects by digest, with their bytes."""


def held(folder: Path) -> Held:
    """Return the objects below a cache, or a remote in a folder."""
    found = {}
    for where, _, names in os.walk(folder / "objects"):
        for name in names:
            fan_out = Path(where).name
            found[f"blake3:{fan_out}{name}"] = os.path.getsize(Path(where, name))
    return found


def gained(before: Held, now: Held) -> Held:
    """Return what came; nothing may have gone, or be of another length."""
    assert before.items() <= now.items()
    return {digest: size for digest, size in now.items() if digest not in before}


class Versions:
    """A project with a directory `d` that was pushed, and what one change to it adds."""

    def __init__(self, repo: RepoBuilder, remote: Path) -> None:
        self._repo = repo
        self._cache = repo.root / ".datavc/cache"
        self._remote = remote
        repo.run("remote", "add", "-d", "store", str(remote))
        repo.run("push")

    def change(self, path: str, content: bytes) -> tuple[Held, Held]:
        """Change one file, add and push it; return what the cache and the remote gained."""
        cache, remote = held(self._cache), held(self._remote)
        self._repo.write(path, content)
        self._repo.run("add", path)
        added = gained(cache, held(self._cache))
        assert held(self._remote) == remote
        pushed = self._repo.run("push")
        assert pushed.stdout.startswith(f"{len(added)} objects pushed")
        return added, gained(remote, held(self._remote))

    def root(self) -> str:
        """Return the digest that the pointer of `d` names."""
        return pointer.parse(self._repo.read("d.datavc"), "d.datavc").digest

    def segments(self) -> dict[str, int]:
        """Return the digests of the directory's segments, with the entries of each."""
        store = LocalStore(str(self._cache), "blake3")
        return {part.digest: part.files for part in trees.segments(store, self.root())}


def by_hand(repo: RepoBuilder, entries: int) -> None:
    """Track a directory `d` of so many entries, of ten contents; none is in the workspace."""
    repo.write("d/any", "any")
    repo.run("add", "d")
    shutil.rmtree(repo.root / "d")
    with LocalStore(str(repo.root / ".datavc/cache"), "blake3").writer() as writer:
        contents = [writer.put_bytes(b"content %d" % number) for number in range(10)]
        chosen = ((f"{number:05}", contents[number % 10]) for number in range(entries))
        summary = trees.write(
            writer, (TreeEntry(path, one.digest, one.size, FILE) for path, one in chosen)
        )
    made = Pointer("d", "directory", summary.digest, summary.size, summary.files)
    (repo.root / "d.datavc").write_text(pointer.render(made))


def test_one_file_of_100_000_adds_its_bytes_one_segment_and_the_root(
    repo: RepoBuilder, tmp_path: Path
):
    by_hand(repo, 100_000)
    versions = Versions(repo, tmp_path / "remote")
    before = versions.segments()

    to_cache, to_remote = versions.change("d/50000", b"changed")

    [segment] = versions.segments().keys() - before.keys()
    assert len(versions.segments()) == len(before) == 20
    assert to_cache == {CHANGED: 7, versions.root(): 1_921, segment: 445_386}
    assert to_remote == to_cache


def test_one_file_of_3_000_real_ones_adds_its_bytes_one_segment_and_the_root(
    repo: RepoBuilder, tmp_path: Path
):
    for number in range(3_000):
        repo.write(f"d/{number:04}", f"content {number}")
    repo.run("add", "d")
    versions = Versions(repo, tmp_path / "remote")
    before = versions.segments()

    to_cache, to_remote = versions.change("d/1500", b"changed")

    [segment] = versions.segments().keys() - before.keys()
    assert to_cache.keys() == {CHANGED, segment, versions.root()}
    assert to_remote == to_cache
