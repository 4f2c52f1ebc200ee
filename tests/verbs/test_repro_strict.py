"""Runs held to what stages declare, as a user meets them: scripts with modules of their own."""

from __future__ import annotations

import sys

import pytest

from datavc.pipeline import sandbox
from tests.support.pipeline import Pipelines

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=sandbox.unavailable())


@pytest.fixture
def work(tmp_path) -> Pipelines:
    """A script with two modules, one of them in a package; no stage yet."""
    work = Pipelines(tmp_path / "work")
    work.write("m.py", "from pkg.a import A\nfrom util import V\nprint(A + V)\n")
    work.write("util.py", "V = 1\n")
    work.write("pkg/__init__.py", "")
    work.write("pkg/a.py", "A = 2\n")
    return work


def script(*deps: str) -> dict[str, object]:
    """Return a project of one stage that runs the script."""
    return {"s": {"cmd": f"{sys.executable} m.py", "deps": ["m.py", *deps]}}


def test_declared_modules_of_the_project_can_be_imported(work):
    work.define(script("util.py", "pkg/__init__.py", "pkg/a.py"))

    assert work.repro("--strict").actions == {"s": "run"}


def test_an_undeclared_module_is_refused_and_named(work):
    work.define(script("pkg"))

    said = work.do("repro", "--strict", code=1).stderr

    assert "util.py, but does not declare it (datavc.yaml, line " in said
    assert "declare it among `deps`" in said


def test_a_declared_module_that_python_does_not_find_is_no_refusal(work):
    work.write("lib/deep.py", "")
    work.write("m.py", "import deep\n")
    work.define(script("lib/deep.py", "util.py"))

    done = work.do("repro", "--strict", code=1)

    assert "No module named 'deep'" in done.stdout
    assert done.stderr == "Error: s: exited with 1\n"


@pytest.mark.parametrize("made", ["", "made"])
def test_what_a_trace_declared_is_enough_to_run_strictly(work, made):
    cmd, outs = f"{sys.executable} m.py > {made or '/dev/null'}", f"[{made}]"
    stage = f"stages:\n  s:\n    cmd: {cmd}\n    deps: [m.py]\n    outs: {outs}\n"
    work.write("datavc.yaml", stage)

    work.do("repro", "--trace", "--fix")

    declared = work.read("datavc.yaml").decode()
    assert "util.py" in declared
    assert "pkg/a.py" in declared
    assert work.repro("--force", "--strict").actions == {"s": "run"}
