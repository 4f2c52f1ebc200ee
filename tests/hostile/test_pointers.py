"""Pointer files that a stranger wrote: they name nothing outside, and run nothing."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from tests.support import inside
from tests.support.repo import RepoBuilder
from tests.support.stranger import (
    EVERYTHING,
    SECRET,
    Machine,
    Stranger,
    attempt,
    digest_of,
    pointer,
    put_object,
)

BAIT = b"#!/bin/sh\ntouch pwned\n"

PATHS = (
    "../outside/secret",
    "../../outside/secret",
    "/tmp/owned-by-a-stranger",
    ".git/hooks/post-checkout",
    ".git",
    ".GIT",
    "git~1",
    ".git.",
    '".git "',
    ".datavc",
    "sub/../../x",
    "a/b",
    ".",
    "..",
    '""',
    '"a\\u0000b"',
    '"a\\u002fb"',
    "..\\x",
    "C:\\\\x",
    '"\\ud800"',
    "x" * 256,
    "[a]",
    "{a: b}",
    "1",
    "~",
    "true",
)


@pytest.fixture
def remote(machine: Machine, stranger: Stranger) -> Path:
    """Return the folder remote of the stranger's project, with bait in it; the victim agreed."""
    folder = machine.folder / "remote"
    put_object(folder, BAIT)
    put_object(stranger.root / ".datavc/cache", BAIT)
    inside.run(stranger.root, "remote", "add", "-d", "r", str(folder))
    return folder


@pytest.mark.parametrize("path", PATHS)
def test_a_hostile_output_path_writes_nothing(
    machine: Machine, stranger: Stranger, remote: Path, path: str
):
    stranger.write("x.datavc", pointer(path, digest_of(BAIT)))
    hooks = sorted(os.listdir(stranger.root / ".git/hooks"))

    done = attempt(stranger.repo, [("pull",), ("checkout", "--force"), ("status",), ("pull", "x")])

    assert all("x.datavc: line 2" in one.stderr for one in done)
    assert [one.code for one in done] == [3, 3, 0, 1]
    assert sorted(os.listdir(stranger.root / ".git/hooks")) == hooks
    assert not os.path.lexists("/tmp/owned-by-a-stranger")
    here = {".git", ".datavc", ".datavcignore", ".gitattributes", "x.datavc"}
    assert set(os.listdir(stranger.root)) == here


@pytest.mark.parametrize(
    "digest",
    [
        "../../outside/secret",
        "blake3:../../../../outside/secret",
        f"blake3:{'../' * 21}x",
        f"blake3:{'/' * 64}",
        f"blake3:{'A' * 64}",
        f"blake3:{'0' * 63}",
        f"blake3:{'0' * 65}",
        f"BLAKE3:{'0' * 64}",
        f"sha1:{'0' * 40}",
        f'"blake3:{"0" * 64}\\n"',
        f'"blake3:{"0" * 63}\\u0661"',
        "md5:" + "0" * 64,
        "0" * 64,
        "[]",
        "7",
    ],
)
def test_a_digest_that_is_a_path_is_refused_and_nothing_is_read_or_sent(
    machine: Machine, stranger: Stranger, remote: Path, digest: str
):
    for kind in ("file", "directory"):
        stranger.write(f"{kind}.datavc", pointer(kind, digest, kind))
    sent = sorted(remote.rglob("*"))

    done = attempt(stranger.repo, [*EVERYTHING, ("push", "file"), ("cat", "file")])

    assert "file.datavc: line 4: digest is not a digest" in done[0].stderr
    assert all(one.code != 0 for one in done[-2:])
    assert sorted(remote.rglob("*")) == sent
    assert SECRET.decode() not in "".join(one.stdout + one.stderr for one in done)


LED = (b"deep/diary", b"secret")
"""What a list of files names, so that links of the clone lead it to the victim's own."""


@pytest.mark.parametrize("what", ["parent", "output", "inside", "pointer", "ignore", "attributes"])
def test_links_of_a_clone_lead_no_write_outside(
    machine: Machine, stranger: Stranger, remote: Path, what: str
):
    rows = [b'["%s","%s",%d,0]\n' % (path, digest_of(BAIT).encode(), len(BAIT)) for path in LED]
    tree = b'["datavc tree",1]\n' + b"".join(rows)
    digest = put_object(remote, tree)
    stranger.write("d.datavc", pointer("d", digest, "directory"))
    if what == "parent":
        stranger.write("sub/secret.datavc", pointer("secret", digest_of(BAIT)))
        stranger.commit()
        (stranger.root / "sub/secret.datavc").unlink()
        (stranger.root / "sub").rmdir()
        stranger.link("sub", machine.outside)
    elif what == "output":
        stranger.link("d", machine.outside)
    elif what == "inside":
        stranger.link("d/deep", machine.outside / "deep")
        stranger.link("d/secret", machine.outside / "secret")
    elif what == "pointer":
        stranger.link("e.datavc", machine.outside / "secret")
    elif what == "ignore":
        stranger.link(".gitignore", machine.outside / "secret")
        stranger.link(".datavcignore", machine.outside / "secret")
    else:
        stranger.link(".gitattributes", machine.outside / "secret")

    commands = [*EVERYTHING, ("add", "d"), ("add", "sub/secret"), ("remove", "d"), ("install",)]
    done = attempt(stranger.repo, commands)

    assert SECRET.decode() not in "".join(one.stdout + one.stderr for one in done)
    for file in remote.rglob("*"):
        assert not file.is_file() or file.read_bytes() != SECRET


def test_a_pointer_that_a_link_replaced_is_no_reason_to_look_outside(
    machine: Machine, stranger: Stranger, remote: Path
):
    """First there is data in a folder; then the folder is a link, and nobody tracks the data."""
    stranger.write("sub/secret", BAIT)
    assert inside.run(stranger.root, "add", "sub/secret").code == 0
    stranger.commit()
    stranger.repo.git("rm", "-q", "-r", "--cached", "sub")
    stranger.repo.start("rm", "-rf", "sub")
    stranger.link("sub", machine.outside)
    stranger.commit()

    done = attempt(stranger.repo, EVERYTHING)

    assert done[1].code == 0


@pytest.mark.parametrize(
    "text",
    [
        "datavc: 1\npath: x\nkind: file\ndigest: !!python/object/apply:os.system [touch pwned]\n",
        "datavc: 1\npath: !!python/name:os.system\nkind: file\ndigest: x\n",
        "datavc: 1\npath: x\nkind: file\ndigest: D\nmeta: !!python/object/new:os.system [pwd]\n",
        "datavc: 1\npath: x\nkind: file\ndigest: D\nmeta: {a: !!binary aGk=}\n",
        "datavc: 1\npath: ${PWNED}\nkind: file\ndigest: ${{ os.system('touch pwned') }}\n",
        "datavc: 1\npath: $(touch pwned)\nkind: file\ndigest: `touch pwned`\n",
        "datavc: 1\npath: '{{ cycler.__init__.__globals__ }}'\nkind: file\ndigest: x\n",
    ],
)
def test_code_in_a_pointer_is_text_or_an_error(stranger: Stranger, remote: Path, text: str):
    stranger.write("x.datavc", text.replace("D", digest_of(BAIT)))

    attempt(stranger.repo, EVERYTHING)

    assert not list(Path(stranger.root).rglob("pwned"))
    assert not os.path.exists("pwned")


BOMBS = {
    "aliases": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
    ),
    "merge keys": "a: &a {x: 1}\nb:\n  <<: *a\n",
    "lists": "datavc: 1\nmeta: " + "[" * 100_000,
    "lists closed": "datavc: 1\nmeta: " + "[" * 50_000 + "]" * 50_000 + "\n",
    "maps": "datavc: 1\nmeta: " + "{a: " * 100_000,
    "JSON maps": 'meta: {"a":' * 1 + '{"a":' * 100_000,
    "block lists": "meta:\n  " + "- " * 100_000 + "x\n",
    "block maps": "meta:\n" + "".join(" " * n + "a:\n" for n in range(1, 1000)),
    "brackets in text": "desc: " + "'" + "[" * 500_000 + "'\n",
    "open quote": 'desc: "' + "\\" * 900_000,
    "open quote, many lines": 'desc: "' + "a\n " * 300_000,
    "comments": "datavc: 1\n" + "#\n" * 500_000,
    "blank lines": "datavc:\n" + "\n" * 1_000_000,
    "one long line": "datavc: " + "a " * 500_000,
    "many keys": "".join(f"k{n}: {n}\n" for n in range(80_000)),
    "many documents": "---\n" * 200_000,
    "digits": "datavc: " + "9" * 1_000_000,
    "exponent": "datavc: 1e999999999\n",
    "too large": "#" * (2 << 20),
    "block scalar": "desc: |\n" + "  x\n" * 200_000,
    "tags": "meta: " + "!!a " * 200_000,
    "anchors": "meta: " + "&a " * 200_000,
    "spaces": "datavc" + " " * 1_000_000 + ": 1\n",
    "tabs": "datavc:" + "\t" * 1_000_000 + "1\n",
    "colons": "datavc: " + ":" * 1_000_000 + "\n",
    "dashes": "datavc: " + "-" * 1_000_000 + "\n",
    "percent": "%" * 1_000_000,
    "question": "? " * 300_000,
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_in_a_pointer_is_refused_at_once(repo: RepoBuilder, kind: str):
    repo.write("x.datavc", BOMBS[kind])
    began = time.monotonic()

    done = inside.run(repo.root, "checkout", "x")

    assert time.monotonic() - began < 10
    assert done.code == 1, done
    assert "x.datavc" in done.stderr


def test_bombs_take_little_memory(repo: RepoBuilder):
    """Measured in a process of its own: the most that any of them makes it take.

    Not by getrusage, whose figure begins with that of the process that started this one.
    """
    for number, kind in enumerate(BOMBS):
        repo.write(f"x{number}.datavc", BOMBS[kind])
    program = (
        "from datavc.cli.main import main\n"
        "try:\n    main(['status'])\nfinally:\n"
        "    lines = open('/proc/self/status').read().splitlines()\n"
        "    print(next(line.split()[1] for line in lines if line.startswith('VmHWM')))\n"
    )
    done = repo.start(sys.executable, "-c", program, check=False)

    assert int(done.stdout.split()[-1]) < 200 << 10
    assert "Traceback" not in done.stderr
    assert done.stderr.count("was passed over") == len(BOMBS)


def test_a_folder_that_poses_as_a_repository_is_not_asked(machine: Machine, stranger: Stranger):
    """Git takes a folder with HEAD, objects and refs for a repository, settings and all."""
    pwned = machine.folder / "pwned"
    evil = "evil"
    stranger.repo.git("init", "-q", "--bare", evil)
    touch = f"touch {pwned}"
    stranger.write(
        f"{evil}/config",
        "[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\n"
        f'fsmonitor = "{touch}"\nsshCommand = {touch}\npager = {touch}\n'
        f'[filter "evil"]\nclean = "{touch}"\nprocess = {touch}\n[diff]\nexternal = {touch}\n',
    )
    stranger.write(f"{evil}/.gitattributes", "*.datavc filter=evil diff=evil\n")
    stranger.write(f"{evil}/.datavc/config.toml", "")
    stranger.write(f"{evil}/x.datavc", pointer("x", digest_of(BAIT)))
    stranger.write(f"{evil}/objects/keep", "")
    stranger.write(f"{evil}/refs/keep", "")
    stranger.force(evil)
    clone = stranger.clone()
    here = RepoBuilder(clone.root / evil, init=False)

    done = attempt(here, [*EVERYTHING, ("add", "config"), ("install",), ("diff",), ("list", "-R")])

    assert not pwned.exists()
    assert all(one.code == 1 for one in done if "ok  " not in one.stdout), done
    assert "bare repository" in done[0].stderr


def test_what_a_clone_says_of_merging_runs_nothing(machine: Machine, stranger: Stranger):
    pwned = machine.folder / "pwned"
    stranger.write(".gitattributes", "*.datavc merge=evil filter=evil diff=evil\n* merge=datavc\n")
    stranger.write(".gitconfig", f'[merge "evil"]\ndriver = touch {pwned}\n')
    stranger.write("$(touch pwned).datavc", pointer("x", digest_of(BAIT)))
    stranger.write("-oProxyCommand=touch pwned.datavc", pointer("y", digest_of(BAIT)))
    stranger.commit()
    clone = stranger.clone()
    assert inside.run(clone.root, "install").code == 0
    clone.git("checkout", "-q", "-b", "side")
    for branch, text in (("side", "one"), ("main", "two")):
        clone.git("checkout", "-q", branch)
        for name in ("$(touch pwned)", "-oProxyCommand=touch pwned"):
            clone.write(f"{name}.datavc", pointer("x", digest_of(text.encode())))
        clone.write("x.datavc", "not a pointer " + text)
        clone.commit(text)

    clone.git("merge", "-q", "side", check=False)
    attempt(clone, EVERYTHING)

    assert not pwned.exists()
    assert not list(clone.root.rglob("pwned"))
