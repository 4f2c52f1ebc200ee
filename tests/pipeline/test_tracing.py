import os
import sys

import pytest

from datavc.core.stage import Out, ParamsDep, Stage
from datavc.pipeline import strace, tracing
from datavc.pipeline.executors.base import Action, default_shell
from datavc.pipeline.executors.lines import tail
from datavc.pipeline.executors.local import LocalExecutor
from datavc.pipeline.tracing import Traced

needs_strace = pytest.mark.skipif(strace.program() is None, reason="strace is not here")
WAYS = ["python", pytest.param("strace", marks=needs_strace)]


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    (root / "src").mkdir()
    (root / "data" / "raw.csv").write_text("raw\n")
    (root / "data" / "e\u0301 t.csv").write_text("other\n")
    (root / "src" / "shared.py").write_text("import os\n")
    return root


@pytest.fixture
def trace(project, tmp_path):
    executor = LocalExecutor()

    def run(command, way, **environment):
        folder = tmp_path / "trace"
        folder.mkdir()
        log = str(tmp_path / "log")
        action = Action("s", (command,), str(project), environment, log, default_shell())
        program = strace.program() if way == "strace" else None
        executor.submit(tracing.watched(action, str(folder), str(project), program))
        ended = executor.wait(60)[0]
        assert ended.succeeded, (ended, tail(log))
        return tracing.collect(str(folder), str(project), str(project))

    yield run
    executor.close()


def python(text):
    return f"{sys.executable} - <<'END'\n{text}\nEND"


@pytest.mark.parametrize("way", WAYS)
def test_python_stages_are_seen(trace, project, way):
    (project / "src" / "main.py").write_text(
        "import os, shared\n"
        "open('data/raw.csv').read()\n"
        "open('data/e\u0301 t.csv').read()\n"
        "os.path.exists('data/none')\n"
        "os.makedirs('out/deep', exist_ok=True)\n"
        "with open('out/deep/a~', 'w') as f: f.write('x')\n"
        "os.rename('out/deep/a~', 'out/deep/a')\n"
        "os.makedirs('data', exist_ok=True)\n"
    )

    traced = trace(f"{sys.executable} src/main.py", way)

    assert {"data/raw.csv", "data/e\u0301 t.csv", "src/main.py", "src/shared.py"} <= traced.read
    assert {"out/deep", "out/deep/a"} <= traced.written
    assert not {"out/deep/a~", "data", "data/raw.csv", "data/none"} & traced.written
    assert (traced.how, traced.complete) == (way, way == "strace")
    assert not any("__pycache__" in path for path in traced.read | traced.written)


@needs_strace
def test_any_program_is_seen_from_wherever_it_works(trace):
    traced = trace(
        "cd data && cat raw.csv > ../copy && mv ../copy ../moved && ls . > /dev/null", "strace"
    )

    assert traced.read == {"data/raw.csv"}
    assert traced.written == {"moved"}
    assert traced.listed == {"data"}


def test_the_stages_own_sitecustomize_still_runs(trace, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "sitecustomize.py").write_text("import builtins\nbuiltins.mark = 'seen'\n")

    trace(
        python(
            "import sys; assert mark == 'seen'; assert not any('audit' in p for p in sys.path)"
        ),
        "python",
        PYTHONPATH=str(other),
    )


def test_a_python_without_another_sitecustomize_starts_as_ever(trace):
    trace(python("import sys, os\nassert os.environ['PYTHONPATH']\nopen(0).read()"), "python")


def test_children_of_a_python_are_seen_too(trace):
    traced = trace(
        python(
            "import subprocess, sys, os\n"
            "subprocess.run([sys.executable, '-c', 'open(\"data/raw.csv\")'], check=True)\n"
            "if os.fork() == 0: open('forked', 'w'); os._exit(0)\n"
            "os.wait()"
        ),
        "python",
    )

    assert "data/raw.csv" in traced.read
    assert "forked" in traced.written


def test_installed_code_and_bookkeeping_are_no_inputs(trace, project):
    for folder in ("env", ".git", ".datavc"):
        (project / folder).mkdir()
        (project / folder / "file").touch()
    (project / "env" / "pyvenv.cfg").touch()

    traced = trace(python("for d in 'env', '.git', '.datavc': open(d + '/file')"), "python")

    assert traced.read == set()


def stage(**fields):
    return Stage("s", "datavc.yaml", ("true",), **fields)


def traced(read=(), written=(), listed=(), complete=True):
    how = "strace" if complete else "python"
    return Traced(frozenset(read), frozenset(written), frozenset(listed), complete, how)


def test_what_is_declared_is_no_finding():
    declared = stage(
        deps=("src", "data/raw.csv"),
        params=(ParamsDep("params.yaml", ("a",)),),
        outs=(Out("model"), Out("out/m.json", kind="metric")),
    )
    seen = traced(
        read={"src/a/b.py", "data/raw.csv", "params.yaml", "model/w"},
        written={"model", "model/w", "out", "out/m.json"},
        listed={"src", "data", "model"},
    )

    assert tracing.compare(declared, seen) == ((), (), (), ())


def test_what_is_not_declared_is_told():
    seen = traced(
        read={"src/a.py", "lib/b.py", "scratch"},
        written={"logs", "logs/a", "data/raw.csv", "scratch", "cache/x"},
        listed={"other", "lib"},
    )
    declared = stage(deps=("src", "data/raw.csv", "never"), outs=(Out("out"),))

    report = tracing.compare(declared, seen, ignored={"cache/x"})

    assert report.undeclared_reads == ("lib/b.py", "other")
    assert report.undeclared_writes == ("data/raw.csv", "logs", "scratch")
    assert report.ignored_writes == ("cache/x",)
    assert report.unused_deps == ("never",)


def test_nothing_is_called_unused_where_not_every_program_was_seen():
    assert tracing.compare(stage(deps=("never",)), traced(complete=False)).unused_deps == ()


def test_a_record_of_strace_is_read_line_by_line():
    record = (
        b'openat(AT_FDCWD</p>, "a", O_RDONLY) = 3</p/a>\n'
        b'openat(AT_FDCWD</p>, "no", O_RDONLY) = -1 ENOENT (No such file or directory)\n'
        b'openat(AT_FDCWD</p/\\303\\251>, "denied", O_RDONLY) = -1 EACCES (Permission denied)\n'
        b'rename("x", "y \\"q\\"") = 0\n'
        b'openat(5</q>, "rel", O_RDWR|O_CREAT, 0666) = 6</q/rel>\n'
        b'openat(AT_FDCWD</p>, "cut'
    )

    assert strace.parse(record, "/start") == [
        ("r", "/p/a"),
        ("r", "/p/\u00e9/denied"),
        ("w", '/p/\u00e9/y "q"'),
        ("r", "/q/rel"),
        ("w", "/q/rel"),
    ]


def test_the_hooks_folder_holds_nothing_else():
    assert [name for name in os.listdir(tracing._HOOK) if name.endswith(".py")] == [
        "sitecustomize.py"
    ]
