"""The victim's machine, and the promise that holds for every test here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stranger import Machine, Stranger


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Return the victim's machine; at the end nothing outside the clone may have changed."""
    found = Machine(tmp_path)
    yield found
    found.check()


@pytest.fixture
def stranger(machine: Machine) -> Stranger:
    """Return a stranger's repository with datavc in it."""
    return machine.stranger()
