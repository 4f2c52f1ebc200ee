"""What commands do while they run, and what is recorded of it: only what is sure."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest

from tests.support.pipeline import Pipelines, copies, noting


@pytest.fixture
def work(tmp_path) -> Pipelines:
    """A project with an input that was run on once, and a good result."""
    work = Pipelines(tmp_path / "work")
    work.write("in", "one\n")
    work.write("params.yaml", "lr: 1\n")
    work.define({"a": copies("a", ["in"], "out")})
    work.repro()
    return work


def one(command: str, **more: object) -> dict[str, object]:
    """Return a project of one stage that reads `in` and makes `out`."""
    return {"a": {"cmd": noting("a", command), "deps": ["in"], "outs": ["out"], **more}}


FAILING = {
    "exits": ("echo half > out; exit 3", "exited with 3"),
    "ends by a signal": ("echo half > out; kill -SEGV $$", "ended by SIGSEGV"),
    "is not found": ("echo half > out; no-such-program", "command not found"),
    "fails before another line": ("echo half > out; false\necho whole > out", "exited with 1"),
}


@pytest.mark.parametrize("case", FAILING)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_command_that_fails_leaves_its_outputs_for_a_look_and_the_lock_as_it_was(
    work, case, jobs
):
    command, said = FAILING[case]
    lock = work.read("datavc.lock")
    work.define(one(command))

    found = work.repro(f"-j{jobs}", code=1)
    human = work.do("repro", f"-j{jobs}", code=1)
    looked = work.read("out")
    work.do("checkout", "--force", "out")

    assert found.ran == ["a"]
    assert found.actions == {"a": "failed"}
    assert said in found.done.stderr
    assert "`datavc checkout --force out`" in human.stdout
    assert looked == b"half\n"
    assert work.read("datavc.lock") == lock
    assert work.read("out") == b"one\n"
    assert work.repro(code=1).ran == ["a"]


def test_no_way_back_is_named_where_there_is_none(work):
    work.define({"b": {"cmd": "echo half > new; exit 3", "outs": ["new"]}})

    assert "checkout" not in work.do("repro", code=1).stdout


def test_the_way_back_that_a_failure_names_works_as_it_is_written(work):
    work.define(one("echo half > out; exit 3"))

    said = work.do("repro", code=1).stdout
    command = next(line for line in said.splitlines() if "checkout" in line).split("`")[1]
    work.do(*command.split()[1:])

    assert work.read("out") == b"one\n"


NOT_MADE = {
    "nothing": ("true", "did not make out"),
    "a link": ("ln -s in out", "out is a symbolic link"),
    "a pipe": ("mkfifo out", "out"),
    "a link to nothing": ("ln -s nix out", "out is a symbolic link"),
    "a folder with a pipe": ("mkdir out; mkfifo out/p", "out/p"),
    "a folder with a link out of it": ("mkdir out; ln -s ../in out/l", "out/l"),
    "a folder with a repository": ("git init -q out", "out"),
}


@pytest.mark.parametrize("case", NOT_MADE)
def test_an_output_that_cannot_be_recorded_is_named(work, case):
    command, said = NOT_MADE[case]
    lock = work.read("datavc.lock")
    work.define(one(f"rm -rf out; {command}"))

    found = work.repro(code=1)

    assert found.actions == {"a": "failed"}
    assert said in found.done.stderr
    assert work.read("datavc.lock") == lock


@pytest.mark.parametrize("what", ["in", "params.yaml"])
def test_an_input_that_changes_while_the_command_runs_is_not_recorded(work, what):
    lock = work.read("datavc.lock")
    command = f"cat in > out; sleep 0.02; echo lr: 2 > {what}"
    work.define(one(command, params=["lr"]))

    found = work.repro(code=1)

    assert f"{what}" in found.done.stderr
    assert "changed while a ran" in found.done.stderr
    assert work.read("datavc.lock") == lock
    assert work.repro("--dry-run").actions == {"a": "run"}


def test_an_input_that_changes_back_is_recorded(work):
    work.define(one("cp in keep; echo x > in; cat keep > out; cat keep > in"))

    assert work.repro().actions == {"a": "run"}
    assert work.repro().actions == {"a": "skip"}


def test_what_ran_while_its_input_changed_is_in_no_run_cache_either(work):
    work.define(one("cat in > out; echo two > in"))
    work.repro(code=1)
    work.write("in", "one\n")

    assert work.repro("--dry-run").stages["a"]["from_cache"] is False


def test_a_stage_that_writes_into_another_input_is_caught_by_it(work):
    """Two at once: the second changes what the first has read."""
    work.define(
        {
            "a": copies("a", ["in"], "out")
            | {"cmd": noting("a", "cat in > out; touch go; sleep 0.3")},
            "b": {"cmd": noting("b", "until test -e go; do sleep 0.01; done; echo b > in")},
        }
    )

    found = work.repro("-j2", code=1)

    assert found.actions == {"a": "failed", "b": "run"}
    assert "in changed while a ran" in found.done.stderr


def test_outputs_of_all_kinds_come_back_as_they_were(work):
    command = (
        "mkdir -p d/sub d/empty; echo x > d/sub/x; chmod +x d/sub/x; ln -s sub/x d/link; : > zero;"
        "echo tool > tool; chmod +x tool; cp in out"
    )
    work.define(one(command, outs=["out", "d", "zero", "tool"]))
    work.repro()
    again = work.repro()
    for path in ("out", "d", "zero", "tool"):
        work.remove(path)
    found = work.repro()

    assert again.actions == {"a": "skip"}
    assert (found.actions, found.ran) == ({"a": "restore"}, [])
    assert (work.root / "d/empty").is_dir()
    assert os.readlink(work.root / "d/link") == "sub/x"
    assert os.access(work.root / "tool", os.X_OK)
    assert os.access(work.root / "d/sub/x", os.X_OK)
    assert work.read("zero") == b""
    assert work.repro().actions == {"a": "skip"}


def test_a_file_that_takes_the_place_of_a_folder_and_back(work):
    work.define(one("mkdir out; echo x > out/x"))
    work.repro()
    work.define(one("echo file > out"))
    work.repro()
    is_file = work.read("out")
    work.define(one("mkdir out; echo x > out/x"))
    found = work.repro()

    assert is_file == b"file\n"
    assert found.actions == {"a": "restore"}
    assert work.tree("out") == {"x": b"x\n"}


def test_outputs_are_gone_when_the_command_starts_but_for_those_that_persist(work):
    command = "test ! -e out; echo new > out; echo line >> log; mkdir -p d; touch d/$(wc -l < log)"
    persisted = [{"log": {"persist": True}}, {"d": {"persist": True}}]
    work.define(one(command, outs=["out", *persisted]))
    first = work.repro()
    second = work.repro("-f")

    assert (first.ran, second.ran) == (["a"], ["a"])
    assert work.read("log") == b"line\nline\n"
    assert sorted(work.tree("d")) == ["1", "2"]
    assert work.repro().actions == {"a": "skip"}


def test_an_output_left_to_git_is_recorded_and_comes_back_while_it_is_small(work):
    work.define(one("cp in out", outs=[{"out": {"cache": False}}]))
    work.repro()
    work.remove("out")
    found = work.repro()

    assert found.actions == {"a": "restore"}
    assert work.read("out") == b"one\n"
    assert b"/out" not in work.builder.git("check-ignore", "out", check=False).stdout.encode()
    assert work.builder.git("check-ignore", "out", check=False).code == 1


@pytest.mark.parametrize("case", ["nothing", "a pipe", "a folder with a pipe"])
def test_an_output_left_to_git_that_cannot_be_recorded_is_named(work, case):
    command, said = NOT_MADE[case]
    work.define(one(f"rm -rf out; {command}", outs=[{"out": {"cache": False}}]))

    found = work.repro(code=1)

    assert found.actions == {"a": "failed"}
    assert said in found.done.stderr


def test_a_link_left_to_git_counts_by_what_it_leads_to(work):
    work.define(one("ln -s in out", outs=[{"out": {"cache": False}}]))
    work.repro()
    same = work.repro()

    assert same.actions == {"a": "skip"}
    assert work.lock()["a"].outs[0].digest == work.digest(b"one\n")


def test_a_folder_left_to_git_is_recorded(work):
    work.define(one("mkdir -p out; cp in out/x", outs=[{"out": {"cache": False}}]))
    work.repro()
    skipped = work.repro()
    work.write("out/x", "mine")
    found = work.repro("--dry-run")

    assert skipped.actions == {"a": "skip"}
    assert found.reasons["a"] == [{"changed outs": {"out": "modified"}}]


def test_a_link_as_a_dependency_counts_by_what_it_leads_to(work):
    work.write("real/a", "1")
    (work.root / "ln").symlink_to("real")
    (work.root / "lf").symlink_to("real/a")
    work.define(one("cat lf ln/a > out", deps=["ln", "lf", "in"]))
    work.repro()
    same = work.repro()
    work.write("real/a", "2")
    changed = work.repro()

    assert same.ran == []
    assert changed.ran == ["a"]
    assert work.read("out") == b"22"


def test_an_executable_bit_of_a_dependency_is_nothing_and_in_a_folder_it_counts(work):
    work.write("d/x", "1")
    work.define(one("cat in > out", deps=["in", "d"]))
    work.repro()
    (work.root / "in").chmod(0o755)
    single = work.repro()
    (work.root / "d/x").chmod(0o755)
    inside = work.repro()

    assert single.ran == []
    assert inside.ran == ["a"]


def test_commands_see_where_they_are_and_who(work):
    work.define(
        {"a": {"cmd": 'echo "$DATAVC_STAGE $DATAVC_ROOT $PWD" > out', "outs": ["out"]}},
        folder="sub",
    )

    work.repro(here="sub")

    root = str(work.root)
    assert work.read("sub/out").decode().split() == ["sub/datavc.yaml:a", root, f"{root}/sub"]


def test_the_shell_can_be_chosen(work):
    work.settings = {}
    work.do("config", "--local", "repro.shell", f"{sys.executable} -c")
    work.define({"a": {"cmd": "import os; open('out', 'w').write(os.getcwd())", "outs": ["out"]}})

    work.repro()

    assert work.read("out").decode() == str(work.root)


def test_retries_start_clean_and_a_success_counts(work):
    command = "test ! -e out; echo half > out; echo . >> tries; test $(wc -l < tries) = 3"
    work.define(one(command, retries=2))

    found = work.repro()

    assert found.ran == ["a"] * 3
    assert found.actions == {"a": "run"}
    assert found.done.stderr.count("trying again") == 2
    assert work.read("out") == b"half\n"


def test_retries_come_to_an_end(work):
    work.define(one("exit 4", retries=1))

    found = work.repro(code=1)

    assert found.ran == ["a", "a"]
    assert "exited with 4" in found.done.stderr


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(work):
    work.define(one("sleep 60 & echo $! > pid; wait", timeout="0.3s"))

    found = work.repro(code=1)

    assert "timed out" in found.done.stderr
    assert not os.path.exists(f"/proc/{work.read('pid').decode().strip()}")
    assert found.stages["a"]["seconds"] < 10


def test_what_a_failed_command_wrote_is_shown_and_kept(work):
    work.define(one("echo this went wrong >&2; exit 1"))

    found = work.repro("-j2", code=1)

    assert "this went wrong" in found.done.stderr
    logs = list((work.root / ".datavc/logs/stages").iterdir())
    assert any(log.read_bytes() == b"this went wrong\n" for log in logs)


def test_names_that_nobody_may_write_never_become_files(work):
    work.write(
        "datavc.yaml",
        "stages: {t: {foreach: ['a/b', '../x', 'c d', '-n'], do: {cmd: 'echo ${item}'}}}",
    )

    found = work.repro()

    assert len(found.stages) == 4
    assert {path.name for path in work.root.iterdir()} >= {".datavc", "datavc.yaml"}
    assert not (work.root / ".datavc/logs/x").exists()
    assert work.repro("t@../x").actions == {"t@../x": "run"}


def test_results_that_differ_for_the_same_inputs_are_reported(work):
    work.define(one("date +%N > out"))
    work.repro()

    found = work.repro("-f")

    assert "made another out of the same inputs" in found.done.stderr


def test_linked_outputs_are_private_again_when_the_command_starts(work):
    work.do("config", "--local", "cache.type", "hardlink")
    work.define(one("cp in out; echo more >> out"))
    work.repro()
    linked = (work.root / "out").stat()
    work.write("in", "two\n")
    found = work.repro()

    assert linked.st_nlink == 2
    assert not stat.S_IMODE(linked.st_mode) & 0o222
    assert found.ran == ["a"]
    assert work.read("out") == b"two\nmore\n"
    assert work.object(b"one\nmore\n").read_bytes() == b"one\nmore\n"
    assert work.repro().actions == {"a": "skip"}


def test_a_linked_output_that_persists_is_private_too(work):
    work.do("config", "--local", "cache.type", "hardlink")
    work.define(one("cat in >> out", outs=[{"out": {"persist": True}}]))
    work.repro()
    before = work.read("out")

    work.repro("-f")

    assert work.read("out") == before + b"one\n"
    assert work.object(before).read_bytes() == before


def test_another_repro_of_this_workspace_is_waited_for_then_refused(work):
    work.define(one("touch started; until test -e go; do sleep 0.02; done; cp in out"))
    work.write("in", "two\n")
    first = subprocess.Popen(
        [sys.executable, "-m", "datavc", "repro", "-q"], cwd=work.root, env=work.builder.env
    )
    while not (work.root / "started").exists():
        assert first.poll() is None

    refused = work.do("-c", "core.lock_timeout=0.1", "repro", code=5)
    status = json.loads(work.do("status", "--json").stdout)
    (work.root / "go").touch()

    assert first.wait() == 0
    assert f"process {first.pid}" in refused.stderr
    assert "stages" in status
    assert work.repro().actions == {"a": "skip"}
