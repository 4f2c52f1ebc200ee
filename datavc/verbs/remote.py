"""Add, list, change and trust remotes. What the user writes here is their consent to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from datavc.core.errors import ConfigError
from datavc.core.nearest import nearest
from datavc.core.remotes import RemoteConfig
from datavc.remote import address
from datavc.repo import config as configuration
from datavc.repo import config_files, config_remotes, consent
from datavc.repo.config_files import Layer
from datavc.repo.config_keys import REMOTE_NAME, Level, split_remote
from datavc.repo.layout import Layout
from datavc.verbs import config as settings
from datavc.verbs.config import Changed, Place, Value

WRITABLE: tuple[Level, ...] = ("local", "project", "user", "system")
"""Levels that are files, the nearest to the user's work first."""
_DEFAULT = "core.remote"


@dataclass(frozen=True, slots=True)
class Row:
    """One remote: its address as it may be printed, and whether it may be used from here."""

    name: str
    url: str
    default: bool
    trusted: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """All remotes, in the order in which they were written."""

    rows: tuple[Row, ...]
    warnings: tuple[str, ...] = ()

    def to_json(self) -> tuple[Row, ...]:
        """Return the rows alone."""
        return self.rows


@dataclass(frozen=True, slots=True)
class Trusted:
    """What the user agreed to just now, each as one sentence."""

    remotes: tuple[str, ...]


def add(
    place: Place, name: str, url: str, *, default: bool = False, force: bool = False
) -> Changed:
    """Describe a new remote; with `default`, push and pull use it from here on.

    Raises:
        ConfigError: there is one of that name (unless `force`), or no remote can be at `url`.
    """
    if not REMOTE_NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} cannot be the name of a remote", "letters, digits, `-`, `_` and `.` can"
        )
    level, file = place.file()
    old = [key for key in config_files.read_layer(level, file).values if _is_of(key, name)]
    if old and not force:
        raise ConfigError(
            f"there is a remote {name} already",
            f"`datavc remote modify {name} url {url}` changes it, `-f` replaces it",
        )
    _check_url(place, url)
    if old:
        config_files.edit(file, dict.fromkeys(old), level)
    settings.change(place, f"remote.{name}.url", url)
    config_files.edit(file, {f"remote.{name}.layout": "plain"}, level)
    settings.agree(place, f"remote.{name}.layout")
    if default:
        settings.change(place, _DEFAULT, name)
    return Changed(name, file)


def _check_url(place: Place, url: str) -> None:
    """Refuse an address that could never be spoken to."""
    base, _, _ = url.removeprefix("remote://").partition("/")
    if url.startswith("remote://"):
        _known(place, base)
        return
    layout = place.layout
    extra = configuration.load(layout, place.overrides).protocols if layout else ()
    address.parse(url, frozenset(extra))


def _is_of(key: str, name: str) -> bool:
    remote = split_remote(key)
    return remote is not None and remote[0] == name


def _names(layers: Iterable[Layer]) -> list[str]:
    found = (split_remote(key) for layer in layers for key in layer.values)
    return list(dict.fromkeys(remote[0] for remote in found if remote))


def _known(place: Place, name: str) -> None:
    names = _names(replace(place, level=None).layers())
    if name not in names:
        near = nearest(name, names)
        hint = f"did you mean `{near}`?" if near else "`datavc remote list` shows what there is"
        raise ConfigError(f"there is no remote {name!r}", hint)


def modify(place: Place, name: str, option: str, value: str | None) -> Changed:
    """Set one option of a remote, or (None) take it out.

    Raises:
        ConfigError: no such remote, no such value, or nothing that the tracked file may say.
    """
    _known(place, name)
    key = f"remote.{name}.{option}"
    if value is None:
        return settings.unset(place, key)
    if option == "url":
        _check_url(place, value)
    return settings.change(place, key, value)


def _change_files(place: Place, changes: Mapping[Level, Mapping[str, object]]) -> str:
    """Write to each level's file what `changes` says; return the last of these files."""
    file = ""
    for level, change in changes.items():
        if change:
            _, file = replace(place, level=level).file()
            config_files.edit(file, change, level)
    return file


def _written(place: Place) -> dict[Level, Mapping[str, object]]:
    """Return level → values of all files, or of the chosen one."""
    layout = place.layout
    levels = (place.level,) if place.level else WRITABLE
    present = config_files.files(layout)
    return {
        level: config_files.read_layer(level, present[level]).values
        for level in levels
        if level in present
    }


def remove(place: Place, name: str) -> Changed:
    """Forget a remote, and that it was the default one; no data there is touched.

    Without a chosen level it goes from the project's two files.

    Raises:
        ConfigError: it does not stand there.
    """
    _known(place, name)
    written = _written(place)
    if place.level is None:
        written = {level: written[level] for level in ("project", "local") if level in written}
    changes = {
        level: dict.fromkeys(key for key in values if _is_of(key, name))
        for level, values in written.items()
    }
    if not any(changes.values()):
        raise ConfigError(
            f"remote {name} does not stand in this project's settings",
            "`datavc config --list --show-origin` shows where it does",
        )
    file = _change_files(place, changes)
    anywhere = replace(place, level=None)
    if name not in _names(anywhere.layers()):
        _rewrite_default(anywhere, name, None)
        if layout := place.layout:
            consent.forget(layout, name)
    return Changed(name, file)


def rename(place: Place, name: str, new: str) -> Changed:
    """Give a remote another name wherever it is written, also as the default one.

    Raises:
        ConfigError: no such remote, or there is one of the new name.
    """
    _known(place, name)
    if not REMOTE_NAME.fullmatch(new):
        raise ConfigError(f"{new!r} cannot be the name of a remote")
    if new in _names(replace(place, level=None).layers()):
        raise ConfigError(f"there is a remote {new} already")
    layout = place.layout
    agreed = layout is not None and _is_agreed(layout, name)
    changes: dict[Level, dict[str, object]] = {}
    for level, values in _written(place).items():
        change = changes.setdefault(level, {})
        for key, value in values.items():
            if _is_of(key, name):
                change[key] = None
                change[f"remote.{new}.{key.rpartition('.')[2]}"] = value
    file = _change_files(place, changes)
    _rewrite_default(replace(place, level=None), name, new)
    if layout is not None:
        consent.forget(layout, name)
    if agreed:
        settings.agree(place, f"remote.{new}.url")
    return Changed(new, file)


def _is_agreed(layout: Layout, name: str) -> bool:
    remotes = configuration.load(layout, {}).remotes
    return name in remotes and consent.is_agreed(layout, remotes[name])


def _rewrite_default(place: Place, name: str, new: str | None) -> None:
    changes = {
        level: {_DEFAULT: new}
        for level, values in _written(place).items()
        if values.get(_DEFAULT) == name
    }
    _change_files(place, changes)


def default(place: Place, name: str | None, *, unset: bool = False) -> Value | Changed | None:
    """Return the default remote; with `name` make it so, with `unset` none.

    Raises:
        ConfigError: no such remote.
    """
    if unset:
        return settings.unset(place, _DEFAULT)
    if name is None:
        return settings.get(place, _DEFAULT)
    _known(place, name)
    return settings.change(place, _DEFAULT, name)


def listing(place: Place) -> Listing:
    """Return all remotes, on the chosen level or as all together describe them."""
    found = config_remotes.collect(place.layers())
    standard = settings.get(place, _DEFAULT)
    layout = place.layout
    loaded = configuration.load(layout, place.overrides) if layout else None
    rows = []
    for name, options in found.items():
        url = options.get("url")
        shown = config_remotes.place(str(url.value), url.base) if url else ""
        trusted = bool(
            layout
            and loaded
            and (remote := loaded.remotes.get(name))
            and consent.is_agreed(layout, remote)
        )
        is_default = standard is not None and standard.value == name
        rows.append(Row(name, address.redacted(shown), is_default, trusted))
    return Listing(
        tuple(rows), tuple(error.message for error in loaded.unusable.values()) if loaded else ()
    )


def trust(place: Place, names: Iterable[str]) -> Trusted:
    """Agree to these remotes as they are described now; to all that are pending if none is named.

    Raises:
        ConfigError: one of them is not there, or described in a way that cannot be agreed to.
    """
    layout = settings.project(place.start)
    loaded = configuration.load(layout, place.overrides)
    chosen: tuple[RemoteConfig, ...] = tuple(loaded.remote(name) for name in names)
    remotes = chosen or consent.pending(layout, loaded)
    consent.agree(layout, remotes)
    return Trusted(tuple(consent.sentence(remote) for remote in remotes))
