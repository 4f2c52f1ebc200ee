"""Stage files as short texts, resolved."""

from __future__ import annotations

import textwrap

from datavc.core.paths import RepoPath
from datavc.core.stage import (
    Stage,
    StageFile,
)
from datavc.pipeline.expand import expand
from tests.support.memory_files import MemoryFiles

P = RepoPath


def expanded(text: str, file: str = "datavc.yaml", **others: str) -> StageFile:
    files = {name.replace("__", "/").replace("_", "."): held for name, held in others.items()}
    return expand(P(file), textwrap.dedent(text).encode(), MemoryFiles(files))


def stage(body: str, **others: str) -> Stage:
    """Return the one stage `a` with these keys."""
    text = "stages:\n  a:\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
    return expanded(text, **others).stages[0]


def commands(text: str, **others: str) -> dict[str, str]:
    return {found.name: " ; ".join(found.cmd) for found in expanded(text, **others).stages}
