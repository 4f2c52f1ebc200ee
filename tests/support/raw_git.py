"""Git as it is typed, for tests of the door to it."""

import os
import subprocess

POINTER = "datavc: 1\n"


def run(folder, *args, **environment):
    env = {**os.environ, "GIT_AUTHOR_DATE": "", "GIT_COMMITTER_DATE": "", **environment}
    env = {name: value for name, value in env.items() if value}
    done = subprocess.run(["git", *args], cwd=folder, env=env, capture_output=True, check=True)
    return os.fsdecode(done.stdout.rstrip(b"\n"))


def write(folder, name, text=POINTER):
    file = os.path.join(folder, name)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(os.fsencode(file), "w") as stream:
        stream.write(text)


def commit(folder, message="change", **environment):
    run(folder, "add", "-A")
    run(folder, "commit", "-qm", message, "--allow-empty", **environment)
    return run(folder, "rev-parse", "HEAD")
