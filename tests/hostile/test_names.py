"""Names that nobody expects: they come back byte for byte, or are refused by name, at once."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.support import inside
from tests.support.repo import PROGRAM, RepoBuilder

NAMES = (
    b" ",
    b" leading",
    b"trailing ",
    b"a  b",
    b"tab\there",
    b"new\nline",
    b"return\r",
    b"bell\x07",
    b"escape\x1b[31m",
    b"delete\x7f",
    b"-rf",
    b"--help",
    b"-",
    b"~",
    b"~root",
    b"$HOME",
    b"$(touch pwned)",
    b"`touch pwned`",
    b"; touch pwned",
    b"a&b|c>d<e",
    b"'single'",
    b'"double"',
    b"back\\slash",
    b"star*",
    b"what?",
    b"[abc]",
    b"{a,b}",
    b"#comment",
    b"!negated",
    b"%41",
    b"100%",
    b"a:b",
    b"@{u}",
    b"HEAD",
    b".hidden",
    b"...",
    b"dot.",
    b"CON",
    b"x" * 255,
    b"\xff\xfe",
    b"latin-\xe9",
    "ü".encode(),
    "u\u0308".encode(),
    "\u202egpj.exe".encode(),
    "\U0001f4be".encode(),
    "\u200b".encode(),
    "\ufeffmark".encode(),
    b"\xc2\x9b",
    b"\xed\xa0\x80",
    b"x.datavc",
)


def everything(folder: Path) -> dict[bytes, tuple[int, bytes]]:
    """Return what lies below a folder, by bytes of its name: mode, and bytes or target."""
    found = {}
    top = os.fsencode(folder)
    for base, folders, names in os.walk(top):
        for name in [*names, *folders]:
            path = os.path.join(base, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISREG(mode):
                with open(path, "rb") as stream:
                    content = stream.read()
            else:
                content = os.readlink(path) if stat.S_ISLNK(mode) else b""
            found[os.path.relpath(path, top)] = mode & 0o40170100, content
    return found


def round_trip(repo: RepoBuilder, folder: str) -> dict[bytes, tuple[int, bytes]]:
    """Push, clone, pull; return what then lies in the folder."""
    inside.run(repo.root, "remote", "add", "-d", "r", str(repo.root.parent / "remote"))
    repo.commit("data")
    pushed = inside.run(repo.root, "push")
    assert pushed.code == 0, pushed
    clone = repo.clone(repo.root.parent / "clone")
    inside.run(clone.root, "install")
    pulled = inside.run(clone.root, "pull")
    assert pulled.code == 0, pulled
    again = inside.run(clone.root, "status", "--json")
    assert '"deleted"' not in again.stdout
    return everything(clone.root / folder)


def test_awkward_names_come_back_byte_for_byte(repo: RepoBuilder):
    top = os.fsencode(repo.root / "d")
    os.mkdir(top)
    for number, name in enumerate(NAMES):
        with open(os.path.join(top, name), "wb") as stream:
            stream.write(b"%d" % number)
        os.makedirs(os.path.join(top, b"folders", name))
        with open(os.path.join(top, b"folders", name, name), "wb") as stream:
            stream.write(b"inside %d" % number)

    added = inside.run(repo.root, "add", "d")

    assert added.code == 0, added
    before = everything(repo.root / "d")
    assert len(before) == 3 * len(NAMES) + 1
    assert round_trip(repo, "d") == before
    assert not list(repo.root.parent.rglob("pwned"))


@pytest.mark.parametrize(
    "name", [n for n in NAMES if b"\n" not in n and n != b"x.datavc" and len(n) < 200], ids=repr
)
def test_an_output_with_an_awkward_name_is_tracked_and_ignored_by_git(
    repo: RepoBuilder, name: bytes
):
    text = os.fsdecode(name)
    with open(os.path.join(os.fsencode(repo.root), name), "wb") as stream:
        stream.write(b"data")

    added = inside.run(repo.root, "add", "--", text)

    assert added.code == 0, added
    asked = ["git", "ls-files", "-z", "-o", "--exclude-standard"]
    out = subprocess.run(asked, cwd=repo.root, env=repo.env, capture_output=True, check=True)
    listed = [os.fsdecode(found) for found in out.stdout.split(b"\0")]
    assert text not in listed
    assert f"{text}.datavc" in listed
    os.unlink(os.path.join(os.fsencode(repo.root), name))
    assert inside.run(repo.root, "checkout", "--", text).code == 0
    with open(os.path.join(os.fsencode(repo.root), name), "rb") as stream:
        assert stream.read() == b"data"


def test_empty_files_bits_and_folders_come_back(repo: RepoBuilder):
    repo.write("d/empty", "")
    repo.write("d/program", "#!/bin/sh\n").chmod(0o755)
    repo.write("d/plain", "x").chmod(0o600)
    for folder in ("nothing", "deep/er/nothing"):
        (repo.root / "d" / folder).mkdir(parents=True)
    (repo.root / "d/link").symlink_to("plain")
    (repo.root / "d/dangling").symlink_to("nix")
    (repo.root / "d/deep/up").symlink_to("../plain")
    (repo.root / "d/loop").symlink_to("loop")
    assert inside.run(repo.root, "add", "d").code == 0
    before = everything(repo.root / "d")

    assert round_trip(repo, "d") == before


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "link to /", "link out", "loop"])
def test_what_is_no_file_is_stored_as_it_is_or_refused_by_name_at_once(
    repo: RepoBuilder, kind: str
):
    repo.write("d/a", "x")
    odd = repo.root / "d" / "odd"
    if kind == "pipe":
        os.mkfifo(odd)
    elif kind == "socket":
        subprocess.run(
            ["python3", "-c", "import socket; socket.socket(socket.AF_UNIX).bind('odd')"],
            cwd=odd.parent,
            check=True,
        )
    elif kind == "device":
        os.mknod(odd, 0o20666, os.makedev(1, 5))
    else:
        odd.symlink_to({"link to /": "/", "link out": "../../out", "loop": "odd"}[kind])
    began = time.monotonic()

    done = inside.run(repo.root, "add", "d")
    looked = inside.run(repo.root, "status")

    assert time.monotonic() - began < 20
    assert looked.code == 0
    if kind == "loop":
        assert done.code == 0, done
        return
    assert done.code == 1, done
    assert "odd" in done.stderr
    assert not (repo.root / "d.datavc").exists()


@pytest.mark.parametrize(
    ("one", "other"), [("Name", "name"), ("\u00fc", "u\u0308"), ("ß", "SS"), ("\u212b", "\u00e5")]
)
def test_names_that_are_one_elsewhere_are_warned_of(repo: RepoBuilder, one: str, other: str):
    for name in (one, other, f"in/{one}/x", f"in/{other}/x"):
        repo.write(f"d/{name}", name)

    done = inside.run(repo.root, "add", "d")

    assert done.code == 0
    assert done.stderr.count("are one name on macOS and Windows") >= 2, done
    assert one.encode() in done.stderr.encode()


def test_two_outputs_that_are_one_elsewhere_are_warned_of(repo: RepoBuilder):
    for name in ("Data", "data"):
        repo.write(name, name)

    done = inside.run(repo.root, "add", "Data", "data")

    assert done.code in (0, 1)
    assert "one name on macOS and Windows" in done.stderr, done


def test_nothing_of_ours_can_be_written_by_others(repo: RepoBuilder, tmp_path: Path):
    """With a usual umask, after the commands that make all files there are."""
    repo.env |= {"XDG_DATA_HOME": str(tmp_path / "data"), "TMPDIR": str(tmp_path / "others")}
    (tmp_path / "others").mkdir()
    repo.write("d/a", "x")
    repo.start("sh", "-c", f"umask 022; {PROGRAM} add d; {PROGRAM} checkout; {PROGRAM} status")
    repo.run("remote", "add", "-d", "r", str(tmp_path / "remote"))
    repo.run("remote", "modify", "--local", "r", "jobs", "2")
    repo.run("push")

    ours = [*(repo.root / ".datavc").rglob("*"), *(tmp_path / "data").rglob("*")]
    assert ours
    for file in ours:
        mode = file.lstat().st_mode
        assert stat.S_ISLNK(mode) or not mode & 0o002, file
        assert b"\x80\x04\x95" not in (file.read_bytes()[:3] if file.is_file() else b""), file
    assert not any((tmp_path / "others").iterdir())
    consent = tmp_path / "data/datavc/consent.json"
    assert stat.S_IMODE(consent.stat().st_mode) == 0o600
    assert stat.S_IMODE(consent.parent.stat().st_mode) == 0o700
