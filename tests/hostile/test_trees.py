"""Lists of files that a stranger made: nothing lands outside the directory that they list."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from datavc.core.tree import begins_segment
from datavc.verbs import fetch
from tests.support import inside
from tests.support.repo import RepoBuilder
from tests.support.stranger import (
    EVERYTHING,
    LEAF,
    SECRET,
    Machine,
    Stranger,
    attempt,
    digest_of,
    pointer,
    put_object,
)

BAIT = b"written by a stranger"
ROOT = b'["datavc tree root",1]\n'


def row(
    path: object, content: str | None = None, size: object = len(BAIT), flags: object = 0
) -> bytes:
    found = [path, digest_of(BAIT) if content is None else content, size, flags]
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def leaf(*rows: bytes) -> bytes:
    return LEAF + b"".join(rows)


def link(path: str, target: str) -> bytes:
    return row(path, target, 0, 2)


def wide(path: bytes) -> list[str]:
    return [base64.b64encode(path).decode()]


HOSTILE = {
    "up": leaf(row("../outside/secret")),
    "up inside": leaf(row("a/../../outside/secret")),
    "up in base64": leaf(row(wide(b"../outside/secret\xff"))),
    "plain in base64": leaf(row(wide(b"../outside/secret"))),
    "absolute": leaf(row("/tmp/owned-by-a-stranger")),
    "git hook": leaf(row(".git/hooks/post-checkout", flags=1)),
    "git elsewhere": leaf(row("a/.git/config")),
    "GIT": leaf(row(".GIT/config")),
    "git with a dot": leaf(row(".git./config")),
    "git with a stream": leaf(row(".git::$INDEX_ALLOCATION/config")),
    "git short name": leaf(row("git~1/config")),
    "git with an ignorable": leaf(row(".g\u200cit/config")),
    "own folder": leaf(row(".datavc/config.toml")),
    "dot": leaf(row("./a")),
    "empty": leaf(row("")),
    "double slash": leaf(row("a//b")),
    "trailing slash": leaf(row("a/")),
    "NUL": leaf(row("a\0b")),
    "backslash": leaf(row("..\\outside")),
    "drive": leaf(row("C:\\x")),
    "long name": leaf(row("x" * 256)),
    "long path": leaf(row("/".join(["x" * 200] * 30))),
    "twice": leaf(row("a"), row("a")),
    "unsorted": leaf(row("b"), row("a")),
    "file and folder": leaf(row("a"), row("a/b")),
    "link and folder": leaf(link("a", "b"), row("a/x")),
    "link out": leaf(link("a", "../../outside")),
    "link absolute": leaf(link("a", "/etc/passwd")),
    "link through link": leaf(link("a", "."), link("b", "a/../../outside")),
    "link into git": leaf(link("a", ".git/hooks")),
    "link to nothing": leaf(link("a", "")),
    "digest is a path": leaf(row("a", "blake3:../../../outside/secret")),
    "digest with a path": leaf(row("a", "../../../../outside/secret")),
    "digest with a newline": leaf(row("a", digest_of(BAIT) + "\n")),
    "digest in capitals": leaf(row("a", digest_of(BAIT).upper())),
    "unknown algorithm": leaf(row("a", "crc32:" + "0" * 8)),
    "flags": leaf(row("a", flags=8)),
    "flags negative": leaf(row("a", flags=-1)),
    "flags text": leaf(row("a", flags="0")),
    "size huge": leaf(row("a", size=1 << 63)),
    "size beyond": leaf(row("a", size=1 << 200)),
    "size negative": leaf(row("a", size=-1)),
    "size text": leaf(row("a", size="1")),
    "empty folder with content": leaf(row("a", "x", 0, 4)),
    "no lines": b"",
    "no header": row("a"),
    "newer": b'["datavc tree",2]\n' + row("a"),
    "newest": b'["datavc tree",99999999999999999999]\n' + row("a"),
    "cut": leaf(row("a"))[:-9],
    "no end": leaf(row("a"))[:-1],
    "spaces": leaf(row("a").replace(b",", b", ")),
    "escapes": leaf(b'["\\u0061",' + row("a")[5:]),
    "object": leaf(b'{"path": "../x"}\n'),
    "deep": LEAF + b"[" * 100_000 + b"\n",
    "deep base64": leaf(b"[" + b"[" * 5000 + b'"a"' + b"]" * 5000 + b',"x",0,0]\n'),
    "not text": leaf(b'["\xff\xfe","x",0,0]\n'),
    "root of one": ROOT + row("a", size=1, flags=1),
    "root of itself": ROOT + row("a", size=1, flags=1) + row("b", size=1, flags=1),
    "root up": ROOT + row("../a", size=1, flags=1) + row("b", size=1, flags=1),
    "data": BAIT,
}


@pytest.fixture
def victim(machine: Machine, stranger: Stranger) -> Iterator[RepoBuilder]:
    """Return a project whose remote is a folder that a stranger can write to."""
    repo = stranger.repo
    remote = machine.folder / "remote"
    put_object(remote, BAIT)
    inside.run(repo.root, "remote", "add", "-d", "r", str(remote))
    hooks = sorted(os.listdir(repo.root / ".git/hooks"))
    yield repo
    assert sorted(os.listdir(repo.root / ".git/hooks")) == hooks
    assert not os.path.lexists("/tmp/owned-by-a-stranger")
    allowed = {".git", ".datavc", ".datavcignore", ".gitattributes", ".gitignore", "d", "d.datavc"}
    assert set(os.listdir(repo.root)) <= allowed
    assert [
        file
        for file in repo.root.rglob("*")
        if file.is_symlink() and not file.resolve().is_relative_to(repo.root / "d")
    ] == []


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_list_on_a_remote_writes_nothing_outside(
    machine: Machine, victim: RepoBuilder, kind: str
):
    digest = put_object(machine.folder / "remote", HOSTILE[kind])
    victim.write("d.datavc", pointer("d", digest, "directory"))

    done = attempt(victim, [("pull",), ("checkout", "--force"), ("push",), ("fsck",)])

    assert done[0].code in (1, 3, 4), done[0]
    assert not (victim.root / "d").exists() or not os.listdir(victim.root / "d")
    assert "d" in done[0].stderr


@pytest.mark.parametrize("kind", ["up", "git hook", "absolute", "link out", "file and folder"])
def test_a_hostile_list_in_the_cache_harms_no_command(
    machine: Machine, victim: RepoBuilder, kind: str
):
    digest = put_object(victim.root / ".datavc/cache", HOSTILE[kind])
    put_object(victim.root / ".datavc/cache", BAIT)
    victim.write("d.datavc", pointer("d", digest, "directory"))
    victim.write("d/own", "the victim's")

    done = attempt(victim, [*EVERYTHING, ("add", "d"), ("diff",), ("list", "-R"), ("du",)])

    assert done[1].code != 0
    assert victim.read("d/own") == b"the victim's"


def test_a_file_and_a_folder_of_one_name_in_two_segments_are_refused(
    machine: Machine, victim: RepoBuilder
):
    """Each segment is right in itself; together they would lead a write through a link."""
    border = next(f"a/{n:05}" for n in range(99_999) if begins_segment(f"a/{n:05}"))
    one, two = leaf(link("a", "b")), leaf(row(border))
    remote = machine.folder / "remote"
    root = ROOT + b"".join(
        json.dumps(line, separators=(",", ":")).encode() + b"\n"
        for line in (
            ["a", put_object(remote, one), 1, 0],
            [border, put_object(remote, two), 1, len(BAIT)],
        )
    )
    digest = put_object(remote, root)
    victim.write("d.datavc", pointer("d", digest, "directory"))

    done = attempt(victim, [("pull",), ("checkout",), ("checkout", "--force")])

    assert all(one.code != 0 for one in done), done
    assert all("both a file and a folder" in one.stderr for one in done), done
    assert not (victim.root / "d/a").is_symlink()


def test_a_list_of_files_without_end_fills_no_disk(
    machine: Machine, victim: RepoBuilder, monkeypatch: pytest.MonkeyPatch
):
    """What a list may weigh is known before it comes, unlike what the server says it weighs."""
    monkeypatch.setattr(fetch, "WHOLE_LIMIT", 1 << 20)
    digest = put_object(machine.folder / "remote", LEAF + b"x" * (2 << 20))
    victim.write("d.datavc", pointer("d", digest, "directory"))

    done = inside.run(victim.root, "pull")

    assert done.code == 4
    assert "more than the" in done.stderr
    assert not list((victim.root / ".datavc/cache/objects").rglob("*" + digest[-20:]))


def test_an_object_larger_than_its_pointer_says_is_refused(machine: Machine, victim: RepoBuilder):
    bomb = b"\0" * (9 << 20)
    digest = put_object(machine.folder / "remote", bomb)
    victim.write("d.datavc", pointer("d", digest, size=10))

    done = inside.run(victim.root, "pull")

    assert done.code == 4
    assert "more than the 10 bytes" in done.stderr
    assert not (victim.root / "d").exists()


def test_what_stands_in_an_objects_place_on_a_folder_remote_is_not_followed(
    machine: Machine, victim: RepoBuilder
):
    names = {}
    for kind in ("link", "pipe", "folder", "device"):
        data = f"{kind}".encode()
        digest = digest_of(data if kind != "link" else SECRET)
        names[kind] = digest
        place = machine.folder / "remote/objects/blake3" / digest[7:9] / digest[9:]
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind == "link":
            place.symlink_to(machine.outside / "secret")
        elif kind == "pipe":
            os.mkfifo(place)
        elif kind == "folder":
            place.mkdir()
        else:
            place.symlink_to("/dev/zero")
    for kind, digest in names.items():
        (victim.root / "d.datavc").unlink(missing_ok=True)
        victim.write("d.datavc", pointer("d", digest))

        done = inside.run(victim.root, "pull")

        assert done.code in (4, 6), (kind, done)
        assert not Path(victim.root, "d").exists(), kind
