"""What a stage says, once filled in, as a value: outputs, dependencies, resources and the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple, cast

from datavc.core import paths
from datavc.core.outputs import LOCK_FILE, POINTER_SUFFIX
from datavc.core.paths import RepoPath, is_plain, join
from datavc.core.stage import (
    PARAMS_FILE,
    STAGE_FILE,
    Out,
    OutKind,
    ParamsDep,
    PlotProperties,
    Stage,
    Value,
)
from datavc.formats.stagefile import PLOT_PROPERTIES
from datavc.pipeline.place import Place
from datavc.pipeline.template import text_of
from datavc.repo import config_keys

Map = Mapping[str, Value]

MAX_RETRIES = 1000
"""More is a slip."""

_READ_BY_TOOLS = {STAGE_FILE, LOCK_FILE, ".datavcignore", ".gitignore", ".gitattributes"}

_KINDS: Mapping[str, OutKind] = {"outs": "out", "metrics": "metric", "plots": "plot"}


class Context(NamedTuple):
    """A stage as written (for its lines), its place, and the folder its paths are seen from."""

    raw: Map
    place: Place
    folder: str

    def at(self, key: str, item: int | None = None) -> Place:
        """Return the place of a key, or of an item of the list below it."""
        place = self.place.of(cast("Value", self.raw), key)
        place = place._replace(owner=f"{self.place.owner}{key}: ")
        return place if item is None else place.of(self.raw[key], item)

    def path(self, key: str, item: int, written: str) -> RepoPath:
        """Return what a path in the list below `key` means, seen from the project's root.

        Raises:
            FormatError: it is no path inside the project.
        """
        if is_plain(written):
            return join(self.folder, written)
        return self.at(key, item).path(self.folder, written)


def stage_of(name: str, values: Map, used: Mapping[str, set[str]], context: Context) -> Stage:
    """Return the stage that `values` say; `used` are the keys of files that templates took.

    Raises:
        FormatError: a path is not in the project, an amount is none, an output stands there twice.
    """
    return Stage(
        name=name,
        file=RepoPath(context.place.document.where),
        cmd=_commands(values["cmd"], context),
        wdir=context.folder,
        deps=_deps(values.get("deps"), context),
        params=_params(values.get("params"), context),
        outs=_outs(values, context),
        env=tuple(dict.fromkeys(texts(values.get("env")))),
        resources=_resources(values.get("resources"), context),
        retries=_retries(values.get("retries", 0), context),
        timeout_s=_timeout(values.get("timeout"), context),
        frozen=values.get("frozen") is True,
        always_changed=values.get("always_changed") is True,
        desc=_text(values.get("desc")),
        meta=noted(values.get("meta")),
        line=context.place.line,
        used=tuple(
            ParamsDep(RepoPath(file), tuple(sorted(keys))) for file, keys in sorted(used.items())
        ),
    )


def _text(value: Value) -> str | None:
    return None if value is None or isinstance(value, list | dict) else text_of(value)


def texts(value: Value) -> list[str]:
    """Return the items of a list as text; nothing is an empty list."""
    return [text for item in cast("list[Value]", value or []) if (text := _text(item)) is not None]


def noted(value: Value) -> Map:
    """Return `meta` as a map; what is none is kept as its `note`."""
    if isinstance(value, dict):
        return value
    return {} if value is None else {"note": value}


def _commands(value: Value, context: Context) -> tuple[str, ...]:
    """Return the commands: the items of a list, or the lines of a text, empty ones left out."""
    listed = texts(value) if isinstance(value, list) else (_text(value) or "").splitlines()
    found = tuple(command.strip() for command in listed if command.strip())
    if not found:
        raise context.at("cmd").error("is empty")
    if any("\0" in command for command in found):
        raise context.at("cmd").error("holds a NUL character, which no program can be given")
    return found


def _deps(value: Value, context: Context) -> tuple[RepoPath, ...]:
    found = (context.path("deps", at, text) for at, text in enumerate(texts(value)))
    return tuple(dict.fromkeys(found))


def _params(value: Value, context: Context) -> tuple[ParamsDep, ...]:
    """Return the keys by file, in the order of the first mention; no keys mean the whole file."""
    found: dict[RepoPath, set[str]] = {}
    whole: set[RepoPath] = set()
    for at, item in enumerate(cast("list[Value]", value or [])):
        files: Map = item if isinstance(item, dict) else {PARAMS_FILE: [item]}
        for written, keys in files.items():
            file = context.path("params", at, written)
            listed = texts(keys)
            found.setdefault(file, set()).update(listed)
            if not listed:
                whole.add(file)
    return tuple(
        ParamsDep(file, () if file in whole else tuple(sorted(keys)))
        for file, keys in found.items()
    )


def _outs(values: Map, context: Context) -> tuple[Out, ...]:
    found: dict[RepoPath, Out] = {}
    for section, kind in _KINDS.items():
        for written, (at, properties) in _written(values.get(section)).items():
            path = context.path(section, at, written)
            _check_out(path, found, context.at(section, at))
            found[path] = _out(path, kind, properties)
    return tuple(found.values())


def _check_out(path: RepoPath, others: Collection[RepoPath], place: Place) -> None:
    """Refuse an output that another mention or another reader claims.

    Raises:
        FormatError: it is one of `others`, or of a name that Git or datavc read.
    """
    if path in others:
        raise place.error(f"{path} is an output of this stage already")
    name = paths.name(path).casefold()
    if name in _READ_BY_TOOLS or name.endswith(POINTER_SUFFIX):
        raise place.error(f"{path} is read by Git or datavc", "let the stage make another file")


def _written(value: Value) -> dict[str, tuple[int, list[Map]]]:
    """Return path → first item that names it and the maps below it, of all its mentions."""
    found: dict[str, tuple[int, list[Map]]] = {}
    for at, item in enumerate(cast("list[Value]", value or [])):
        mentioned = item if isinstance(item, dict) else {_text(item) or "": None}
        for written, below in mentioned.items():
            listed = below if isinstance(below, list) else [below or {}]
            found.setdefault(written, (at, []))[1].extend(cast("list[Map]", listed))
    return found


def _out(path: RepoPath, kind: OutKind, listed: list[Map]) -> Out:
    merged: dict[str, Value] = {}
    for one in listed:
        merged.update(one)
    drawn = (plot_properties(one) for one in listed) if kind == "plot" else ()
    return Out(
        path=path,
        kind=kind,
        cache=merged.get("cache") is not False,
        persist=merged.get("persist") is True,
        push=merged.get("push") is not False,
        remote=_text(merged.get("remote")),
        desc=_text(merged.get("desc")),
        type=_text(merged.get("type")),
        labels=tuple(texts(merged.get("labels"))),
        meta=noted(merged.get("meta")),
        plots=tuple(one for one in drawn if one is not None),
    )


def plot_properties(value: Map) -> PlotProperties | None:
    """Return how a plot is drawn, None if nothing is said of it."""
    if not PLOT_PROPERTIES.keys() & value.keys():
        return None
    texts = {key: _text(value.get(key)) for key in PlotProperties._fields if key != "header"}
    return PlotProperties(**texts, header=value.get("header") is not False)


def _resources(value: Value, context: Context) -> tuple[tuple[str, float], ...]:
    found = {}
    for name, amount in cast("Map", value or {}).items():
        read: Callable[[object], float] = config_keys.size if name == "mem" else _amount
        place = context.at("resources").of(context.raw.get("resources"), name)
        found[name] = _read(read, amount, place, name)
    return tuple(sorted(found.items()))


def _amount(value: object) -> float:
    """Read how much of a resource: a number above zero."""
    number = float(str(value))
    if not 0 < number < float("inf"):
        raise ValueError
    return number


def _retries(value: Value, context: Context) -> int:
    number = _read(_amount, value, context.at("retries"), "") if value != 0 else 0
    if number != int(number) or number > MAX_RETRIES:
        raise context.at("retries").error(f"{value} is no number from 0 to {MAX_RETRIES}")
    return int(number)


def _timeout(value: Value, context: Context) -> float | None:
    if value is None:
        return None
    return _read(config_keys.seconds, value, context.at("timeout"), "")


def _read(read: Callable[[object], float], value: Value, place: Place, name: str) -> float:
    """Return a number above zero.

    Raises:
        FormatError: it is none; the message says what is expected.
    """
    try:
        number = read(value)
        if number <= 0:
            raise ValueError("more than zero")
    except ValueError as error:
        expected = str(error) if str(error).startswith(("a ", "an ", "more")) else "a number"
        subject = f"{name}: " if name else ""
        raise place.error(f"{subject}{str(value)[:40]} is not {expected}") from error
    return number
