import pytest

from datavc.pipeline.executors.base import Action, default_shell
from datavc.pipeline.executors.local import LocalExecutor


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
