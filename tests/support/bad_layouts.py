"""Bad input: a case lays something out, runs one command, says what its errors must hold."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.support import inside
from tests.support.repo import RepoBuilder
from tests.support.stranger import digest_of, pointer, put_object

ZERO = "blake3:" + "0" * 64


class Case(NamedTuple):
    """What is laid out, the command, its exit code, and what its errors must name and advise."""

    name: str
    lay: Callable[[RepoBuilder], object]
    command: tuple[str, ...]
    code: int
    names: str
    advises: str = "Hint: "


def nothing(_: RepoBuilder) -> None:
    return None


def wrote(path: str, content: bytes | str = "data") -> Callable[[RepoBuilder], object]:
    return lambda repo: repo.write(path, content)


def tracked(repo: RepoBuilder) -> None:
    """Track a directory `d` and a file `f`, and commit."""
    repo.write("d/a", "one")
    repo.write("d/b/c", "two")
    repo.write("f", "three")
    repo.run("add", "-q", "d", "f")
    repo.commit("data")


def after(*steps: Callable[[RepoBuilder], object]) -> Callable[[RepoBuilder], None]:
    def lay(repo: RepoBuilder) -> None:
        for step in steps:
            step(repo)

    return lay


def in_git(repo: RepoBuilder) -> None:
    repo.write("code/x", "source")
    repo.commit("code")


def sent(repo: RepoBuilder) -> None:
    """Give the project a folder remote that has everything, and take the cache away."""
    tracked(repo)
    repo.run("remote", "add", "-q", "-d", "r", str(repo.root.parent / "remote"), check=False)
    inside.run(repo.root, "remote", "add", "-d", "r", str(repo.root.parent / "remote"))
    assert inside.run(repo.root, "push").code == 0
    shutil.rmtree(repo.root / ".datavc/cache")


def object_file(store: Path, data: bytes) -> Path:
    text = digest_of(data).partition(":")[2]
    return store / "objects/blake3" / text[:2] / text[2:]


def damaged(folder: str, content: bytes | None) -> Callable[[RepoBuilder], None]:
    """Give the object of `f` other bytes, or (None) none."""

    def lay(repo: RepoBuilder) -> None:
        file = object_file((repo.root / folder).resolve(), b"three")
        file.chmod(0o644)
        file.unlink()
        if content is not None:
            file.write_bytes(content)
        if folder == ".datavc/cache":
            (repo.root / "f").unlink()

    return lay


def listener(repo: RepoBuilder) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(repo.root)
        made.bind("socket")
        os.chdir(here)


def s3(option: str, value: str) -> Callable[[RepoBuilder], None]:
    def lay(repo: RepoBuilder) -> None:
        tracked(repo)
        config = repo.root / ".datavc/config.local.toml"
        config.write_text(
            '[core]\nremote = "r"\n[remote.r]\nurl = "s3://bucket/x"\nretries = 0\n'
            f'access_key_id = "a"\nsecret_access_key = "b"\n{option} = "{value}"\n'
        )

    return lay


def tree_of(data: bytes) -> Callable[[RepoBuilder], None]:
    def lay(repo: RepoBuilder) -> None:
        digest = put_object(repo.root / ".datavc/cache", data)
        repo.write("t.datavc", pointer("t", digest, "directory"))

    return lay


MARKERS = "<<<<<<< ours\ndigest: a\n=======\ndigest: b\n>>>>>>> theirs\n"
P = pointer("x", ZERO)
