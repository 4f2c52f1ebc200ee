"""Read and change settings. Works outside a project too, and where a setting is wrong.

What goes into the tracked file is checked before it is written: no secret, nothing that would not
count from there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NamedTuple

from datavc.core import paths
from datavc.core.errors import ConfigError, NotARepository
from datavc.core.paths import RepoPath
from datavc.remote.address import redacted
from datavc.repo import config as configuration
from datavc.repo import config_files, config_remotes, consent, pointers
from datavc.repo.config_keys import WITHOUT_EFFECT, Level, known_key, split_remote
from datavc.repo.git import Git
from datavc.repo.layout import FOLDER, LOCAL_CONFIG, Layout, find

_OWN_FILE = RepoPath(f"{FOLDER}/{LOCAL_CONFIG}")


class Value(NamedTuple):
    """One setting as it may be printed, the level that it stands on, and the file."""

    name: str
    value: str
    level: Level
    origin: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A setting that was written to, or taken out of, `file`; None where nothing was to be set."""

    name: str
    file: str | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where settings are read and changed: as seen from `start`, on one level or on all."""

    start: str
    overrides: Mapping[str, str]
    level: Level | None = None

    @property
    def layout(self) -> Layout | None:
        """The project around `start`, if there is one."""
        try:
            return project(self.start)
        except NotARepository:
            return None

    def file(self) -> tuple[Level, str]:
        """Return level and file that a change goes to: the tracked one if none is chosen.

        Raises:
            NotARepository: it would be a project's, and there is none.
        """
        level = self.level or "project"
        layout = project(self.start) if level in ("project", "local") else self.layout
        return level, config_files.files(layout)[level]

    def layers(self) -> tuple[config_files.Layer, ...]:
        """Return what the levels say, weakest first; only the chosen one if there is one."""
        if self.level is not None:
            level, file = self.file()
            return (config_files.read_layer(level, file),)
        return config_files.layers(self.layout, self.overrides)


def project(start: str) -> Layout:
    """Return the project around `start`; in Git it must not bring what is the user's alone.

    Raises:
        NotARepository: there is none.
        DatavcError: Git tracks what counts as the user's own settings.
    """
    layout = find(start)
    with suppress(NotARepository):
        Git(layout.root).check_own_folder()
    return layout


def keep_from_git(layout: Layout) -> None:
    """Make sure that Git ignores the settings of this clone alone, which may hold secrets.

    Raises:
        ConfigError: a line of the repository's takes them back in.
    """
    with suppress(NotARepository):
        git = Git(layout.root)
        if git.ignored([_OWN_FILE]):
            return
        pointers.add_ignore_lines(
            layout.root, {RepoPath(FOLDER): [(paths.name(_OWN_FILE), False)]}
        )
        if not git.ignored([_OWN_FILE]):
            raise ConfigError(
                f"Git does not ignore {_OWN_FILE}, which may hold secrets",
                f"take the line that begins with `!` out of {FOLDER}/.gitignore",
            )


def listing(place: Place) -> tuple[Value, ...]:
    """Return everything that is set, level by level, the weakest first; secrets as stars."""
    return tuple(
        Value(name, config_remotes.shown(name, value), layer.level, layer.origin)
        for layer in place.layers()
        for name, value in layer.values.items()
    )


def get(place: Place, name: str) -> Value | None:
    """Return the value of a setting that holds, None if nobody set it; a secret as stars.

    Raises:
        ConfigError: there is no such setting.
    """
    if name not in WITHOUT_EFFECT:
        known_key(name, "")
    found = [value for value in listing(place) if value.name == name]
    return found[-1] if found else None


def change(place: Place, name: str, value: str) -> Changed:
    """Set one setting.

    Raises:
        ConfigError: unknown, malformed, or nothing that the tracked file may say.
    """
    if name in WITHOUT_EFFECT:
        return Changed(name, None, (f"{name} has no effect: {WITHOUT_EFFECT[name]}",))
    level, file = place.file()
    if name == "cache.dir" or ((remote := split_remote(name)) and remote[1] == "url"):
        value = _as_stored(value, place.start, level, file)
    stored = config_files.stored(name, value, "")
    if level == "project":
        _check_tracked(place, name, value)
    if level == "local":
        keep_from_git(project(place.start))
    config_files.edit(file, {name: stored}, level)
    agree(place, name)
    return Changed(name, file)


def unset(place: Place, name: str) -> Changed:
    """Take one setting out of its file; one that nobody knows can be taken out too.

    Raises:
        ConfigError: it is not set there.
    """
    level, file = place.file()
    layer = config_files.read_layer(level, file, check=False)
    if name not in layer.values:
        raise ConfigError(
            f"{name} is not set in {file}", "`datavc config --list --show-origin` shows what is"
        )
    config_files.edit(file, {name: None}, level)
    agree(place, name)
    return Changed(name, file)


def agree(place: Place, name: str) -> None:
    """Record consent to a remote that the user just described with their own words."""
    remote = split_remote(name)
    layout = place.layout
    if remote is None or layout is None:
        return
    settled = configuration.load(layout, {})
    if remote[0] in settled.remotes:
        consent.agree(layout, [settled.remotes[remote[0]]])


def _as_stored(value: str, start: str, level: Level, file: str) -> str:
    """Return a path as its file keeps it: relative to a project's file, else absolute."""
    if not config_remotes.is_local(value) or value.startswith("~") or os.path.isabs(value):
        return value
    absolute = os.path.normpath(os.path.join(start, value))
    if level in ("project", "local"):
        return os.path.relpath(absolute, os.path.dirname(file))
    return absolute


def _check_tracked(place: Place, name: str, value: str) -> None:
    """Refuse what must not stand, or does not count, in the file that Git tracks."""
    remote = split_remote(name)
    command = (
        f"remote modify --local {remote[0]} {remote[1]}" if remote else f"config --local {name}"
    )
    hint = f"`datavc {command} …` sets it for this clone, `--global` for you everywhere"
    if config_remotes.is_secret(name) or redacted(value) != value:
        raise ConfigError(f"{name} is a secret, which the tracked config must never hold", hint)
    layout = project(place.start)
    probe = config_files.Layer("project", layout.config, layout.folder, {name: value})
    if configuration.refusal(name, probe, layout):
        raise ConfigError(f"{name} = {value} does not count from the tracked config", hint)
    if remote:
        url = _url(replace(place, level=None), remote[0])
        if not config_remotes.counts_when_tracked(remote[1], url):
            raise ConfigError(
                f"{remote[1]} of remote {remote[0]} does not count from the tracked config", hint
            )


def _url(place: Place, name: str) -> str:
    setting = config_remotes.collect(place.layers()).get(name, {}).get("url")
    return str(setting.value) if setting else ""
