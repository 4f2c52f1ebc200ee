"""The values of parameters: keys of files that people edit, as they are at one moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from datavc.core.errors import DatavcError, FormatError
from datavc.core.nearest import nearest
from datavc.core.paths import RepoPath
from datavc.core.stage import ParamsDep, Value
from datavc.formats.data_keys import find, flat_keys
from datavc.repo.files import Files

Parsed: TypeAlias = dict[RepoPath, Value]
"""What files of one `Files` said, shared by those who read them: None is a file that is absent."""


class NoParameterError(DatavcError):
    """A parameter file, or a key of one, is not there."""


def load_file(path: RepoPath, files: Files, parsed: Parsed) -> dict[str, Value] | None:
    """Return the keys of a parameter file, None if it is not there; each is parsed once.

    Raises:
        FormatError: it does not parse, or is no map of keys; the message names file and line.
        PathError: it cannot be read.
    """
    if path not in parsed:
        from datavc.formats.data_file import load_data

        data = files.read(path)
        value = None if data is None else load_data(path, data)
        parsed[path] = {} if value is None and data is not None else value
    value = parsed[path]
    if value is not None and not isinstance(value, dict):
        raise FormatError(f"{path}: has no keys: it is a list or a single value")
    return value


def read_params(
    deps: Iterable[ParamsDep],
    files: Files,
    parsed: Parsed | None = None,
    *,
    partial: bool = False,
) -> dict[RepoPath, dict[str, Value]]:
    """Return file → key → value of all that `deps` name; a whole file gives its top keys.

    With `partial` what is missing is left out, a missing file altogether.

    Raises:
        NoParameterError: a file or a key is missing.
        FormatError: a file does not parse; the message names the line.
    """
    memory: Parsed = {} if parsed is None else parsed
    found: dict[RepoPath, dict[str, Value]] = {}
    for dep in deps:
        value = load_file(dep.file, files, memory)
        if value is None and partial:
            continue
        if value is None:
            raise _no_file(dep)
        found.setdefault(dep.file, {}).update(_keys(dep, value, partial=partial))
    return found


def _keys(dep: ParamsDep, value: dict[str, Value], *, partial: bool) -> dict[str, Value]:
    if not dep.keys:
        return value
    found = {}
    for key in dep.keys:
        try:
            found[key] = find(value, key)
        except KeyError:
            if not partial:
                raise _no_key(dep.file, key, value) from None
    return found


def _no_file(dep: ParamsDep) -> NoParameterError:
    wanted = f"the parameter {dep.keys[0]}" if dep.keys else "all parameters"
    return NoParameterError(
        f"{dep.file} is not there, from which {wanted} should be read",
        "write the file, or take it out of `params` of the stage",
    )


def _no_key(file: RepoPath, key: str, value: dict[str, Value]) -> NoParameterError:
    near = nearest(key, flat_keys(value)[:1000])
    return NoParameterError(
        f"{file} has no parameter {key}",
        f"did you mean {near}?" if near else f"write it into {file}, or take it out of the stage",
    )
