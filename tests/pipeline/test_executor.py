import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from datavc.pipeline.executors import tree
from datavc.pipeline.executors.base import Action, default_shell
from datavc.pipeline.executors.lines import tail
from datavc.pipeline.executors.local import LocalExecutor

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and a subreaper")


@pytest.fixture
def lines():
    return []


@pytest.fixture
def executor(lines):
    executor = LocalExecutor(lambda stage, line: lines.append((stage, line)))
    yield executor
    executor.stop(0)
    executor.close()


@pytest.fixture
def action(tmp_path):
    def make(*commands, stage="stage", **rest):
        log = str(tmp_path / "logs" / f"{stage}.log")
        fields = {"folder": str(tmp_path), "environment": {}, "shell": default_shell(), **rest}
        return Action(stage, commands, log=log, **fields)

    return make


def run(executor, action):
    executor.submit(action)
    return executor.wait(30)[0]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pid, patience_s=5.0):
    return until(lambda: not alive(pid), patience_s)


def until(true, patience_s=10.0):
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.01)
    return False


def pid_in(file):
    assert until(lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())


SETSID = "setsid sh -c 'echo $$ > pid; exec sleep 300' & "
DAEMON = (
    "cat > daemon.sh <<'END'\n"
    "trap '' TERM HUP\n"
    "echo $$ > pid\n"
    "while :; do sleep 1; done\n"
    "END\n"
    "(setsid sh daemon.sh & ) ; "
)
"""Leaves its session, loses its parent, and does not hear TERM."""


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


SCRIPT = """
import sys
from datavc.pipeline.executors.base import Action, default_shell
from datavc.pipeline.executors.local import LocalExecutor
folder, terminal, *commands = sys.argv[1:]
executor = LocalExecutor(lambda stage, line: print(stage, line, flush=True))
executor.submit(Action("s", tuple(commands), folder, {}, folder + "/s.log", default_shell(),
                       terminal=terminal == "yes"))
try:
    print("ended", executor.wait()[0], flush=True)
except KeyboardInterrupt:
    print("ended", executor.stop()[0], flush=True)
    sys.exit(130)
"""


@linux
def test_datavc_killed_ends_every_stage(tmp_path):
    command = DAEMON + "echo $PPID > supervisor; sleep 300"
    datavc = subprocess.Popen([sys.executable, "-c", SCRIPT, tmp_path, "no", command])
    daemon, supervisor = pid_in(tmp_path / "pid"), pid_in(tmp_path / "supervisor")

    datavc.kill()
    datavc.wait()

    assert gone(daemon)
    assert gone(supervisor)


@linux
def test_ctrl_c_without_a_terminal_ends_the_tree(tmp_path):
    datavc = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, tmp_path, "no", SETSID + "sleep 300"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    daemon = pid_in(tmp_path / "pid")

    os.killpg(datavc.pid, signal.SIGINT)
    output = datavc.communicate(timeout=20)[0]

    assert b"note='stopped'" in output
    assert datavc.returncode == 130
    assert gone(daemon)


class Screen:
    """datavc on a terminal of its own, and somebody who types."""

    def __init__(self, folder, *commands, within='exec "$@"'):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            datavc = [sys.executable, "-c", SCRIPT, str(folder), "yes", *commands]
            os.execv("/bin/sh", ["/bin/sh", "-c", within, "sh", *datavc])
        self.seen = b""

    def type(self, keys):
        os.write(self.fd, keys)

    def expect(self, pattern, patience_s=20.0):
        deadline = time.monotonic() + patience_s
        while not (found := re.search(pattern, self.seen)):
            assert time.monotonic() < deadline, self.seen
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.fd, 65536)
                except OSError:
                    assert re.search(pattern, self.seen), self.seen
        return found

    def exit_code(self):
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return code


def test_a_command_sees_a_terminal_and_the_log_is_kept(tmp_path):
    screen = Screen(
        tmp_path, "test -t 0 && test -t 1 && test -t 2 && echo is''atty", "echo then < /dev/tty"
    )

    screen.expect(rb"isatty\r\n.*then\r\n.*exit_code=0")

    assert screen.exit_code() == 0
    assert (tmp_path / "s.log").read_bytes() == b"isatty\r\nthen\r\n"


def test_a_debuggers_prompt_takes_keys(tmp_path):
    screen = Screen(tmp_path, f"{sys.executable} -c 'x = 41; breakpoint(); print(1)'")

    screen.expect(rb"\(Pdb\)")
    screen.type(b"p x + 1\n")
    screen.expect(rb"\n42\r\n")
    screen.type(b"c\n")

    screen.expect(rb"exit_code=0")
    assert screen.exit_code() == 0


def test_ctrl_c_in_a_terminal_reaches_the_command_first(tmp_path):
    screen = Screen(
        tmp_path, "trap 'echo caught' INT; echo ready; sleep 1; echo on", "echo second; sleep 300"
    )

    screen.expect(rb"ready")
    screen.type(b"\x03")
    screen.expect(rb"caught\r\non\r\n.*second")
    screen.type(b"\x03")

    screen.expect(rb"signal=2.*interrupted=True")
    assert screen.exit_code() == 0


def test_ctrl_c_three_times_ends_what_takes_no_notice(tmp_path):
    screen = Screen(tmp_path, "trap '' INT; echo ready; sleep 300; sleep 300")

    screen.expect(rb"ready")
    screen.type(b"\x03\x03\x03")

    screen.expect(rb"interrupted=True")
    assert screen.exit_code() == 0


@linux
def test_a_killed_supervisor_leaves_the_terminal_as_it_was(tmp_path):
    screen = Screen(tmp_path, "echo $PPID > supervisor; echo ready; sleep 300")
    before = termios.tcgetattr(screen.fd)
    screen.expect(rb"ready")
    during = termios.tcgetattr(screen.fd)

    os.kill(pid_in(tmp_path / "supervisor"), signal.SIGKILL)

    screen.expect(rb"its supervisor was killed")
    assert before[3] & termios.ICANON
    assert not during[3] & termios.ICANON
    assert termios.tcgetattr(screen.fd)[3] == before[3]
    screen.exit_code()


@linux
def test_datavc_killed_leaves_the_terminal_as_it_was(tmp_path):
    shell = f'exec 3<&0; cd {tmp_path}; "$@" <&3 & echo $! > {tmp_path}/datavc; wait; sleep 300'
    screen = Screen(tmp_path, "echo $$ > pid; echo ready; sleep 300; true", within=shell)
    before = termios.tcgetattr(screen.fd)
    screen.expect(rb"ready")

    os.kill(pid_in(tmp_path / "datavc"), signal.SIGKILL)

    assert gone(pid_in(tmp_path / "pid"))
    assert until(lambda: termios.tcgetattr(screen.fd)[3] == before[3])
    os.kill(screen.pid, signal.SIGKILL)
    screen.exit_code()


def test_the_size_of_the_window_is_passed_on(tmp_path):
    screen = Screen(tmp_path, "until [ -e go ]; do sleep 0.02; done; stty size")
    termios.tcsetwinsize(screen.fd, (33, 77))
    assert until(lambda: (tmp_path / "s.log").exists())
    time.sleep(0.6)  # it is looked at four times a second
    (tmp_path / "go").touch()

    screen.expect(rb"33 77\r\n")
    screen.exit_code()


def test_an_executor_works_with_no_standard_input(tmp_path):
    ended = subprocess.run(
        [
            "sh",
            "-c",
            'exec "$@" <&-',
            "sh",
            sys.executable,
            "-c",
            SCRIPT,
            tmp_path,
            "yes",
            "cat; echo on",
        ],
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert b"s on" in ended.stdout
    assert b"exit_code=0" in ended.stdout, ended.stderr


def test_a_command_without_the_terminal_reads_the_given_input(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, tmp_path, "yes", "cat"],
        input=b"from outside\n",
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert b"s from outside" in ended.stdout


@linux
def test_descendants_are_also_found_without_the_kernels_list_of_children():
    child = subprocess.Popen(["sh", "-c", "sleep 300 & wait"])
    try:
        assert until(lambda: len(tree.descendants()) >= 2)
        assert set(tree.descendants()) == set(tree._descendants_by_parent(os.getpid()))
    finally:
        tree.send(signal.SIGKILL, tree.descendants())
        child.wait()
