"""The whole tool against dictionaries: what lies here, what pointers say, what is saved.

More of it: `DATAVC_MACHINE=300x40 pytest tests/test_machine.py` (examples x steps).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from datavc.cli.main import main

EXAMPLES, STEPS = map(int, os.environ.get("DATAVC_MACHINE", "15x14").split("x"))

INSIDE = ("a", "b", "sub/c", "sub/deep/e", "\udcff")
FILES = ("f", "g")
LARGE = b"large" * 80_000
CONTENTS = st.sampled_from([b"0", b"1", b"2", b"3", b"", LARGE])
PATHS = st.sampled_from([*(f"d/{name}" for name in INSIDE), *FILES])
INSIDE_PATHS = st.sampled_from([f"d/{name}" for name in INSIDE])
TARGETS = st.sampled_from(["d", *FILES])

Data = dict[str, bytes]
"""Path → bytes, for one output: those of a directory, or the one of a file."""
Version = dict[str, Data]
"""Output → what is recorded of it."""


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run `datavc ARGUMENTS` in this process; return exit code and standard output."""
    out, err = io.StringIO(), io.StringIO()
    before = os.getcwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(list(arguments))
    except SystemExit as stop:
        assert "Traceback" not in err.getvalue() and stop.code != 255, err.getvalue()
        return int(stop.code or 0), out.getvalue()
    finally:
        os.chdir(before)
    raise AssertionError("a command ends by exiting")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


def output_of(path: str) -> str:
    return path.split("/")[0]


class Machine(RuleBasedStateMachine):
    """One workspace with hooks, its history, one remote, and clones."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp(prefix="datavc-machine-"))
        self.root = self.base / "work"
        self.here: Data = {}
        self.recorded: Version = {}
        self.placed: Version = {}
        self.shown: Version = {}
        self.saved: set[bytes] = set()
        self.commits: list[tuple[str, Version]] = []
        self.head: Version = {}
        self.pushed = 0

    def teardown(self) -> None:
        try:
            if self.commits:
                self.every_commit_comes_back()
        finally:
            shutil.rmtree(self.base, ignore_errors=True)

    # What the model says

    def data(self, output: str) -> Data:
        return {path: text for path, text in self.here.items() if output_of(path) == output}

    def settle(self, output: str, *, force: bool, old: Data | None = None) -> bool:
        """Make one output what its pointer says, or `old`; return whether something was left."""
        wanted = self.recorded.get(output, {}) if old is None else old
        given, shown = self.placed.get(output, {}), self.shown.get(output, {})
        left = False
        for path in {*wanted, *self.data(output)}:
            now, new = self.here.get(path), wanted.get(path)
            is_ours = (
                path in wanted
                or (given != wanted and path in given)
                or (shown != wanted and now is not None and shown.get(path) == now)
            )
            if now == new or not is_ours:
                continue
            if now is not None and now not in self.saved and not force:
                left = True
                continue
            if now is not None:
                self.saved.add(now)
            if new is None:
                del self.here[path]
            else:
                self.here[path] = new
        if old is not None:
            if output in self.recorded or output in self.placed:
                self.shown[output] = old
        elif output in self.recorded:
            self.placed[output] = wanted
            self.shown.pop(output, None)
        elif not left:
            self.placed.pop(output, None)
            self.shown.pop(output, None)
        return left

    def follow(self, before: Version) -> None:
        """Do what a hook does after pointers moved."""
        moved = {o for o in {*before, *self.recorded} if before.get(o) != self.recorded.get(o)}
        gone = set(self.placed) - set(self.recorded) if moved else set()
        for output in moved & set(self.recorded) | gone:
            self.settle(output, force=False)

    # What a user does

    @initialize()
    def begin(self) -> None:
        self.root.mkdir()
        git(self.root, "init", "-q", "-b", "main")
        run(self.root, "init", "-q")
        run(self.root, "remote", "add", "-d", "storage", str(self.base / "storage"))
        for path in ("d/anchor", "d/a", "f"):
            self.write(path, b"0")
        self.add("d")
        self.add("f")
        self.commit()

    def write(self, path: str, content: bytes) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        self.here[path] = content

    @rule(path=PATHS, content=CONTENTS)
    def edit(self, path: str, content: bytes) -> None:
        self.write(path, content)

    @rule(path=PATHS)
    def delete(self, path: str) -> None:
        if path in self.here:
            del self.here[path]
            (self.root / path).unlink()
            with contextlib.suppress(OSError):  # as a tidy user: no empty folders
                os.removedirs((self.root / path).parent)

    @rule(old=INSIDE_PATHS, new=INSIDE_PATHS)
    def rename(self, old: str, new: str) -> None:
        if old in self.here and new not in self.here:
            content = self.here[old]
            self.delete(old)
            self.write(new, content)

    @rule(output=TARGETS)
    def add(self, output: str) -> None:
        lying = self.data(output)
        code, _ = run(self.root, "add", "-q", output)
        assert code == (0 if lying else 1)
        if lying:
            self.record(output, lying)

    @rule(path=INSIDE_PATHS)
    def add_inside(self, path: str) -> None:
        old = self.recorded["d"]
        code, _ = run(self.root, "add", "-q", path)
        assert code == (0 if path in self.here or path in old else 1)
        new = {at: text for at, text in old.items() if at != path}
        if path in self.here:
            new[path] = self.here[path]
        if code == 0:
            self.record("d", new)

    def record(self, output: str, data: Data) -> None:
        self.recorded = {**self.recorded, output: dict(data)}
        self.placed[output] = dict(data)
        self.shown.pop(output, None)
        self.saved.update(data.values())

    @rule()
    def commit(self) -> None:
        git(self.root, "add", "--", ":(glob)**/*.datavc", ":(glob)**/.gitignore")
        git(self.root, "add", "-u")
        git(self.root, "commit", "-q", "--allow-empty", "-m", "version")
        git(self.root, "tag", f"v{len(self.commits)}")  # so that none is left behind unnamed
        self.head = self.recorded
        self.commits.append((git(self.root, "rev-parse", "HEAD"), self.recorded))

    @precondition(lambda self: self.recorded == self.head)
    @rule(data=st.data())
    def go_to(self, data: st.DataObject) -> None:
        commit, version = data.draw(st.sampled_from(self.commits))
        before = self.recorded
        git(self.root, "checkout", "-q", commit)
        self.recorded = self.head = version
        self.follow(before)

    @rule(force=st.booleans())
    def checkout(self, force: bool) -> None:  # noqa: FBT001
        left = [self.settle(output, force=force) for output in {*self.recorded, *self.placed}]
        code, _ = run(self.root, "checkout", "-q", *(["--force"] if force else []))
        assert code == (3 if any(left) else 0)

    @rule(data=st.data(), force=st.booleans())
    def look_at(self, data: st.DataObject, force: bool) -> None:  # noqa: FBT001
        commit, version = data.draw(st.sampled_from(self.commits))
        left = [self.settle(name, force=force, old=old) for name, old in version.items()]
        options = ["--force"] if force else []
        code, _ = run(self.root, "checkout", "-q", "--rev", commit, *options)
        assert code == (3 if any(left) else 0)

    @rule()
    def push(self) -> None:
        code, _ = run(self.root, "push", "-q", "--all-commits")
        assert code == 0
        self.pushed = len(self.commits)

    @precondition(lambda self: self.pushed)
    @rule()
    def clone_and_pull(self) -> None:
        commit, version = self.commits[self.pushed - 1]
        clone = self.base / "clone"
        git(self.base, "clone", "-q", "--no-checkout", str(self.root), str(clone))
        git(clone, "checkout", "-q", commit)
        assert run(clone, "remote", "trust", "storage")[0] == 0
        assert run(clone, "pull", "-q")[0] == 0
        assert lying(clone) == whole(version)
        assert json.loads(run(clone, "status", "--json")[1]) == {}
        shutil.rmtree(clone)

    @precondition(lambda self: self.pushed == len(self.commits) and self.recorded == self.head)
    @rule()
    def lose_the_cache_and_fetch(self) -> None:
        shutil.rmtree(self.root / ".datavc/cache")
        assert run(self.root, "fetch", "-q", "--all-commits")[0] == 0
        versions = [version for _, version in self.commits]
        self.saved = {
            text for version in versions for data in version.values() for text in data.values()
        }

    # What must hold

    @invariant()
    def the_workspace_is_what_the_model_says(self) -> None:
        if self.commits:
            assert lying(self.root) == self.here

    @invariant()
    def status_is_clean_exactly_when_the_model_is(self) -> None:
        if not self.commits:
            return
        found = json.loads(run(self.root, "status", "--json")[1])
        as_recorded = all(self.data(output) == data for output, data in self.recorded.items())
        assert ("uncommitted" not in found) == as_recorded, found
        assert ("committed" not in found) == (self.recorded == self.head), found
        assert not {"not_in_cache", "not_fetched", "not_in_remote"} & found.keys(), found

    def every_commit_comes_back(self) -> None:
        clone = self.base / "again"
        git(self.base, "clone", "-q", str(self.root), str(clone))
        with open(clone / ".datavc/config.local.toml", "w", encoding="utf-8") as config:
            config.write(f'[cache]\ndir = "{self.root / ".datavc/cache"}"\n')
        for commit, version in self.commits:
            git(clone, "checkout", "-q", "--force", commit)
            assert run(clone, "checkout", "-q")[0] == 0
            assert lying(clone) == whole(version)


def whole(version: Version) -> Data:
    return {path: text for data in version.values() for path, text in data.items()}


def lying(root: Path) -> Data:
    """Return the data files that lie below `root`."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in (".git", ".datavc")]
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), root)
            if not name.startswith(".") and not name.endswith(".datavc"):
                found[path] = Path(root, path).read_bytes()
    return found


def test_the_tool_does_what_dictionaries_do() -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize="DATAVC_MACHINE" not in os.environ,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
