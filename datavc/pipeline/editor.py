"""The JSON Schema of stage files, and the line with which editors find it.

Editors read a comment at the top of the file and look for the schema by a path from there. The
installed package has no path that is the same for everybody, so the project keeps a copy.
"""

from __future__ import annotations

import os
from contextlib import suppress

from datavc.core.paths import RepoPath
from datavc.repo.layout import FOLDER, SCHEMA, Layout
from datavc.store import atomic

_SHIPPED = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "schema")


def schema_text() -> str:
    """Return the schema as it came with this datavc."""
    with open(os.path.join(_SHIPPED, SCHEMA), encoding="utf-8") as stream:
        return stream.read()


def editor_line(file: RepoPath) -> str:
    """Return the first line of a new stage file, with which editors check and complete it."""
    up = "../" * file.count("/")
    return f"# yaml-language-server: $schema={up}{FOLDER}/{SCHEMA}\n"


def write_schema(layout: Layout) -> None:
    """Write the project's copy of the schema, unless it is there as it should be."""
    file, text = os.path.join(layout.folder, SCHEMA), schema_text()
    with suppress(OSError, UnicodeDecodeError), open(file, encoding="utf-8") as stream:
        if stream.read() == text:
            return
    atomic.write_text(file, text, durable=False)
