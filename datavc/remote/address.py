"""Address: a remote's URL, parsed strictly. Nothing else takes a URL apart.

Only known protocols, no chains (`a::b`), no host that a program could take for an option.
"""

from __future__ import annotations

import re
from collections.abc import Set
from typing import NamedTuple

from datavc.core.errors import ConfigError

PROTOCOLS = {
    "": "local",
    "file": "local",
    "local": "local",
    "s3": "s3",
    "s3a": "s3",
    "gs": "gs",
    "gcs": "gs",
    "az": "az",
    "abfs": "az",
    "abfss": "az",
    "azure": "az",
    "ssh": "ssh",
    "sftp": "ssh",
    "webdav": "webdav",
    "webdavs": "webdavs",
    "hdfs": "hdfs",
    "http": "http",
    "https": "https",
    "memory": "memory",
}
"""What a URL may begin with, and the name it goes by here."""

BUCKETS = frozenset({"s3", "gs", "az"})
"""Services whose host part is a bucket (Azure: container), and whose paths are key prefixes."""

_HOSTED = frozenset(PROTOCOLS.values()) - {"memory", "hdfs"}
"""Services whose address says nothing without a host or bucket."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
_STRIPPED = re.compile(
    r"[\x00-\x1f\x7f]"
)  # some of which the standard library leaves out silently
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f]")


class Address(NamedTuple):
    """Where a remote is.

    `protocol` is one of the values of `PROTOCOLS`, or the name of one that the user allowed.
    `path` is absolute for folders and hosts, a prefix without slashes at its ends for buckets.
    """

    protocol: str
    url: str
    host: str = ""
    path: str = ""
    port: int | None = None
    user: str | None = None
    password: str | None = None

    @property
    def shown(self) -> str:
        """The URL as messages may show it."""
        return redacted(self.url)


def redacted(url: str) -> str:
    """Return `url`, with what may be a secret (user, password, query) left out."""
    bare = _USERINFO.sub(lambda found: _hide(found[0]), url)
    return bare.partition("?")[0] if "://" in bare else bare


def _hide(userinfo: str) -> str:
    user, colon, _ = userinfo[:-1].partition(":")
    return f"{user}:***@" if colon else userinfo


def parse(url: str, extra: Set[str] = frozenset()) -> Address:
    """Return the parts of `url`; `extra` names further protocols that the user allowed.

    Raises:
        ConfigError: it is no URL that a remote may have.
    """
    if not url or "\0" in url:
        raise ConfigError("a remote needs a URL or a folder")
    scheme = _SCHEME.match(url)
    if scheme is None:
        return _folder(url)
    if _STRIPPED.search(url):
        raise ConfigError(f"{redacted(url)!r} holds a control character, which no URL does")
    if "::" in url:
        raise ConfigError(f"{redacted(url)} chains protocols with `::`, which a remote must not")
    name = scheme[1].lower()
    if name not in PROTOCOLS and name not in extra:
        raise ConfigError(
            f"{redacted(url)}: the protocol {name!r} is not one that datavc uses by itself",
            f"`datavc config --global core.protocols {name}` allows it for you",
        )
    if PROTOCOLS.get(name) == "local":
        return _file(url)
    return _remote(PROTOCOLS.get(name, name), url)


def _folder(path: str) -> Address:
    if "::" in path:
        raise ConfigError(f"{path!r} is neither a URL nor a plain folder")
    return Address("local", path, path=path)


def _file(url: str) -> Address:
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigError(f"{redacted(url)} is not a URL: {error}") from error
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost") or not path.startswith("/") or "\0" in path:
        raise ConfigError(f"{redacted(url)} is not the URL of a folder", "write file:///folder")
    return Address("local", url, path=path)


def _remote(protocol: str, url: str) -> Address:
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"{redacted(url)} is not a URL: {error}") from error
    bucket = protocol in BUCKETS
    host = (parts.netloc if bucket else parts.hostname) or ""
    if not is_host(host) or not is_host(parts.username or ""):
        raise ConfigError(f"{redacted(url)!r} names a host or user that cannot be one")
    if _CONTROL.search(parts.path) or ".." in parts.path.split("/"):
        raise ConfigError(f"{redacted(url)!r} has a path that a remote must not have")
    if not host and protocol in _HOSTED:
        raise ConfigError(f"{redacted(url)} names no {'bucket' if bucket else 'host'}")
    if parts.query or parts.fragment:
        raise ConfigError(f"{redacted(url)} has a query, which a remote must not")
    if bucket:
        return Address(protocol, url, host, parts.path.strip("/"))
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    path = unquote(parts.path).rstrip("/")
    return Address(protocol, url, host, path, port, user, password)


def is_host(name: str) -> bool:
    """Tell whether no program could take a host or user, quoted or not, for something else."""
    from urllib.parse import unquote

    plain = unquote(name)
    return not plain.startswith("-") and _CONTROL.search(plain) is None
