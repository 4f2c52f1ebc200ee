"""Names and texts of strangers never steer a terminal; secrets are never shown or written down."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from datavc.cli import crash
from datavc.store import lock
from tests.support import inside
from tests.support.repo import PROGRAM, RepoBuilder
from tests.support.stranger import Stranger, pointer, put_object

EVIL = "\x1b]0;owned\x07\x1b[2J\u009b31m\u202eexe"
"""A title, a cleared screen, a C1 introducer and a turned writing direction."""
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SECRET = "S3CRET-key-of-the-victim"

LOOKS = (
    ("status",),
    ("status", "--granular", "--untracked"),
    ("list", "-R"),
    ("list", "-R", "--tracked", "--size", "--show-hash"),
    ("list", "--tree"),
    ("du",),
    ("diff", "HEAD"),
    ("checkout",),
    ("checkout", "--force"),
    ("fsck",),
    ("pull",),
    ("push",),
    ("add", "."),
    ("commit", "--force"),
    ("check-ignore", "-v", EVIL),
    ("remove", EVIL),
    ("cat", EVIL),
    ("config", "--list", "--show-origin"),
    ("remote", "list"),
    ("undo", "--list"),
    ("gc", "-w", "--dry-run"),
    ("doctor",),
    (EVIL,),
    ("status", f"--{EVIL}"),
)


def evil_project(repo: RepoBuilder) -> None:
    repo.write(f"d{EVIL}/f{EVIL}", "one")
    repo.write(f"e{EVIL}", "two")
    repo.run("add", f"d{EVIL}", f"e{EVIL}")
    repo.commit("evil")
    shown = EVIL.replace("\x1b", "\\u001b").replace("\x07", "\\u0007").replace("\u009b", "\\u009b")
    repo.write(
        "x.datavc", pointer("x", "blake3:" + "0" * 64, desc=f'"{shown}"', remote='"a\\u001bb"')
    )
    repo.write("broken.datavc", f'datavc: 1\npath: "{shown}"\nkind: file\ndigest: "{shown}"\n')
    repo.write(".datavcignore", f"x{EVIL}\n")
    with open(repo.root / ".datavc/config.toml", "a") as config:
        config.write(f'remote = "a{shown}"\n[remote.b]\nurl = "s3://{shown}"\n')
    repo.write(f"d{EVIL}/f{EVIL}", "changed")
    repo.write(f"d{EVIL}/new{EVIL}", "new")


def test_no_command_sends_escapes_of_names_or_texts(repo: RepoBuilder):
    evil_project(repo)
    for command in LOOKS:
        for arguments in (command, (*command, "--json"), (*command, "-v")):
            done = inside.run(repo.root, *arguments)
            found = RAW.search(done.stdout + done.stderr)
            assert found is None, (arguments, done)
            assert done.code != 255, done.stderr


def test_a_bar_draws_no_escapes_of_names(repo: RepoBuilder):
    evil_project(repo)
    program = (
        "import time\nfrom datavc.cli import progress\n"
        "shown = progress.choose()\n"
        f"shown.start('Checking out ' + {EVIL!r}, 3, 10)\n"
        "time.sleep(1)\n"
        f"shown.say({EVIL!r})\n"
        "progress.end(shown)\n"
    )
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stderr=theirs,
        env=repo.env | {"TERM": "xterm"},
        cwd=repo.root,
    )
    os.close(theirs)
    seen, until = b"", time.monotonic() + 20
    while (
        time.monotonic() < until and select.select([ours], [], [], 0.2)[0] or child.poll() is None
    ):
        try:
            seen += os.read(ours, 65536)
        except OSError:
            break
    child.wait()
    os.close(ours)

    assert b"Checking out" in seen
    for part in (b"\x1b]0;", b"\x07", b"\x1b[2J\xc2", "\u202e".encode(), "\u009b".encode()):
        assert part not in seen


@pytest.fixture
def keeper(repo: RepoBuilder) -> RepoBuilder:
    """Return a project with a secret in its own settings and a password in a remote's address."""
    inside.run(repo.root, "remote", "add", "-d", "store", "s3://bucket/prefix")
    for option, value in (
        ("secret_access_key", SECRET),
        ("access_key_id", "AKIAKEY"),
        ("endpointurl", "http://127.0.0.1:9"),
        ("retries", "0"),
    ):
        done = inside.run(repo.root, "remote", "modify", "--local", "store", option, value)
        assert done.code == 0, done.stderr
    inside.run(
        repo.root, "remote", "add", "--local", "web", f"https://user:{SECRET}@127.0.0.1:9/x"
    )
    repo.write("a", "data")
    inside.run(repo.root, "add", "a")
    return repo


@pytest.mark.parametrize("driver", ["obstore", "s3fs"])
def test_a_secret_is_in_no_output_and_in_no_file_but_its_own(
    keeper: RepoBuilder, driver: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_SESSION_TOKEN", f"{SECRET}-token")
    commands = [
        ("push", "-vv"),
        ("pull", "-vv", "-r", "web"),
        ("status", "-c", "-vv"),
        ("config", "--list", "--show-origin"),
        ("config", "remote.store.secret_access_key"),
        ("remote", "list", "--json"),
        ("remote", "trust"),
        ("doctor", "-c", "-vv"),
        ("-c", f"remote.store.secret_access_key={SECRET}", "push", "-vv"),
    ]
    for command in commands:
        done = keeper.run("-c", f"remote.store.driver={driver}", *command, check=False)
        assert SECRET not in done.stdout + done.stderr, command
        assert done.code != 255, done.stderr

    own = keeper.root / ".datavc/config.local.toml"
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    places = [keeper.root, Path(os.environ["XDG_CONFIG_HOME"]), Path(os.environ["XDG_DATA_HOME"])]
    holding = [
        file
        for place in places
        for file in place.rglob("*")
        if file.is_file() and SECRET.encode() in file.read_bytes()
    ]
    assert holding == [own]


def test_the_report_of_a_bug_holds_no_secret_of_the_settings(
    keeper: RepoBuilder, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(keeper.root)

    sentence = crash.report(RuntimeError(f"signed with {SECRET}"), ["push"])

    (report,) = (keeper.root / ".datavc/logs").iterdir()
    assert str(report) in sentence
    assert "RuntimeError: signed with ***" in report.read_text()
    assert SECRET not in report.read_text()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_the_report_of_a_bug_follows_no_link_of_a_clone(
    stranger: Stranger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(stranger.root)
    (tmp_path / "elsewhere").mkdir()
    stranger.link(".datavc/logs", tmp_path / "elsewhere")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    crash.report(RuntimeError("x"), [])

    assert not any((tmp_path / "elsewhere").iterdir())
    assert any((tmp_path / "cache").rglob("crash-*"))


def test_the_holder_of_a_lock_is_named_without_secrets(monkeypatch: pytest.MonkeyPatch):
    typed = [
        "datavc",
        "-c",
        f"remote.s.password={SECRET}",
        "-c",
        f"remote.s.url=s3://u:{SECRET}@h",
    ]
    monkeypatch.setattr(sys, "argv", [*typed, "pull"])

    assert lock._command() == "datavc -c remote.s.password -c remote.s.url pull"


def test_a_server_that_answers_with_escapes_is_quoted(repo: RepoBuilder, tmp_path: Path):
    remote = tmp_path / "remote"
    put_object(remote, b"x")
    (remote / "datavc.json").write_text(json.dumps({"format": 99, "layout": EVIL}))
    inside.run(repo.root, "remote", "add", "-d", "store", str(remote))
    repo.write("a", "data")
    inside.run(repo.root, "add", "a")

    done = inside.run(repo.root, "push", "-v")

    assert RAW.search(done.stdout + done.stderr) is None


def test_completion_of_names_is_the_shells_own(repo: RepoBuilder):
    evil_project(repo)
    done = subprocess.run(
        [PROGRAM],
        cwd=repo.root,
        env=repo.env
        | {"_DATAVC_COMPLETE": "complete_bash", "COMP_WORDS": "datavc add d", "COMP_CWORD": "2"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert RAW.search(done.stdout + done.stderr) is None
