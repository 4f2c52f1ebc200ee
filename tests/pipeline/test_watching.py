import pytest

from datavc.core.errors import ConfigError
from datavc.core.stage import Out, Stage
from datavc.pipeline import sandbox, strace
from datavc.pipeline.executors.base import Action, default_shell
from datavc.pipeline.executors.local import LocalExecutor
from datavc.pipeline.running import WatchOptions
from datavc.pipeline.watching import Watch

confined_here = pytest.mark.skipif(bool(sandbox.unavailable()), reason=sandbox.unavailable())
needs_strace = pytest.mark.skipif(strace.program() is None, reason="strace is not here")


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    (root / "data" / "raw").write_text("raw\n")
    (root / "key").write_text("key\n")
    (tmp_path / "temporary").mkdir()
    return root


@pytest.fixture
def watch(root, tmp_path):
    executor = LocalExecutor()

    def run(command, outs=(), deps=("data",), **options):
        stage = Stage(
            "s", "datavc.yaml", (command,), deps=deps, outs=tuple(map(Out, outs)), line=7
        )
        watch = Watch(str(root), str(tmp_path / "temporary"), "/no-cache", WatchOptions(**options))
        log = str(tmp_path / "log")
        action = Action(stage.address, stage.cmd, str(root), {}, log, default_shell())
        executor.submit(watch.prepare(stage, action))
        ended = executor.wait(60)[0]
        return ended, watch.verdict(stage, ended)

    yield run
    assert list((tmp_path / "temporary").iterdir()) == []
    executor.close()


@needs_strace
def test_a_trace_tells_and_refuses_nothing(watch):
    ended, verdict = watch("cat data/raw key > both", outs=("both",), trace=True)

    assert ended.succeeded
    assert verdict.refusal == ""
    assert verdict.report.undeclared_reads == ("key",)
    assert not verdict.partly


@confined_here
def test_a_confined_stage_that_reads_what_it_must_not_is_told_which(watch):
    ended, verdict = watch("cat key", strict=True)

    assert not ended.succeeded
    assert (
        verdict.refusal
        == "stage s tried to read or write key, but does not declare it (datavc.yaml, line 7)"
    )
    assert verdict.hint == "declare it among `deps`, or `outs` if the stage makes it"


@confined_here
@needs_strace
def test_a_read_that_the_kernel_let_pass_is_refused_afterwards(watch):
    ended, verdict = watch("cat key > both", outs=("both",), strict=True)

    assert ended.succeeded
    assert verdict.refusal == "stage s read key, but does not declare it (datavc.yaml, line 7)"


@confined_here
@pytest.mark.parametrize("here", [True, False])
def test_a_write_that_the_kernel_let_pass_is_refused_afterwards(watch, monkeypatch, here):
    if not here:
        monkeypatch.setenv("PATH", "/no-strace")
    command = "read x < data/raw; echo $x > both; echo > more; echo > of-another"

    _, verdict = watch(command, outs=("both",), strict=True, made={"both", "of-another"})

    assert verdict.refusal == "stage s wrote more, but does not declare it (datavc.yaml, line 7)"
    assert verdict.hint == "add more to `outs` of stage s"


@confined_here
@pytest.mark.parametrize("outs", [(), ("both",)])
def test_names_may_be_read_wherever_the_outputs_lie(watch, root, outs):
    (root / "other").mkdir()

    ended, verdict = watch("ls other; touch both || true", outs=outs, strict=True)

    assert ended.succeeded
    assert verdict.refusal == ""


@confined_here
def test_an_honest_stage_passes(watch):
    ended, verdict = watch("cat data/raw > both && sort both", outs=("both",), strict=True)

    assert ended.succeeded
    assert verdict.refusal == ""


@pytest.mark.skipif(not sandbox.unavailable(), reason="stages can be confined here")
def test_where_stages_cannot_be_confined_it_is_said(root, tmp_path):
    with pytest.raises(ConfigError, match="cannot be confined"):
        Watch(str(root), str(tmp_path), str(tmp_path), WatchOptions(strict=True))
