"""Bad input, case by case: one sentence that names it, the way out, the right exit code.

Each case lays something out and runs one command; nothing in the repository may change by it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support import inside
from tests.support.bad_layouts import (
    MARKERS,
    ZERO,
    Case,
    P,
    after,
    damaged,
    in_git,
    listener,
    nothing,
    s3,
    sent,
    tracked,
    tree_of,
    wrote,
)
from tests.support.repo import RepoBuilder
from tests.support.stranger import LEAF, pointer

CASES = (
    Case("path missing", nothing, ("add", "nix"), 1, "nix"),
    Case("path missing in a tracked directory", tracked, ("add", "d/nix"), 1, "d/nix"),
    Case("path outside", nothing, ("add", "../outside"), 1, "../outside"),
    Case("path outside, absolute", nothing, ("add", "/etc/passwd"), 1, "/etc/passwd"),
    Case("path in .git", nothing, ("add", ".git/config"), 1, ".git/config", ""),
    Case("path in .datavc", nothing, ("add", ".datavc/config.toml"), 1, ".datavc", ""),
    Case("the project itself", nothing, ("add", "."), 1, "the project itself"),
    Case("tracked by Git", in_git, ("add", "code"), 1, "code/x", "git rm -r --cached code"),
    Case("inside another output", tracked, ("add", "f/x"), 1, "f/x", ""),
    Case(
        "around another output",
        after(tracked, wrote("out/in"), lambda repo: repo.run("add", "-q", "out/in")),
        ("add", "out"),
        1,
        "out/in",
        "datavc remove out/in",
    ),
    Case("two that overlap", wrote("p/q/r"), ("add", "p", "p/q"), 2, "p/q"),
    Case(
        "ignored",
        after(wrote(".datavcignore", "*.log\n"), wrote("x.log")),
        ("add", "x.log"),
        1,
        ".datavcignore:1: *.log",
    ),
    Case("line break in a name", wrote("a\nb"), ("add", "a\nb"), 1, "line break"),
    Case("pointer's suffix", wrote("x.datavc/y"), ("add", "x.datavc"), 1, "x.datavc", ""),
    Case(
        "link as a target",
        after(wrote("real"), lambda repo: (repo.root / "ln").symlink_to("real")),
        ("add", "ln"),
        1,
        "ln is a symbolic link",
        "real",
    ),
    Case(
        "link out of the tree",
        after(wrote("t/x"), lambda repo: (repo.root / "t/ln").symlink_to("../../out")),
        ("add", "t"),
        1,
        "ln",
        "",
    ),
    Case(
        "absolute link in the tree",
        after(wrote("t/x"), lambda repo: (repo.root / "t/ln").symlink_to("/etc/passwd")),
        ("add", "t"),
        1,
        "ln",
        "",
    ),
    Case(
        "pipe as a target",
        lambda repo: os.mkfifo(repo.root / "pipe"),
        ("add", "pipe"),
        1,
        "pipe",
        "",
    ),
    Case(
        "pipe in a directory",
        after(wrote("t/x"), lambda repo: os.mkfifo(repo.root / "t/pipe")),
        ("add", "t"),
        1,
        "t/pipe",
        "",
    ),
    Case("socket", listener, ("add", "socket"), 1, "socket", ""),
    Case(
        "device",
        after(
            wrote("t/x"), lambda repo: os.mknod(repo.root / "t/null", 0o20666, os.makedev(1, 3))
        ),
        ("add", "t"),
        1,
        "t/null",
        "",
    ),
    Case(
        "repository inside",
        after(wrote("t/x"), lambda repo: repo.git("init", "-q", "t/inner")),
        ("add", "t"),
        1,
        ".git",
        "",
    ),
    Case("pointer empty", wrote("x.datavc", ""), ("checkout", "x"), 1, "x.datavc"),
    Case("pointer not YAML", wrote("x.datavc", "{]"), ("checkout", "x"), 1, "x.datavc: line 1"),
    Case("pointer binary", wrote("x.datavc", b"\xff\0"), ("checkout", "x"), 1, "x.datavc"),
    Case(
        "pointer of a newer format",
        wrote("x.datavc", P.replace("datavc: 1", "datavc: 2")),
        ("checkout", "x"),
        1,
        "newer datavc (format 2)",
        "update datavc",
    ),
    Case(
        "pointer with an unknown digest",
        wrote("x.datavc", P.replace("blake3", "crc")),
        ("checkout", "x"),
        1,
        "x.datavc: line 4: digest",
    ),
    Case(
        "pointer with ..",
        wrote("x.datavc", pointer("../x", ZERO)),
        ("checkout", "x"),
        1,
        "x.datavc: line 2: path",
    ),
    Case(
        "pointer with an absolute path",
        wrote("x.datavc", pointer("/x", ZERO)),
        ("checkout", "x"),
        1,
        "x.datavc: line 2: path",
    ),
    Case(
        "pointer with a key twice",
        wrote("x.datavc", P + "path: y\n"),
        ("checkout", "x"),
        1,
        "x.datavc: line 5: path stands here twice",
    ),
    Case("pointer without a key", wrote("x.datavc", "datavc: 1\n"), ("checkout", "x"), 1, "path"),
    Case(
        "pointer with markers",
        wrote("x.datavc", P + MARKERS),
        ("checkout", "x"),
        1,
        "x.datavc: line 5: has a merge conflict",
        "git checkout --ours",
    ),
    *(
        Case(
            f"markers, {command} of everything",
            after(tracked if command == "checkout" else sent, wrote("f.datavc", P + MARKERS)),
            (command,),
            3,
            "f.datavc: line 5: has a merge conflict",
            "git checkout --ours",
        )
        for command in ("push", "checkout")
    ),
    Case(
        "markers, status",
        after(tracked, wrote("f.datavc", P + MARKERS)),
        ("status", "--exit-code"),
        7,
        "f.datavc: line 5: has a merge conflict",
        "git checkout --ours",
    ),
    Case(
        "markers, add",
        after(tracked, wrote("f.datavc", P + MARKERS)),
        ("add", "f"),
        1,
        "f.datavc: line 5",
        "git checkout --ours",
    ),
    Case(
        "markers, push of it",
        after(sent, wrote("f.datavc", P + MARKERS)),
        ("push", "f"),
        1,
        "f.datavc: line 5",
        "git checkout --ours",
    ),
    Case(
        "pointer is a folder",
        lambda repo: (repo.root / "x.datavc").mkdir(),
        ("checkout", "x"),
        1,
        "x",
    ),
    Case(
        "two claim a path",
        after(tracked, wrote("other.datavc", pointer("f", ZERO))),
        ("checkout", "other.datavc"),
        1,
        "other.datavc",
        "remove one of the two",
    ),
    Case(
        "pointer inside a tracked directory",
        after(tracked, wrote("d/x.datavc", P), lambda repo: repo.git("add", "-f", "d/x.datavc")),
        ("checkout", "d/x.datavc"),
        1,
        "d/x.datavc",
        "remove one of the two",
    ),
    Case("tree that is data", tree_of(b"data"), ("checkout", "t"), 3, "not a tree", ""),
    Case(
        "tree with ..",
        tree_of(LEAF + b'["../x","%s",1,0]\n' % ZERO.encode()),
        ("checkout", "t"),
        3,
        "line 2: unsafe path",
        "",
    ),
    Case(
        "tree of a newer format",
        tree_of(b'["datavc tree",2]\n'),
        ("checkout", "t"),
        3,
        "newer datavc",
        "",
    ),
    Case(
        "object missing in the cache",
        after(tracked, damaged(".datavc/cache", None)),
        ("checkout", "f"),
        4,
        "f",
        "datavc pull",
    ),
    Case(
        "object cut in the cache",
        after(tracked, damaged(".datavc/cache", b"th")),
        ("checkout", "f"),
        4,
        "f",
        "datavc pull",
    ),
    Case(
        "object wrong in the cache",
        after(tracked, damaged(".datavc/cache", b"thrxx")),
        ("checkout", "f"),
        4,
        "f",
        "datavc pull",
    ),
    Case(
        "object missing on the remote",
        after(sent, damaged("../remote", None)),
        ("fetch",),
        4,
        "f",
        "",
    ),
    Case(
        "object cut on the remote",
        after(sent, damaged("../remote", b"th")),
        ("fetch",),
        4,
        "f",
        "",
    ),
    Case(
        "object wrong on the remote",
        after(sent, damaged("../remote", b"thrxx")),
        ("fetch",),
        4,
        "f",
        "",
    ),
    Case("no remote", tracked, ("push",), 1, "no remote", "datavc remote add"),
    Case("unknown remote", sent, ("push", "-r", "s"), 1, "'s'", "did you mean `r`"),
    Case(
        "unreachable host",
        s3("endpointurl", "http://127.0.0.1:9"),
        ("push",),
        6,
        "s3://bucket/x cannot be reached",
        "check the address",
    ),
    Case(
        "unknown host",
        s3("endpointurl", "http://no-such-host.invalid"),
        ("push",),
        6,
        "s3://bucket/x",
    ),
    Case(
        "unknown option",
        s3("endpoint", "x"),
        ("push",),
        1,
        "s3://bucket/x has an option",
        "'endpoint'",
    ),
    Case("protocol", s3("url_", "x"), ("push", "-r", "gopher"), 1, "gopher"),
    Case(
        "local change in the way",
        after(
            tracked, wrote("f", "mine"), lambda repo: repo.git("rm", "-q", "--cached", "f.datavc")
        ),
        ("checkout", "f"),
        3,
        "f: has changes that were never added",
        "--force",
    ),
    Case("unknown revision", tracked, ("checkout", "--rev", "nix"), 1, "'nix'"),
    Case("option as a revision", tracked, ("diff", "--", "--output=x"), 1, "--output=x"),
    Case("revision with a NUL", tracked, ("checkout", "--rev", "a\nb"), 1, "revision"),
    Case(
        "config unknown key",
        wrote(".datavc/config.toml", "[core]\nremot = 1\n"),
        ("status",),
        1,
        "config.toml: there is no setting 'core.remot'",
        "core.remote",
    ),
    Case(
        "config not TOML",
        wrote(".datavc/config.toml", "[core\n"),
        ("status",),
        1,
        "config.toml, line 1",
    ),
    Case(
        "config with markers",
        wrote(".datavc/config.toml", MARKERS),
        ("status",),
        1,
        "config.toml holds the marks",
    ),
    Case("command unknown", nothing, ("stauts",), 2, "stauts", "status"),
    Case("-c without a value", nothing, ("-c", "core.jobs", "status"), 2, "core.jobs"),
)


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Return what may not change: all files but those of state, logs and temporary ones."""
    found = {}
    for base, folders, names in os.walk(root):
        here = Path(base)
        if here == root / ".datavc":
            folders[:] = [
                name for name in folders if name not in {"state", "tmp", "logs", "cache", "ops"}
            ]
        if here == root:
            folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            path = here / name
            status = path.lstat()
            regular = path.is_file() and not path.is_symlink()
            found[str(path)] = status.st_mode, path.read_bytes() if regular else b""
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_named_and_changes_nothing(repo: RepoBuilder, case: Case):
    repo.git("config", "core.hooksPath", "/dev/null")
    case.lay(repo)
    before, index = snapshot(repo.root), repo.git("ls-files", "-s").stdout

    done = inside.run(repo.root, *case.command)

    assert done.code == case.code, done
    assert case.names in done.stderr, done
    assert case.advises in done.stderr, done
    assert "Traceback" not in done.stderr
    first = done.stderr.splitlines()[-1 if done.code in (3, 4) else 0]
    assert first.startswith(("Error: ", "Warning: ", "Hint: ")), done
    assert snapshot(repo.root) == before
    assert repo.git("ls-files", "-s").stdout == index


def test_no_git_repository(tmp_path: Path):
    for command in (("status",), ("add", "x"), ("pull",), ("install",)):
        done = inside.run(tmp_path, *command)

        assert done.code == 1
        assert str(tmp_path) in done.stderr
        assert "`datavc init`" in done.stderr
    done = inside.run(tmp_path, "init")
    assert done.code == 1
    assert "not in a Git repository" in done.stderr
    assert not list(tmp_path.iterdir())


def test_git_that_is_gone_is_said(repo: RepoBuilder):
    shutil.rmtree(repo.root / ".git")

    done = inside.run(repo.root, "status")

    assert done.code == 1
    assert "not in a Git repository" in done.stderr
