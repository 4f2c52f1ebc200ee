from pathlib import Path

import pytest

from tests.support.work import Work


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """Return a fresh project whose verbs run in this process."""
    return Work(tmp_path / "work")
