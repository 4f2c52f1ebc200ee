"""The frame of the terminal: help, usage, failures as sentences, signals, closed pipes, bugs."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from datavc import __version__
from datavc.cli import crash
from datavc.cli.app import TABLE
from tests.support.repo import PROGRAM, RepoBuilder


@pytest.fixture
def folder(tmp_path: Path) -> RepoBuilder:
    """Return a folder that is no repository."""
    return RepoBuilder(tmp_path / "folder", init=False)


def python(folder: RepoBuilder, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder.root,
        env=folder.env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("spelling", [["--version"], ["-V"], ["-q", "--version"]])
def test_version_is_one_line(folder: RepoBuilder, spelling: list[str]):
    assert folder.run(*spelling).stdout == f"{__version__}\n"


def test_module_and_script_are_the_same(folder: RepoBuilder):
    done = folder.start(sys.executable, "-m", "datavc", "--version")

    assert done.stdout == f"{__version__}\n"


def test_version_says_what_runs_here(folder: RepoBuilder):
    found = json.loads(folder.run("version", "--json").stdout)

    assert found["datavc"] == __version__
    assert found["git"][0].isdigit()
    assert "typer" in found["packages"]
    assert folder.run("version").stdout.startswith("datavc ")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_every_command_by_name(folder: RepoBuilder, arguments: list[str]):
    page = folder.run(*arguments).stdout

    for name, text in TABLE.items():
        assert (f"\n  {name} " in page) == bool(text)


def test_help_imports_no_command(folder: RepoBuilder):
    program = (
        "import sys\nfrom datavc.cli.main import main\n"
        "try: main(['--help'])\n"
        "finally: sys.stderr.write(' '.join(n for n in sys.modules if 'commands.' in n"
        " or n.startswith(('rich', 'git.', 'datavc.repo'))))"
    )

    assert python(folder, program).stderr == ""


def test_a_typo_names_the_nearest_command(folder: RepoBuilder):
    done = folder.run("versoin", check=False)

    assert done.code == 2
    assert done.stderr == (
        "Error: there is no command 'versoin'\nHint: did you mean `datavc version`?\n"
    )


def test_an_unknown_option_names_the_nearest(folder: RepoBuilder):
    done = folder.run("version", "--jsno", check=False)

    assert done.code == 2
    assert done.stderr.startswith("Error: datavc version has no option --jsno\n")
    assert "`--json`" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["-c", "nonsense", "root"],
        ["completion", "tcsh"],
        ["completion"],
        ["remote", "add", "one"],
        ["config", "a", "b", "c"],
        ["config", "--local", "--global", "core.jobs", "1"],
        ["--cd"],
    ],
)
def test_wrong_usage_is_exit_code_2_and_a_sentence(folder: RepoBuilder, arguments: list[str]):
    done = folder.run(*arguments, check=False)

    assert done.code == 2
    assert done.stderr.startswith("Error: ")
    assert "Usage:" not in done.stderr
    assert done.stdout == ""


def test_failures_are_json_too_where_json_was_asked_for(folder: RepoBuilder):
    done = folder.run("root", "--json", check=False)

    assert json.loads(done.stdout) == {
        "error": {
            "message": f"no datavc project in {folder.root} or the folders above it",
            "hint": "`datavc init` starts one at the top of a Git repository",
            "exit_code": 1,
        }
    }
    assert done.stderr.startswith("Error: no datavc project")
    assert done.code == 1


def test_a_folder_that_cannot_be_entered_is_named(folder: RepoBuilder):
    done = folder.run("--cd", "nowhere", "root", check=False)

    assert (done.code, done.stderr) == (1, "Error: nowhere: No such file or directory\n")


def test_cd_and_settings_come_before_the_command(repo: RepoBuilder):
    repo.write("sub/file", "")

    assert repo.run("--cd", "sub", "root").stdout == "..\n"
    assert repo.run("-c", "core.jobs=0", "cache", "info", check=False).code == 1


def test_names_cannot_steer_the_terminal(folder: RepoBuilder):
    done = folder.run("--cd", "\x1b]0;title\x07\u202ename\udcff", "root", check=False)

    assert "\x1b" not in done.stderr
    assert r"\x1b]0;title\x07\u202ename\xff" in done.stderr


def test_a_closed_pipe_is_exit_code_141_without_a_word(folder: RepoBuilder):
    done = folder.start(
        "bash", "-c", f'{PROGRAM} help config | true; exit "${{PIPESTATUS[0]}}"', check=False
    )

    assert done.stderr == ""
    assert done.code in (0, 141)  # 0: all was written before the reader was gone

    reader, writer = os.pipe()
    os.close(reader)
    closed = subprocess.run(
        [PROGRAM, "help", "config"],
        cwd=folder.root,
        env=folder.env,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (closed.returncode, closed.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_signals_end_it_with_their_code_and_no_traceback(
    folder: RepoBuilder, number: int, code: int
):
    program = (
        "import os, sys\nfrom datavc.cli import app, main\n"
        "import datavc.verbs.help as verb\n"
        f"verb.topics = lambda: os.kill(os.getpid(), {int(number)}) or sys.stdin.read()\n"
        "main.main(['help'])"
    )

    done = python(folder, program)

    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["help", "config"], ["root", "--json"]])
def test_a_full_disk_gets_a_sentence(folder: RepoBuilder, arguments: list[str]):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=folder.root,
            env=folder.env,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def bug(folder: RepoBuilder, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a datavc in which a verb has a bug."""
    program = (
        "import sys\nfrom datavc.cli import main\nimport datavc.verbs.help as verb\n"
        "def broken(): raise RuntimeError('hunter22 s3://u:hunter33@h')\n"
        "verb.topics = broken\nmain.main(sys.argv[1:])"
    )
    return python(folder, program, *arguments)


def test_a_bug_leaves_a_report_and_one_line(repo: RepoBuilder):
    done = bug(repo, "-c", "remote.r.password=hunter22", "-c", "x=s3://u:hunter33@h", "help")

    assert done.returncode == 255
    assert done.stderr.count("\n") == 1
    (report,) = (repo.root / ".datavc" / "logs").iterdir()
    assert str(report) in done.stderr
    text = report.read_text()
    assert "Traceback" in text
    assert f"datavc {__version__}" in text
    assert "hunter" not in text
    assert report.stat().st_mode & 0o777 == 0o600


def test_a_bug_outside_a_project_reports_to_the_users_own_cache(folder: RepoBuilder):
    done = bug(folder, "help")

    assert done.returncode == 255
    assert folder.env["XDG_CACHE_HOME"] in done.stderr


def test_a_report_that_cannot_be_written_is_no_second_failure(
    repo: RepoBuilder, monkeypatch: pytest.MonkeyPatch
):
    repo.write(".datavc/logs", "a file in the way")
    monkeypatch.chdir(repo.root)

    assert "cannot be written" in crash.report(RuntimeError("x"), [])


def test_reports_hold_no_secret_of_arguments_or_environment(
    repo: RepoBuilder, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(repo.root)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter44")
    for arguments in (
        ["remote", "modify", "--local", "r", "secret_access_key", "hunter22"],
        ["config", "--local", "remote.r.token", "hunter22"],
        ["remote", "add", "r", "ssh://me:hunter22@host/"],
    ):
        crash.report(RuntimeError("hunter22 and hunter44"), arguments)

    texts = [file.read_text() for file in (repo.root / ".datavc" / "logs").iterdir()]
    assert len(texts) == 3
    assert not [text for text in texts if "hunter" in text]


def on_terminal(folder: RepoBuilder, *arguments: str) -> bytes:
    """Return what a run prints to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, *arguments],
        cwd=folder.root,
        env=folder.env | {"PAGER": "cat", "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as running:
        os.close(theirs)
        output = b""
        try:
            while data := os.read(ours, 1 << 16):
                output += data
        except OSError:
            pass
        os.close(ours)
    assert running.returncode == 0
    return output


def test_help_topics_are_listed_and_shown(folder: RepoBuilder):
    assert "\ndesign/0001-ground " in folder.run("help").stdout
    for spelling in ("design/0001-ground", "0001", "ground", "0001-ground.md"):
        assert folder.run("help", spelling).stdout.startswith("# 0001 ")
    assert json.loads(folder.run("help", "tour", "--json").stdout)["name"] == "tour"
    assert b"# Settings" in on_terminal(folder, "help", "config")


@pytest.mark.parametrize("topic", ["confg", "../../README", "/etc/passwd", ""])
def test_only_pages_of_the_documentation_are_shown(folder: RepoBuilder, topic: str):
    done = folder.run("help", topic, check=False)

    assert done.code == (2 if topic else 0)
    assert "root:" not in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_scripts_are_printed(folder: RepoBuilder, shell: str):
    script = folder.run("completion", shell).stdout

    assert "_DATAVC_COMPLETE" in script
    assert folder.run("completion", "-s", shell).stdout == script


def test_completion_completes_commands_and_options(folder: RepoBuilder):
    def complete(words: str) -> list[str]:
        words_now = words.split(" ")
        env = {"COMP_WORDS": words, "COMP_CWORD": str(len(words_now) - 1)}
        asking = RepoBuilder(
            folder.root,
            init=False,
            env=folder.env | env | {"_DATAVC_COMPLETE": "complete_bash"},
        )
        return asking.run().stdout.split()

    assert complete("datavc ver") == ["version"]
    assert "add" in complete("datavc remote ")
    assert complete("datavc version --js") == ["--json"]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("line", ["status", "status --nothing"])
def test_streams_that_the_caller_closed_are_no_bug(
    repo: RepoBuilder, closed: str, line: str
) -> None:
    done = repo.start("sh", "-c", f'"{sys.executable}" -m datavc {line} {closed}', check=False)
    assert done.code == (0 if line == "status" else 2)
    assert "Traceback" not in done.stderr
    assert not list(repo.root.glob(".datavc/logs/crash-*"))
