import os
import sys

import pytest

from datavc.core.stage import Out, ParamsDep, Stage
from datavc.pipeline import denial, sandbox, strace, surroundings, tracing
from datavc.pipeline.executors.base import Action, default_shell
from datavc.pipeline.executors.lines import tail
from datavc.pipeline.executors.local import LocalExecutor
from datavc.pipeline.sandbox import Place

confined_here = pytest.mark.skipif(bool(sandbox.unavailable()), reason=sandbox.unavailable())


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "project"
    for folder in ("data", "src", "secret"):
        (root / folder).mkdir(parents=True)
    (root / "data" / "raw.csv").write_text("raw\n")
    (root / "secret" / "key").write_text("key\n")
    (root / "src" / "main.py").write_text("print('main')\n")
    (root / "src" / "hidden.py").write_text("A = 1\n")
    (root / "params.yaml").write_text("a: 1\n")
    return root


@pytest.fixture
def strictly(root, tmp_path):
    executor = LocalExecutor()
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    def run(stage, **environment):
        place = Place(str(root), str(temporary))
        confined = sandbox.confine(stage, place)
        log = str(tmp_path / "log")
        environment = {**sandbox.environment(str(temporary)), **environment}
        action = Action("s", stage.cmd, str(root), environment, log, default_shell())
        executor.submit(action._replace(confine=confined.confinement))
        return executor.wait(60)[0], tail(log, 50)

    yield run
    executor.close()


def stage(command, deps=(), outs=(), **rest):
    made = tuple(Out(path) for path in outs)
    return Stage("s", "datavc.yaml", (command,), deps=deps, outs=made, line=3, **rest)


@confined_here
def test_a_stage_that_declares_all_runs_as_ever(strictly, root):
    declared = stage(
        f"{sys.executable} src/main.py && cat data/raw.csv params.yaml > out/all && sort out/all"
        " && T=$(mktemp) && echo x > $T && rm $T && head -c 1 /dev/urandom > /dev/null"
        f" && {sys.executable} -c 'import numpy, ctypes, multiprocessing as m; m.Lock()'",
        deps=("data/raw.csv", "src"),
        outs=("out",),
        params=(ParamsDep("params.yaml", ()),),
    )
    (root / "out").mkdir()

    ended, lines = strictly(declared)

    assert ended.succeeded, lines
    assert (root / "out" / "all").read_text() == "raw\na: 1\n"


@confined_here
@pytest.mark.parametrize(
    "command",
    [
        "cat secret/key",
        f"{sys.executable} -c 'open(\"secret/key\")'",
        "sort < secret/key",
        "cp secret/key out/key",
    ],
)
def test_an_undeclared_read_fails_and_is_named(strictly, root, command):
    (root / "out").mkdir()
    declared = stage(command, deps=("data/raw.csv",), outs=("out",))

    ended, lines = strictly(declared)

    assert not ended.succeeded
    denied = denial.find(declared, str(root), lines)
    assert denied.path == "secret/key"
    assert "tried to read" in denied.sentence(declared)
    assert "`deps`" in denied.hint(declared)


@confined_here
def test_an_undeclared_write_fails_and_is_named(strictly, root):
    declared = stage("echo more > data/new", deps=("data/raw.csv",))

    ended, lines = strictly(declared)

    denied = denial.find(declared, str(root), lines)
    assert not ended.succeeded
    assert not (root / "data" / "new").exists()
    assert (denied.path, denied.act) == ("data/new", "write")
    assert denied.hint(declared) == "add data/new to `outs` of stage s"


@confined_here
def test_an_input_cannot_be_changed(strictly, root):
    declared = stage("echo more >> data/raw.csv", deps=("data/raw.csv",))

    ended, lines = strictly(declared)

    assert not ended.succeeded
    assert (root / "data" / "raw.csv").read_text() == "raw\n"
    assert denial.find(declared, str(root), lines) is None


@confined_here
def test_a_new_file_in_an_input_folder_is_refused_as_a_change_of_an_input(strictly, root):
    declared = stage("cp data/raw.csv data/new", deps=("data",))

    ended, lines = strictly(declared)

    denied = denial.find(declared, str(root), lines)
    assert not ended.succeeded
    assert "which it declares among its inputs" in denied.sentence(declared)
    assert "outs" not in denied.hint(declared)


@confined_here
def test_an_undeclared_module_is_named(strictly, root):
    (root / "src" / "main.py").write_text("import hidden\n")
    declared = stage(f"{sys.executable} src/main.py", deps=("src/main.py",))

    ended, lines = strictly(declared)

    assert not ended.succeeded
    assert denial.find(declared, str(root), lines).path == "src/hidden.py"


@confined_here
def test_declared_modules_and_packages_beside_a_script_are_found(strictly, root):
    (root / "src" / "main.py").write_text("import pkg.a, util\nprint(pkg.a.A + util.U)\n")
    (root / "src" / "util.py").write_text("U = 1\n")
    (root / "src" / "pkg").mkdir()
    (root / "src" / "pkg" / "__init__.py").touch()
    (root / "src" / "pkg" / "a.py").write_text("A = 2\n")
    modules = ("src/main.py", "src/util.py", "src/pkg/__init__.py", "src/pkg/a.py")

    ended, lines = strictly(stage(f"{sys.executable} src/main.py", deps=modules))

    assert ended.succeeded, lines
    assert lines == ["3"]


@confined_here
def test_folders_can_be_listed_and_patterns_find_their_files(strictly):
    declared = stage("cat data/*.csv; ls secret", deps=("data/raw.csv",))

    ended, lines = strictly(declared)

    assert ended.succeeded, lines
    assert lines == ["raw", "key"]


@confined_here
def test_what_lies_outside_the_project_is_refused_too(strictly, root, tmp_path):
    (tmp_path / "elsewhere").write_text("x")
    declared = stage(f"cat {tmp_path}/elsewhere")

    ended, lines = strictly(declared)

    denied = denial.find(declared, str(root), lines)
    assert not ended.succeeded
    assert denied.path == str(tmp_path / "elsewhere")
    assert "outside the project" in denied.sentence(declared)


@confined_here
def test_children_are_confined_too(strictly, root):
    ended, _ = strictly(stage("setsid -w sh -c 'sh -c \"cat secret/key\"'"))

    assert not ended.succeeded


def test_an_output_in_a_folder_of_its_own_shares_nothing(root, tmp_path):
    (root / "made").mkdir()
    (root / "made" / ".gitignore").touch()
    declared = stage("true", outs=("made/model", "made/deep/scores"))

    confined = sandbox.confine(declared, Place(str(root), str(tmp_path)))

    assert confined.shared == ()
    assert str(root / "made") in confined.confinement.write
    assert str(root) not in confined.confinement.write


def test_an_output_beside_other_files_shares_their_folder(root, tmp_path):
    declared = stage(
        "true", deps=("data/raw.csv",), outs=("data/clean.csv", "secret/out", "model")
    )

    confined = sandbox.confine(declared, Place(str(root), str(tmp_path)))

    assert confined.shared == ("", "secret")


@confined_here
def test_what_was_written_beside_an_output_is_found_afterwards(strictly, root):
    declared = stage(
        "echo a > secret/out; echo b > secret/more; echo c >> secret/key", outs=("secret/out",)
    )
    before = sandbox.survey(str(root), ("secret",), declared)

    ended, lines = strictly(declared)

    after = sandbox.survey(str(root), ("secret",), declared)
    assert ended.succeeded, lines
    assert sandbox.changed(before, after) == ["secret/key", "secret/more"]


@confined_here
@pytest.mark.skipif(strace.program() is None, reason="strace is not here")
def test_what_was_read_beside_an_output_is_found_by_the_trace(root, tmp_path):
    temporary = tmp_path / "temporary"
    trace = temporary / "trace"
    trace.mkdir(parents=True)
    declared = stage("cat secret/key > secret/out", outs=("secret/out",))
    confined = sandbox.confine(declared, Place(str(root), str(temporary)))
    action = Action("s", declared.cmd, str(root), {}, str(tmp_path / "log"), default_shell())
    action = action._replace(confine=confined.confinement)
    executor = LocalExecutor()

    executor.submit(tracing.watched(action, str(trace), str(root), strace.program()))
    ended = executor.wait(60)[0]
    executor.close()

    assert ended.succeeded
    report = tracing.compare(declared, tracing.collect(str(trace), str(root), str(root)))
    assert sandbox.within(report.undeclared_reads, confined.shared) == ("secret/key",)


def test_a_project_inside_a_folder_of_the_system_is_not_readable_with_it(tmp_path, monkeypatch):
    system = tmp_path / "system"
    root = system / "deep" / "project"
    root.mkdir(parents=True)
    (system / "lib").mkdir()
    (system / "deep" / "other").touch()

    paths = surroundings.readable(str(root), {"PYTHONPATH": str(system), "PATH": ""})

    assert {str(system / "lib"), str(system / "deep" / "other")} <= set(paths)
    assert not any(str(root).startswith(path) for path in paths)


def test_environments_on_the_path_are_readable_and_the_projects_own_folders_are_not(root):
    virtual = root / ".venv"
    (virtual / "bin").mkdir(parents=True)
    (virtual / "pyvenv.cfg").write_text(
        f"home = {os.path.dirname(os.path.realpath(sys.executable))}\n"
    )
    (root / "bin").mkdir()
    path = os.pathsep.join([str(virtual / "bin"), str(root / "bin"), "relative"])

    paths = surroundings.readable(str(root), {"PATH": path, "PYTHONPATH": str(root / "src")})

    assert str(virtual) in paths
    assert not {str(root / "bin"), str(root / "src")} & set(paths)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("PermissionError: [Errno 13] Permission denied: 'secret/key'", "secret/key"),
        ("/bin/bash: line 1: secret/key: Permission denied", "secret/key"),
        ("cat: secret/key: Permission denied", "secret/key"),
        ("ls: cannot open directory 'secret': Permission denied", "secret"),
        ("cp: cannot open 'secret/key' for reading: Permission denied", "secret/key"),
        ('Error: Permission denied (os error 13): "secret/key"', "secret/key"),
    ],
)
def test_refusals_are_read_as_programs_write_them(root, line, path):
    assert denial.find(stage("x"), str(root), ["noise", line]).path == path


@pytest.mark.parametrize(
    ("line", "act"),
    [
        ("PermissionError: [Errno 13] Permission denied: 'secret/key'", "read or write"),
        ("PermissionError: [Errno 13] Permission denied: 'secret/new'", "write"),
        ("cp: cannot open 'secret/key' for reading: Permission denied", "read"),
        ("rm: cannot remove 'secret/key': Permission denied", "write"),
        ("sh: 1: cannot create secret/key: Permission denied", "write"),
    ],
)
def test_a_refusal_says_no_more_than_the_log_shows(root, line, act):
    denied = denial.find(stage("x"), str(root), [line])

    assert denied.act == act
    if act == "read or write":
        expected = "declare it among `deps`, or `outs` if the stage makes it"
        assert denied.hint(stage("x")) == expected


def test_a_failure_of_another_kind_is_not_explained(root):
    lines = ["ValueError: no", "No module named 'surely_nothing'", "Permission denied"]

    assert denial.find(stage("x"), str(root), lines) is None


@pytest.mark.parametrize("deps", [(), ("src/hidden.py",)])
def test_a_module_that_is_not_found_was_not_refused(root, deps):
    declared = stage("x", deps=("src/main.py", *deps))
    lines = ["ModuleNotFoundError: No module named 'hidden'"]

    assert denial.find(declared, str(root), lines) is None
