import os
import signal
import subprocess
import time
from pathlib import Path

from datavc.pipeline.executors import tree
from datavc.pipeline.executors.lines import tail
from tests.support.processes import DAEMON, SETSID, alive, gone, linux, pid_in, run, until


def test_commands_run_in_order_in_their_folder_with_their_environment(executor, action, tmp_path):
    there = tmp_path / "there"
    there.mkdir()

    ended = run(
        executor, action("pwd > a", 'echo "$X" > b', folder=str(there), environment={"X": "1 2"})
    )

    assert ended.succeeded
    assert (there / "a").read_text() == f"{there}\n"
    assert (there / "b").read_text() == "1 2\n"


def test_the_first_failure_is_the_last_command(executor, action, tmp_path):
    ended = run(executor, action("true", "exit 3", "touch never"))

    assert (ended.exit_code, ended.failed_command) == (3, "exit 3")
    assert not ended.succeeded
    assert not (tmp_path / "never").exists()


def test_output_and_errors_are_in_the_log_and_told_line_by_line(executor, action, lines):
    ended = run(executor, action("echo one; echo two >&2", "printf 'half\\rwhole'"))

    assert ended.succeeded
    assert lines == [("stage", "one"), ("stage", "two"), ("stage", "whole")]
    assert tail(action().log, 2) == ["two", "whole"]


def test_lines_are_told_while_the_command_runs(executor, action, lines, tmp_path):
    executor.submit(action("echo first; until [ -e go ]; do sleep 0.02; done"))

    assert until(lambda: executor.wait(0.02) or lines)
    assert lines == [("stage", "first")]
    (tmp_path / "go").touch()
    assert executor.wait(10)[0].succeeded


def test_a_log_is_written_anew(executor, action):
    run(executor, action("echo old"))
    run(executor, action("echo new"))

    assert tail(action().log) == ["new"]


def test_much_output_is_whole(executor, action, tmp_path):
    run(executor, action("seq 200000"))

    assert Path(action().log).read_bytes() == b"".join(b"%d\n" % n for n in range(1, 200001))


def test_an_unknown_command_a_signal_and_a_missing_folder_are_told_apart(executor, action):
    unknown = run(executor, action("surely-no-command"))
    killed = run(executor, action("kill -9 $$"))
    inside = run(executor, action("sh -c 'kill -9 $$'; exit $?"))
    homeless = run(executor, action("true", folder="/surely/nowhere"))
    shellless = run(executor, action("true", shell=("/surely/no-shell", "-c")))

    assert (unknown.exit_code, unknown.note) == (127, "command not found")
    assert (killed.exit_code, killed.signal, killed.note) == (None, 9, "ended by SIGKILL")
    assert (inside.exit_code, inside.note) == (137, "a program in it was ended by SIGKILL")
    assert homeless.note == "/surely/nowhere: No such file or directory"
    assert shellless.note == "/surely/no-shell: No such file or directory"
    assert not homeless.succeeded
    assert not shellless.succeeded


def test_a_stage_has_its_time_for_all_commands_together(executor, action):
    ended = run(executor, action("sleep 0.2", "sleep 30", timeout_s=0.4))

    assert ended.timed_out
    assert ended.failed_command == "sleep 30"
    assert ended.note == "timed out after 0.4 s"
    assert 0.4 <= ended.seconds < 3


@linux
def test_no_signal_is_inherited_as_ignored(executor, action):
    run(executor, action("grep SigIgn /proc/self/status"))

    ignored = int(tail(action().log)[0].split()[1], 16)
    assert ignored & 0x7FFFFFFF == 0


def test_stages_run_at_the_same_time(executor, action):
    started = time.monotonic()
    for number in range(4):
        executor.submit(action("sleep 0.5", stage=f"s{number}"))
    ended = []
    while more := executor.wait(10):
        ended += more

    assert sorted(one.stage for one in ended) == ["s0", "s1", "s2", "s3"]
    assert time.monotonic() - started < 1.5


def test_nothing_running_is_nothing_to_wait_for(executor):
    assert executor.wait() == []
    assert executor.stop() == []


@linux
def test_a_timeout_ends_what_left_the_session(executor, action, tmp_path):
    ended = run(executor, action(SETSID + "sleep 300", timeout_s=0.5))

    assert ended.timed_out
    assert gone(pid_in(tmp_path / "pid"))


@linux
def test_stop_ends_everything_also_what_ignores_term(executor, action, tmp_path):
    executor.submit(action(f"trap '' TERM; {DAEMON} while :; do sleep 1; done", stage="stubborn"))
    executor.submit(action("sleep 300", stage="obedient"))
    daemon = pid_in(tmp_path / "pid")

    ended = {one.stage: one for one in executor.stop(0.3)}

    assert ended["obedient"].signal == signal.SIGTERM
    assert ended["stubborn"].signal == signal.SIGKILL
    assert ended["stubborn"].note == "stopped"
    assert gone(daemon)


@linux
def test_a_stop_leaves_time_to_tidy_up(executor, action, tmp_path):
    executor.submit(
        action(
            "trap 'echo tidy > tidied; exit 1' TERM; echo $$ > pid; while :; do sleep 0.05; done"
        )
    )
    pid_in(tmp_path / "pid")

    executor.stop(5)

    assert (tmp_path / "tidied").read_text() == "tidy\n"


@linux
def test_a_background_job_ends_with_its_stage_and_a_daemon_stays(executor, action, tmp_path):
    ended = run(
        executor,
        action("sleep 300 & echo $! > job", SETSID + "until [ -e pid ]; do sleep 0.01; done"),
    )
    daemon = pid_in(tmp_path / "pid")

    assert ended.succeeded
    assert ended.note == "what still ran in its background was ended"
    assert gone(int((tmp_path / "job").read_text()))
    assert alive(daemon)
    executor.submit(action("sleep 300", stage="next"))
    executor.stop(0)
    assert alive(daemon)
    os.kill(daemon, signal.SIGKILL)


def test_what_runs_beside_a_command_may_finish(executor, action, tmp_path):
    ended = run(executor, action("echo data | tee >(sleep 0.3; cat > copy) > whole"))

    assert ended.succeeded
    assert (tmp_path / "copy").read_text() == "data\n"
    assert ended.note == ""


@linux
def test_a_supervisor_that_is_killed_takes_its_stage_along_and_no_other(
    executor, action, tmp_path
):
    other = action("until [ -e go ]; do sleep 0.02; done", stage="other")
    executor.submit(other)
    executor.submit(action(DAEMON + "echo $PPID > supervisor; sleep 300"))
    daemon, supervisor = pid_in(tmp_path / "pid"), pid_in(tmp_path / "supervisor")

    os.kill(supervisor, signal.SIGKILL)
    ended = executor.wait(10)

    assert [(one.stage, one.note) for one in ended] == [("stage", "its supervisor was killed")]
    assert gone(daemon)
    (tmp_path / "go").touch()
    assert executor.wait(10)[0].succeeded
    assert run(executor, action("true", stage="next")).succeeded


@linux
def test_a_launcher_that_is_killed_takes_all_stages_along(executor, action, tmp_path):
    executor.submit(action(DAEMON + "sleep 300"))
    daemon = pid_in(tmp_path / "pid")

    os.kill(executor._pid, signal.SIGKILL)
    ended = executor.wait(10)

    assert not ended[0].succeeded
    assert gone(daemon)
    assert run(executor, action("true", stage="next")).succeeded


@linux
def test_descendants_are_also_found_without_the_kernels_list_of_children():
    child = subprocess.Popen(["sh", "-c", "sleep 300 & wait"])
    try:
        assert until(lambda: len(tree.descendants()) >= 2)
        assert set(tree.descendants()) == set(tree._descendants_by_parent(os.getpid()))
    finally:
        tree.send(signal.SIGKILL, tree.descendants())
        child.wait()
