"""Remotes as all levels together describe them, judged by where each word stands.

What a tracked file says about credentials, profiles or commands does not count: whoever can write
to the repository would choose them for everybody who clones it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NamedTuple, cast

from datavc.core.errors import ConfigError
from datavc.core.remotes import RemoteConfig
from datavc.remote.address import PROTOCOLS, redacted
from datavc.remote.options import ELSEWHERE, TRACKED_ALLOWED
from datavc.repo.config_files import Layer
from datavc.repo.config_keys import REMOTE_BY_NAME, TRUSTED, Level, split_remote

HIDDEN = "***"
_HARMLESS = frozenset().union(REMOTE_BY_NAME, ELSEWHERE, *TRACKED_ALLOWED.values())
_SECRET = re.compile(
    r"secret|passw|passphrase|token|credential|access_key|account_key|sas|private|connection_string"
    r"|customer_key|auth|cookie|header|^key$|^pem$",
    re.IGNORECASE,
)


class Setting(NamedTuple):
    """One value in force, and where it stands."""

    value: object
    level: Level
    origin: str
    base: str


def is_secret(name: str) -> bool:
    """Tell whether the value of the setting `name` must never be shown or tracked."""
    remote = split_remote(name)
    return remote is not None and remote[1] not in _HARMLESS and bool(_SECRET.search(remote[1]))


def shown(name: str, value: object) -> str:
    """Return a value as it may be printed: secrets as stars, also a password in an address."""
    if is_secret(name):
        return HIDDEN
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(str(part) for part in value)
    return redacted(str(value))


def counts_when_tracked(option: str, url: str) -> bool:
    """Tell whether an option of a remote at `url` counts from the tracked file."""
    if option in REMOTE_BY_NAME or option in ELSEWHERE:
        return True
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    return option in TRACKED_ALLOWED.get(PROTOCOLS.get(scheme, scheme), frozenset())


def is_local(url: str) -> bool:
    """Tell whether `url` is a path of this machine rather than an address."""
    return "://" not in url and "::" not in url


def place(url: str, base: str) -> str:
    """Return `url`; a path made absolute from `base`, with `~` for the user's home."""
    if not is_local(url):
        return url
    return os.path.normpath(os.path.join(base, os.path.expanduser(url)))


def collect(layers: tuple[Layer, ...]) -> dict[str, dict[str, Setting]]:
    """Return remote → option → what is in force."""
    found: dict[str, dict[str, Setting]] = {}
    for layer in layers:
        for key, value in layer.values.items():
            if remote := split_remote(key):
                name, option = remote
                setting = Setting(value, layer.level, layer.origin, layer.base)
                found.setdefault(name, {})[option] = setting
    return found


def _refuse_tracked(name: str, settings: Mapping[str, Setting], url: str) -> None:
    for option, setting in sorted(settings.items()):
        if setting.level not in TRUSTED and not counts_when_tracked(option, url):
            raise ConfigError(
                f"{setting.origin} sets {option} of remote {name}, "
                "which only your own settings may",
                f"`datavc remote modify --local {name} {option} VALUE` sets it for this clone, "
                f"`datavc remote modify --unset {name} {option}` takes it out of the tracked file",
            )


def _follow(name: str, found: Mapping[str, Mapping[str, Setting]]) -> dict[str, Setting]:
    """Return the settings of `name`, laid over those of the remote that `remote://` points to."""
    settings = dict(found[name])
    tail: list[str] = []
    seen = {name}
    while (url := settings.get("url")) and str(url.value).startswith("remote://"):
        other, _, below = str(url.value).removeprefix("remote://").partition("/")
        if other in seen or other not in found:
            why = "which leads back to it" if other in seen else "which is not configured"
            raise ConfigError(f"remote {name} stands on remote {other}, {why}")
        seen.add(other)
        tail.insert(0, below.strip("/"))
        base = found[other]
        settings = {**base, **settings, "url": _pointed(url, base.get("url", url))}
    below = "/".join(part for part in tail if part)
    if below and url is not None:
        address = place(str(url.value), url.base).rstrip("/")
        settings["url"] = url._replace(value=f"{address}/{below}")
    return settings


def _pointed(url: Setting, target: Setting) -> Setting:
    """Return the address `target` as the one that `url` chose: it is no more the user's word."""
    return target if url.level in TRUSTED else target._replace(level=url.level)


def build(name: str, found: Mapping[str, Mapping[str, Setting]]) -> RemoteConfig:
    """Return the remote `name` as all levels together describe it.

    Raises:
        ConfigError: it has no address, or the tracked file chooses what only its user may.
    """
    settings = _follow(name, found)
    url = settings.get("url")
    if url is None:
        raise ConfigError(
            f"remote {name} has no address", f"`datavc remote modify {name} url URL` gives it one"
        )
    _refuse_tracked(name, settings, str(url.value))
    known = {
        option: key.read(settings[option].value) if option in settings else key.default
        for option, key in REMOTE_BY_NAME.items()
    }
    return RemoteConfig(
        name=name,
        url=place(str(url.value), url.base),
        layout=cast("str", known["layout"]),
        driver=cast("str", known["driver"]),
        jobs=cast("int | None", known["jobs"]),
        retries=cast("int", known["retries"]),
        connect_timeout_s=cast("float", known["connect_timeout"]),
        read_timeout_s=cast("float", known["read_timeout"]),
        rate_limit=cast("int | None", known["rate_limit"]),
        options={
            option: setting.value
            for option, setting in sorted(settings.items())
            if option not in REMOTE_BY_NAME
        },
        trusted_level=all(setting.level in TRUSTED for setting in settings.values()),
    )
