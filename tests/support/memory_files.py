"""Files of no disk: a twin of what pipelines read from."""

from __future__ import annotations

from collections.abc import Mapping

from datavc.core.paths import RepoPath, name
from datavc.core.stage import STAGE_FILE


class MemoryFiles:
    """Texts by their paths; `asked` lists what was read, in order."""

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self._texts = dict(texts or {})
        self.asked: list[str] = []

    def read(self, path: RepoPath) -> bytes | None:
        self.asked.append(path)
        text = self._texts.get(path)
        return None if text is None else text.encode()

    def stage_files(self) -> list[RepoPath]:
        return sorted(RepoPath(path) for path in self._texts if name(path) == STAGE_FILE)
