"""Loose files: what single files were when they were last read, thousands of them in one memo.

Stages depend on files that no output holds, and make files one by one: a stat-cache file for each
would cost more than it saves. The rules are those of the stat cache: an entry counts only if
inode, size, mtime and ctime agree and were older than the moment of reading by the file system's
own clock; what was young counts only until the machine starts anew. A memo: losing it costs time.
"""

from __future__ import annotations

from typing import cast

from datavc.store import memo_file
from datavc.store.stat_cache import boot
from datavc.store.stat_segment import WRITTEN_BACK_NS, StatKey, StatValue, untrusted

_VERSION = 1

_Known = dict[str, tuple[StatKey, tuple[str, int, int, str, bool], int]]
"""Path → stat, what the file was, and the ctime (ns) up to which it was surely on the disk."""


class LooseFiles:
    """The memo of one workspace, in `file`."""

    def __init__(self, file: str) -> None:
        """Use `file`, which need not exist."""
        self._file = file
        self._loaded: _Known | None = None
        self._changed = False

    def get(self, key: StatKey) -> StatValue | None:
        """Return what a file is whose stat is still `key`, its path below the project first."""
        found = self._known.get(key[0])
        return StatValue(*found[1]) if found is not None and found[0] == key else None

    def last(self, path: str) -> StatValue | None:
        """Return what the file at `path` was when it was last read."""
        found = self._known.get(path)
        return StatValue(*found[1]) if found is not None else None

    def put(self, key: StatKey, value: StatValue, probe: int) -> None:
        """Remember what was read of a file; `probe` is the file system's time (ns) before it.

        Nothing is trusted of a file that is as young as that.
        """
        settled = key[3] < probe and key[4] < probe
        self._known[key[0]] = (
            key if settled else untrusted(key),
            (value.content, value.size, value.flags, value.check, value.weak),
            probe - WRITTEN_BACK_NS,
        )
        self._changed = True

    def save(self) -> None:
        """Write down what was put."""
        if self._changed:
            memo_file.write(self._file, _VERSION, (boot(), self._known))
            self._changed = False

    @property
    def _known(self) -> _Known:
        if self._loaded is None:
            found = memo_file.read(self._file, _VERSION)
            noted_in, known = cast("tuple[str, _Known]", found) if found else ("", {})
            if not noted_in or noted_in != boot():
                known = {path: row for path, row in known.items() if row[0][4] <= row[2]}
            self._loaded = known
        return self._loaded
