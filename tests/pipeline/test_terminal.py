import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

from tests.support.processes import DAEMON, SETSID, gone, linux, pid_in, until

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
