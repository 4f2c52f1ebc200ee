"""Lock file: JSON, a stage a block, a dependency a line, so that Git merges it.

Read by every status and at every commit of a history, so it is read by C and checked here.
"""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from datavc.core import digest as digests
from datavc.core import paths
from datavc.core.errors import DatavcError, FormatError
from datavc.core.lock import Lock, Locked, LockEntry, Params
from datavc.core.paths import RepoPath

FORMAT = 1
LIMIT = 1 << 26
"""Bytes of the largest lock that is read."""
MAX_COUNT = (1 << 63) - 1
"""The most bytes, or files, that a file system could hold."""

_WAY_OUT = "`git checkout` an older version, or remove it: the run cache answers for what it knew"
_MARKERS = ("<<<<<<< ", ">>>>>>> ", "||||||| ")
_STAGE_KEYS = {"cmd", "wdir", "deps", "params", "env", "outs"}
_FILE_TYPES: dict[str, type] = {
    "path": str,
    "kind": str,
    "digest": str,
    "size": int,
    "files": int,
    "executable": bool,
    "cache": bool,
    "push": bool,
    "remote": str,
}


@functools.lru_cache(maxsize=2)
def parse(data: bytes, where: RepoPath) -> Lock:
    """Return the entries of the lock file `where`, its paths below the project's root.

    Several parts of one command read the same lock; it must not be changed by any.

    Raises:
        FormatError: it is no lock, one of a newer format, or holds the markers of a conflict.
    """
    try:
        return _Reader(where).lock(_load(data, where))
    except FormatError:
        raise
    except DatavcError as error:
        raise FormatError(f"{where}: {error.message}", _WAY_OUT) from error


def render(lock: Mapping[str, LockEntry], where: RepoPath) -> bytes:
    """Return the text of the lock file `where` that holds these entries."""
    folder = paths.parent(where)
    blocks = (f"  {_json(name)}: {_entry(lock[name], folder)}" for name in sorted(lock))
    stages = "{\n" + ",\n".join(blocks) + "\n }" if lock else "{}"
    return f'{{\n "datavc": {FORMAT},\n "stages": {stages}\n}}\n'.encode()


def parse_entry(text: bytes, where: RepoPath) -> tuple[str, LockEntry]:
    """Return the one stage's name and entry that `render_entry` wrote.

    Raises:
        FormatError: it did not.
    """
    found = list(parse(text, where).items())
    if len(found) != 1:
        raise FormatError(f"{where}: a line tells of {len(found)} stages")
    return found[0]


def render_entry(name: str, entry: LockEntry, where: RepoPath) -> bytes:
    """Return one stage's entry as a lock of its own, on one line."""
    return render({name: entry}, where).replace(b"\n", b"") + b"\n"


def _load(data: bytes, where: RepoPath) -> object:
    import json

    if len(data) > LIMIT:
        raise FormatError(f"{where} is larger than {LIMIT >> 20} MiB, which no lock is")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{where}: not UTF-8", _WAY_OUT) from error
    try:
        found: object = json.loads(text, object_pairs_hook=_unique)
        if "\\u" in text:
            _check_characters(found)
    except RecursionError as error:
        raise FormatError(f"{where}: nested too deeply", _WAY_OUT) from error
    except ValueError as error:
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith(_MARKERS):
                raise FormatError(
                    f"{where}:{number}: holds the markers of a conflict",
                    f"keep one side: `git checkout --ours {where}` or `--theirs`, "
                    f"then `datavc repro` and `git add {where}`",
                ) from error
        line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        problem = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise FormatError(f"{where}{line}: not a lock file: {problem}", _WAY_OUT) from error
    return found


def _check_characters(found: object) -> None:
    """Refuse half a character (a lone surrogate), of which JSON can tell but no file.

    Raises:
        ValueError: there is one.
    """
    import json

    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("half a character stands in it") from error


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} stands twice in one place")
    return found


class _Reader:
    """Turns what JSON says into entries; every message names the file and the stage."""

    def __init__(self, where: RepoPath) -> None:
        """Read the lock file `where`; paths in it are seen from its folder."""
        self._where = where
        self._folder = paths.parent(where)
        self._at = ""
        self._known: dict[str, RepoPath] = {}

    def lock(self, found: object) -> Lock:
        """Return the entries."""
        top = self._map(found, "the file")
        version = top.get("datavc")
        if version != FORMAT or version is True:
            newer = isinstance(version, int) and version > FORMAT
            raise self._error(
                f"is of format {version}, which this version does not know"
                if newer
                else 'is no lock file: "datavc": 1 is missing'
            )
        self._only(top, {"datavc", "stages"})
        stages = self._map(top.get("stages", {}), "stages")
        return {name: self._entry(name, stage) for name, stage in stages.items()}

    def _entry(self, name: str, found: object) -> LockEntry:
        self._at = name
        stage = self._map(found, "a stage")
        self._only(stage, _STAGE_KEYS)
        cmd = stage.get("cmd")
        commands = [cmd] if isinstance(cmd, str) else cmd
        if not isinstance(commands, list) or not all(isinstance(one, str) for one in commands):
            raise self._error('"cmd" must be text or a list of texts')
        env = self._map(stage.get("env", {}), '"env"')
        if not all(isinstance(value, str) for value in env.values()):
            raise self._error('"env" must hold digests')
        wdir = stage.get("wdir", ".")
        if not isinstance(wdir, str):
            raise self._error('"wdir" must be text')
        return LockEntry(
            tuple(cast("list[str]", commands)),
            self._below(wdir),
            self._files(stage.get("deps", [])),
            self._params(stage.get("params", {})),
            cast("dict[str, str]", env),
            self._files(stage.get("outs", [])),
        )

    def _params(self, found: object) -> Params:
        files = self._map(found, '"params"').items()
        read = {self._path(file): self._map(values, '"params"') for file, values in files}
        return cast("Params", read)

    def _files(self, found: object) -> tuple[Locked, ...]:
        if not isinstance(found, list):
            raise self._error('"deps" and "outs" must be lists')
        return tuple(map(self._file, found))

    def _file(self, found: object) -> Locked:
        item = self._map(found, "a file")
        for key, value in item.items():
            wanted = _FILE_TYPES.get(key)
            if wanted is None:
                raise self._error(f"has a key that this version does not know: {key!r}")
            impossible = isinstance(value, int) and not 0 <= value <= MAX_COUNT
            if type(value) is not wanted or impossible:
                raise self._error(f"has {key!r} of a wrong kind")
        values = dict(item)
        kind = values.setdefault("kind", "file")
        if "path" not in values or "digest" not in values:
            raise self._error('has a file without "path" or "digest"')
        if kind not in ("file", "directory"):
            raise self._error(f"has a file of an unknown kind: {kind!r}")
        values["path"] = self._path(cast("str", values["path"]))
        if not digests.is_digest(values["digest"]):
            raise self._error(f"has no proper digest for {values['path']}")
        return Locked(**values)  # type: ignore[arg-type]

    def _below(self, text: str) -> str:
        """Return a folder seen from the lock's as one below the root; the root is empty."""
        folder = posixpath.normpath(posixpath.join(self._folder, text))
        return "" if folder == "." else paths.parse(folder)

    def _path(self, text: str) -> RepoPath:
        """Return a path seen from the lock's folder as one below the root."""
        found = self._known.get(text)
        if found is None:
            plain = not self._folder and ".." not in text
            seen = text if plain else posixpath.normpath(posixpath.join(self._folder, text))
            found = self._known[text] = paths.parse(seen)
        return found

    def _map(self, found: object, what: str) -> dict[str, object]:
        if not isinstance(found, dict):
            raise self._error(f"{what} must be a map")
        return found

    def _only(self, found: Mapping[str, object], known: set[str]) -> None:
        strange = found.keys() - known
        if strange:
            raise self._error(f"has a key that this version does not know: {min(strange)!r}")

    def _error(self, problem: str) -> FormatError:
        stage = f"stage {self._at!r} " if self._at else ""
        return FormatError(f"{self._where}: {stage}{problem}", _WAY_OUT)


def _entry(entry: LockEntry, folder: str) -> str:
    cmd = entry.cmd[0] if len(entry.cmd) == 1 else list(entry.cmd)
    params = (
        (_from(folder, file), f"    {_json(_from(folder, file))}: {_sorted(values)}")
        for file, values in entry.params.items()
    )
    env = (f"    {_json(name)}: {_json(value)}" for name, value in sorted(entry.env.items()))
    lines = [
        f'   "cmd": {_json(cmd)}',
        f'   "wdir": {_json(_from(folder, entry.wdir))}',
        f'   "deps": {_block("[]", _files(entry.deps, folder))}',
        f'   "params": {_block("{}", (line for _, line in sorted(params)))}',
        f'   "env": {_block("{}", env)}',
        f'   "outs": {_block("[]", _files(entry.outs, folder))}',
    ]
    return "{\n" + ",\n".join(lines) + "\n  }"


def _files(found: Iterable[Locked], folder: str) -> Iterator[str]:
    for one in sorted(found):
        said: dict[str, object] = {"path": _from(folder, one.path)}
        if one.kind != "file":
            said["kind"] = one.kind
        said["digest"] = one.digest
        if one.size is not None:
            said["size"] = one.size
        if one.files is not None:
            said["files"] = one.files
        said |= {"executable": True} if one.executable else {}
        said |= {} if one.cache else {"cache": False}
        said |= {} if one.push else {"push": False}
        said |= {} if one.remote is None else {"remote": one.remote}
        yield "    " + _json(said)


def _block(brackets: str, lines: Iterable[str]) -> str:
    text = ",\n".join(lines)
    return f"{brackets[0]}\n{text}\n   {brackets[1]}" if text else brackets


def _from(folder: str, path: str) -> str:
    """Return a path below the root as it is seen from `folder`."""
    if not folder:
        return path or "."
    return posixpath.relpath(path or ".", folder)


def _sorted(values: Mapping[str, object]) -> str:
    import json

    return json.dumps(values, ensure_ascii=False, sort_keys=True)


def _json(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
