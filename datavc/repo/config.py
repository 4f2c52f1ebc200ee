"""Config: what all levels together say, as frozen values. Read `config_keys.py` for the settings.

Levels, the later wins: built-in defaults, the system's file, the user's file, the tracked
`.datavc/config.toml`, `.datavc/config.local.toml`, `DATAVC_…` variables, `-c key=value`. What the
tracked file may not say is left out and named in `Config.warnings`; a remote that it describes in
such a way is refused when it is used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple, cast

from datavc.core.errors import ConfigError
from datavc.core.nearest import nearest
from datavc.core.remotes import RemoteConfig
from datavc.repo import config_files, config_remotes
from datavc.repo.config_files import Layer
from datavc.repo.config_keys import KEYS, WITHOUT_EFFECT, known_key, split_remote
from datavc.repo.config_remotes import Setting
from datavc.repo.layout import Layout
from datavc.store.atomic import Durability


class CoreConfig(NamedTuple):
    """Settings of the tool. `jobs` is None where the machine decides."""

    remote: str | None
    digest: str
    autostage: bool
    durability: Durability
    lock_timeout_s: float
    undo_days: int
    jobs: int | None


class CacheConfig(NamedTuple):
    """Where objects are kept (absolute), how files come into the workspace, who may write."""

    dir: str
    types: tuple[str, ...]
    shared: bool


class GcConfig(NamedTuple):
    """Objects younger than `grace_s` are never collected."""

    grace_s: float


class ReproConfig(NamedTuple):
    """How stages run. `shell` is None where the machine decides; `keep_runs_s` is in seconds.

    `parse_bool` and `parse_list` tell how a map in a command becomes options.
    """

    jobs: int
    resources: tuple[tuple[str, float], ...]
    shell: str | None
    keep_runs_s: float
    parse_bool: str
    parse_list: str


class Config(NamedTuple):
    """Everything that is set. `protocols` are those the user allows beside the built-in ones.

    `unusable` says of remotes that cannot be spoken to why; asking for one raises it.
    """

    core: CoreConfig
    cache: CacheConfig
    gc: GcConfig
    repro: ReproConfig
    remotes: Mapping[str, RemoteConfig]
    protocols: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unusable: Mapping[str, ConfigError] = {}

    def remote(self, name: str | None = None) -> RemoteConfig:
        """Return the remote `name`, or the default one.

        Raises:
            ConfigError: there is none, or the tracked file chooses what only its user may.
        """
        wanted = name or self.core.remote
        if wanted is None:
            raise _no_remote(self.remotes)
        if wanted in self.unusable:
            raise self.unusable[wanted]
        if wanted not in self.remotes:
            near = nearest(wanted, self.remotes)
            hint = (
                f"did you mean `{near}`?" if near else "`datavc remote list` shows what there is"
            )
            raise ConfigError(f"there is no remote {wanted!r}", hint)
        return self.remotes[wanted]


def _no_remote(remotes: Mapping[str, RemoteConfig]) -> ConfigError:
    if not remotes:
        return ConfigError("no remote is configured", "`datavc remote add -d NAME URL` adds one")
    return ConfigError(
        "no remote is the default one", f"`datavc remote default {next(iter(remotes))}` chooses it"
    )


def _cache_folder(setting: Setting) -> str:
    return os.path.normpath(os.path.join(setting.base, os.path.expanduser(str(setting.value))))


def _leads_outside(folder: str, layout: Layout) -> bool:
    real, root = os.path.realpath(folder), os.path.realpath(layout.root)
    inside = os.path.commonpath([real, root]) == root and real != root
    return not inside or ".git" in os.path.relpath(real, root).split(os.sep)


def _is_somebodys(folder: str) -> bool:
    """Tell whether something other than a cache of datavc lies in `folder`."""
    try:
        names = os.listdir(folder)
    except OSError:
        return os.path.lexists(folder)
    return bool(names) and "leases" not in names


def refusal(key: str, layer: Layer, layout: Layout) -> str:
    """Say why a setting does not count from this level; nothing if it does."""
    if layer.level not in known_key(key, layer.origin).levels:
        return (
            f"{layer.origin} sets {key}, which only your own settings may: it does not count "
            f"(`datavc config --local {key} VALUE`)"
        )
    if key == "cache.dir" and layer.level == "project":
        folder = _cache_folder(Setting(layer.values[key], layer.level, layer.origin, layer.base))
        if _leads_outside(folder, layout):
            return (
                f"{layer.origin} puts the cache outside the repository, which only your own "
                f"settings may: it does not count (`datavc cache dir --local {folder}`)"
            )
        if _is_somebodys(folder):
            return (
                f"{layer.origin} puts the cache into {folder}, which holds other files: it does "
                f"not count (`datavc cache dir --local {folder}`)"
            )
    return ""


def _merge(
    layers: tuple[Layer, ...], layout: Layout
) -> tuple[dict[str, Setting], tuple[str, ...]]:
    """Return key → what is in force, remotes left out, and what was left out with its reason."""
    merged: dict[str, Setting] = {}
    warnings: list[str] = []
    for layer in layers:
        for key, value in layer.values.items():
            if key in WITHOUT_EFFECT or split_remote(key):
                continue
            if reason := refusal(key, layer, layout):
                warnings.append(reason)
            else:
                merged[key] = Setting(value, layer.level, layer.origin, layer.base)
    return merged, tuple(warnings)


def _remotes(
    layers: tuple[Layer, ...],
) -> tuple[dict[str, RemoteConfig], dict[str, ConfigError]]:
    found = config_remotes.collect(layers)
    remotes: dict[str, RemoteConfig] = {}
    unusable: dict[str, ConfigError] = {}
    for name in found:
        try:
            remotes[name] = config_remotes.build(name, found)
        except ConfigError as error:
            unusable[name] = error
    return remotes, unusable


def load(layout: Layout, overrides: Mapping[str, str]) -> Config:
    """Return what is set for a project; `overrides` are the `-c key=value` of this command.

    Raises:
        FormatError: a file is not TOML.
        ConfigError: an unknown key or a wrong value; names file and key.
    """
    layers = config_files.layers(layout, overrides)
    merged, warnings = _merge(layers, layout)
    values = {
        key.name: key.read(merged[key.name].value) if key.name in merged else key.default
        for key in KEYS
    }
    remotes, unusable = _remotes(layers)
    folder = merged.get("cache.dir")
    return Config(
        core=CoreConfig(
            remote=cast("str | None", values["core.remote"]),
            digest=cast("str", values["core.digest"]),
            autostage=cast("bool", values["core.autostage"]),
            durability=cast("Durability", values["core.durability"]),
            lock_timeout_s=cast("float", values["core.lock_timeout"]),
            undo_days=cast("int", values["core.undo_days"]),
            jobs=cast("int | None", values["core.jobs"]),
        ),
        cache=CacheConfig(
            dir=_cache_folder(folder) if folder else layout.default_cache,
            types=cast("tuple[str, ...]", values["cache.type"]),
            shared=cast("bool", values["cache.shared"]),
        ),
        gc=GcConfig(grace_s=cast("float", values["gc.grace"])),
        repro=ReproConfig(
            jobs=cast("int", values["repro.jobs"]),
            resources=cast("tuple[tuple[str, float], ...]", values["repro.resources"]),
            shell=cast("str | None", values["repro.shell"]),
            keep_runs_s=cast("float", values["repro.keep_runs"]),
            parse_bool=cast("str", values["parsing.bool"]),
            parse_list=cast("str", values["parsing.list"]),
        ),
        remotes=remotes,
        protocols=cast("tuple[str, ...]", values["core.protocols"]),
        warnings=warnings,
        unusable=unusable,
    )
