"""The levels of configuration: where each stands, how it is read, and how one value is changed.

A file is read whole or refused with its name and line; nothing in it is acted on here. Written
files are replaced at once, with their comments; those that may hold secrets have mode 0600.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from datavc.core.errors import ConfigError, FormatError
from datavc.core.nearest import nearest
from datavc.repo.config_keys import (
    SECTIONS,
    WITHOUT_EFFECT,
    Level,
    known_key,
    read_value,
    split_remote,
)
from datavc.repo.layout import Layout
from datavc.store import atomic

APPLICATION = "datavc"
FILE_LIMIT = 1 << 20
"""Bytes of the largest configuration file: thousands of remotes fit."""

MOST_DOTS = 100
"""Dots in one line at most: the standard library's time for a dotted key grows with the square."""

_LINE = re.compile(r"(.*?)\s*\(at line (\d+), column \d+\)", re.DOTALL)
_CONFLICT = re.compile(rb"^(?:<{7}|>{7}) ", re.MULTILINE)


class Layer(NamedTuple):
    """What one level says: `values` is key → value as written; relative paths start at `base`."""

    level: Level
    origin: str
    base: str
    values: Mapping[str, object]


def user_file() -> str:
    """Return the user's own configuration file."""
    return os.path.join(_folder("XDG_CONFIG_HOME", "~/.config", "user_config_dir"), "config.toml")


def system_file() -> str:
    """Return the configuration file of all users of this machine."""
    return os.path.join(_folder("XDG_CONFIG_DIRS", "/etc/xdg", "site_config_dir"), "config.toml")


def user_data_folder() -> str:
    """Return the folder for what datavc remembers about this user."""
    return _folder("XDG_DATA_HOME", "~/.local/share", "user_data_dir")


def _folder(variable: str, default: str, kind: str) -> str:
    """Return a folder by the XDG rules (the first of a list), elsewhere by those of the platform.

    platformdirs knows both, but takes 9 ms to import, which every command would pay.
    """
    if sys.platform == "linux":
        named = os.environ.get(variable, "").split(":")[0]
        base = named if os.path.isabs(named) else os.path.expanduser(default)
        return os.path.join(base, APPLICATION)
    import platformdirs

    return str(getattr(platformdirs, kind)(APPLICATION, appauthor=False))


def files(layout: Layout | None) -> dict[Level, str]:
    """Return level → file, weakest first; without a project the last two are not there."""
    found: dict[Level, str] = {"system": system_file(), "user": user_file()}
    if layout is not None:
        found |= {"project": layout.config, "local": layout.local_config}
    return found


def read_bytes(file: str, *, follow: bool, limit: int = FILE_LIMIT) -> bytes | None:
    """Return a file's bytes, None if there is no file; a link in a project is not followed."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    try:
        fd = os.open(file, flags)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if not follow and os.path.islink(file):
            raise ConfigError(f"{file} is a symbolic link, and is not followed") from error
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    with open(fd, "rb") as stream:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ConfigError(f"{file} is not a file")
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise FormatError(f"{file} is larger than {limit} bytes, more than it can need")
    return data


def _parse(data: bytes, file: str) -> dict[str, object]:
    import tomllib

    if _CONFLICT.search(data):
        raise FormatError(
            f"{file} holds the marks of a merge conflict", "edit the file, then `git add` it"
        )
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.count(b".") > MOST_DOTS:
            raise FormatError(f"{file}, line {number}: more than {MOST_DOTS} dots")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise FormatError(f"{file} is not UTF-8 text") from error
    except RecursionError as error:
        raise FormatError(f"{file} is nested too deeply") from error
    except ValueError as error:
        found = _LINE.fullmatch(str(error))
        place, why = (f"{file}, line {found[2]}", found[1]) if found else (file, str(error))
        raise FormatError(f"{place}: {why}", 'the file is TOML: key = "value"') from error


def _entries(section: str, table: Mapping[str, object], file: str) -> Iterable[tuple[str, object]]:
    for name, value in table.items():
        if section != "remote":
            yield f"{section}.{name}", value
        elif isinstance(value, dict):
            for option, inner in value.items():
                yield f"remote.{name}.{option}", inner
        else:
            raise ConfigError(f"{file}: remote.{name} is not a table", f"write [remote.{name}]")


def _flatten(document: Mapping[str, object], file: str) -> dict[str, object]:
    values: dict[str, object] = {}
    for section, table in document.items():
        if section not in SECTIONS:
            near = nearest(section, SECTIONS)
            hint = f"did you mean `[{near}]`?" if near else f"there are {', '.join(SECTIONS)}"
            raise ConfigError(f"{file}: there is no section {section!r}", hint)
        if not isinstance(table, dict):
            raise ConfigError(f"{file}: {section} is not a table", f"write [{section}]")
        values.update(_entries(section, table, file))
    return values


def read_layer(level: Level, file: str, *, check: bool = True) -> Layer:
    """Return what `file` says; a file that is not there says nothing.

    Without `check` the keys and values may be any, as for taking a wrong one out.

    Raises:
        FormatError: not TOML; names file and line.
        ConfigError: an unknown key or a wrong value; names file and key.
    """
    data = read_bytes(file, follow=level in ("system", "user"))
    values = _flatten(_parse(data, file), file) if data else {}
    for name, value in values.items() if check else ():
        if name not in WITHOUT_EFFECT:
            read_value(name, value, file)
    return Layer(level, file, os.path.dirname(file), values)


def _remote_variable(variable: str, remotes: Iterable[str]) -> str:
    """Return the key that `DATAVC_REMOTE_NAME_OPTION` sets: the longest known name wins."""
    rest = variable.removeprefix("DATAVC_REMOTE_")
    for name in sorted(remotes, key=len, reverse=True):
        folded = re.sub(r"[^A-Z0-9]", "_", name.upper()) + "_"
        if rest.startswith(folded) and len(rest) > len(folded):
            return f"remote.{name}.{rest[len(folded) :].lower()}"
    if rest.endswith("_URL") and len(rest) > len("_URL"):
        return f"remote.{rest[: -len('_URL')].lower()}.url"
    raise ConfigError(
        f"the environment sets {variable}, but there is no remote of that name",
        "DATAVC_REMOTE_NAME_URL makes one",
    )


def environment(environ: Mapping[str, str], remotes: Iterable[str]) -> Layer:
    """Return what `DATAVC_SECTION_KEY` variables say; empty ones and other names say nothing.

    `remotes` are those that the files name. Relative paths start at the current folder.
    """
    values: dict[str, object] = {}
    names = set(remotes)
    found = [name for name in environ if name.startswith("DATAVC_") and environ[name]]
    for variable in sorted(found, key=lambda name: (not name.endswith("_URL"), name)):
        section, _, key = variable.removeprefix("DATAVC_").lower().partition("_")
        if section not in SECTIONS or not key:
            continue
        name = _remote_variable(variable, names) if section == "remote" else f"{section}.{key}"
        read_value(name, environ[variable], f"environment variable {variable}")
        values[name] = environ[variable]
        if remote := split_remote(name):
            names.add(remote[0])
    return Layer("env", "environment", os.getcwd() if values else "", values)


def command_line(overrides: Mapping[str, str]) -> Layer:
    """Return what `-c key=value` says. Relative paths start at the current folder."""
    for name, value in overrides.items():
        read_value(name, value, f"-c {name}")
    return Layer("command", "-c", os.getcwd() if overrides else "", overrides)


def layers(layout: Layout | None, overrides: Mapping[str, str]) -> tuple[Layer, ...]:
    """Return all levels but the built-in defaults, weakest first."""
    found = [read_layer(level, file) for level, file in files(layout).items()]
    last = command_line(overrides)
    remotes = {
        remote[0]
        for layer in (*found, last)
        for key in layer.values
        if (remote := split_remote(key))
    }
    return (*found, environment(os.environ, remotes), last)


def stored(name: str, value: str, where: str) -> object:
    """Return the TOML value that is kept for what the user typed.

    Raises:
        ConfigError: unknown key, or not a value that it takes.
    """
    typed = value.strip()
    found = read_value(name, typed, where)
    if isinstance(found, tuple):
        typed_words = [word.strip() for word in typed.split(",") if word.strip()]
        return list(found) if all(isinstance(one, str) for one in found) else typed_words
    if isinstance(found, bool):
        return typed if typed.lower() == "group" else found
    if isinstance(found, (int, float)):
        return int(typed) if typed.isdigit() else typed
    return typed if known_key(name, where).read(typed) == typed else found


def _sections(name: str) -> tuple[list[str], str]:
    if remote := split_remote(name):
        return ["remote", remote[0]], remote[1]
    section, _, key = name.partition(".")
    return [section], key


def _change(document: object, changes: Mapping[str, object]) -> None:
    """Set each key, or remove it where its value is None; emptied tables go too."""
    import tomlkit

    for name, value in changes.items():
        sections, key = _sections(name)
        path = [document]
        for section in sections:
            if section not in path[-1]:  # type: ignore[operator]
                super_table = section == "remote"
                path[-1][section] = tomlkit.table(super_table)  # type: ignore[index]
            path.append(path[-1][section])  # type: ignore[index]
        if value is not None:
            path[-1][key] = value  # type: ignore[index]
            continue
        path[-1].pop(key, None)  # type: ignore[attr-defined]
        for parent, section in reversed(list(zip(path, sections, strict=False))):
            if not parent[section]:  # type: ignore[index]
                del parent[section]  # type: ignore[attr-defined]


def edit(file: str, changes: Mapping[str, object], level: Level) -> None:
    """Set or (None) remove settings in `file`; all else in it stays, comments too.

    Raises:
        FormatError: the file is not TOML, and is left alone.
    """
    import tomlkit

    private = level in ("user", "local")
    target = os.path.realpath(file) if level in ("system", "user") else file
    data = read_bytes(target, follow=False)
    _parse(data or b"", target)
    document = tomlkit.parse((data or b"").decode("utf-8"))
    _change(document, changes)
    os.makedirs(os.path.dirname(target), mode=0o700 if private else 0o755, exist_ok=True)
    atomic.write_text(target, tomlkit.dumps(document), mode=0o600 if private else 0o644)
