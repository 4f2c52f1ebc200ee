"""A stranger's repository, and the machine of the person who clones it.

The stranger commits what no honest tool would: forced files, links, hand-made pointers and trees.
The victim's machine has a folder `outside` that no command on the clone may read out or change.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from blake3 import blake3

from tests.support import inside
from tests.support.repo import Completed, RepoBuilder

SECRET = b"what nobody but the victim may have"
CLEAN = frozenset({0, 1, 2, 3, 4, 5, 6, 7})
"""Exit codes that are an answer: no bug (255), no signal."""
LEAF = b'["datavc tree",1]\n'


def digest_of(data: bytes) -> str:
    """Return the name of these bytes."""
    return f"blake3:{blake3(data).hexdigest()}"


def pointer(name: str, digest: str, kind: str = "file", **more: object) -> str:
    """Return the text of a pointer file, whatever it says."""
    extra = "".join(f"{key}: {value}\n" for key, value in more.items())
    return f"datavc: 1\npath: {name}\nkind: {kind}\ndigest: {digest}\n{extra}"


def put_object(store: Path, data: bytes, name: str = "") -> str:
    """Put bytes into a cache or a folder remote, under their own name or another; return it."""
    digest = name or digest_of(data)
    algorithm, _, text = digest.partition(":")
    file = store / "objects" / algorithm / text[:2] / text[2:]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return digest


class Machine:
    """Where the victim works: a folder of their own, and clones of what strangers made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outside = folder / "outside"
        (self.outside / "deep").mkdir(parents=True)
        for name in ("secret", "deep/diary", "objects"):
            (self.outside / name).write_bytes(SECRET)
        self._before = self._look()

    def _look(self) -> dict[str, tuple[bytes, int, int]]:
        found = {}
        for base, _, names in os.walk(self.outside):
            for name in names:
                file = Path(base, name)
                status = file.lstat()
                found[str(file)] = file.read_bytes(), status.st_ino, status.st_mtime_ns
            found[base] = b"", Path(base).lstat().st_ino, 0
        return found

    def check(self) -> None:
        """Fail the test if anything outside the clone was changed, added or taken away."""
        assert self._look() == self._before

    def stranger(self, name: str = "stranger") -> Stranger:
        """Return a fresh repository of somebody else's."""
        return Stranger(RepoBuilder(self.folder / name))


class Stranger:
    """A repository that is about to be cloned."""

    def __init__(self, repo: RepoBuilder) -> None:
        self.repo = repo
        self.root = repo.root
        repo.git("config", "core.hooksPath", "/dev/null")

    def write(self, path: str, content: bytes | str) -> None:
        """Write a file."""
        self.repo.write(path, content)

    def link(self, path: str, target: str | Path) -> None:
        """Put a symbolic link at `path`."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.symlink_to(target)

    def commit(self) -> None:
        """Commit all there is, ignored or not, but for what datavc itself keeps here."""
        self.repo.git("add", "--all")
        self.repo.git("commit", "--quiet", "--allow-empty", "--message", "look at this")

    def force(self, *paths: str) -> None:
        """Have Git track these paths though they are ignored, and commit."""
        self.repo.git("add", "--force", "--", *paths)
        self.commit()

    def clone(self, name: str = "clone") -> RepoBuilder:
        """Return the victim's clone, with hooks and with consent to the remotes it names."""
        return self.repo.clone(self.root.parent / name)


def attempt(repo: RepoBuilder, commands: Sequence[Sequence[str]]) -> list[Completed]:
    """Run commands that may be refused, and fail the test if one ends in a bug or a signal."""
    done = []
    for command in commands:
        finished = inside.run(repo.root, *command)
        assert finished.code in CLEAN, (command, finished)
        assert "Traceback" not in finished.stderr, (command, finished)
        done.append(finished)
    return done


EVERYTHING: Sequence[Sequence[str]] = (
    ("status",),
    ("checkout",),
    ("checkout", "--force"),
    ("fetch",),
    ("pull",),
    ("pull", "--force"),
    ("push",),
    ("commit", "--force"),
    ("fsck",),
    ("gc", "--workspace", "--force"),
    ("undo",),
    ("doctor", "--fix"),
)
"""What a person does with a clone, the reckless ones too."""
