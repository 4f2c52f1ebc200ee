"""From a RemoteConfig to an ObjectStore: the only place where wrappers are stacked."""

from __future__ import annotations

import os
from collections.abc import Callable, Set
from typing import Any, NamedTuple

from datavc.core.errors import ConfigError
from datavc.core.remotes import RemoteConfig
from datavc.remote import address as addresses
from datavc.remote import options
from datavc.remote.address import Address
from datavc.remote.backend import Backend, Capabilities
from datavc.remote.dialects import Dialect, FileSystem, GenericDialect, HttpDialect, SshDialect
from datavc.remote.fsspec_backend import FsspecBackend, Place, open_adapter, open_filesystem
from datavc.remote.limit import LimitBackend
from datavc.remote.memory import MemoryBackend
from datavc.remote.retry import RetryBackend
from datavc.remote.s3_dialects import ObstoreDialect, S3Dialect
from datavc.remote.s3_options import for_obstore, for_s3fs, quicker
from datavc.remote.store import DEFAULT_JOBS, RemoteStore
from datavc.store.atomic import Durability
from datavc.store.local import LocalStore
from datavc.store.object_store import ObjectStore

PATIENCE = 2
"""Time-outs that may pass, one after the other, before a request is given up."""


class _Kind(NamedTuple):
    """How a protocol is served: fsspec's name for it, the extra that brings it, what it can do."""

    filesystem: str
    extra: str
    capabilities: Capabilities
    jobs: int = DEFAULT_JOBS


_BUCKETS = Capabilities()
_FOLDERS = Capabilities(atomic_put=False, flat=False)
_HTTP = Capabilities(read_only=True, lists=False)
_KINDS = {
    "s3": _Kind("s3", "", _BUCKETS),
    "gs": _Kind("gs", "gs", _BUCKETS),
    "az": _Kind("abfs", "azure", _BUCKETS),
    "ssh": _Kind("ssh", "ssh", _FOLDERS, 8),
    "webdav": _Kind("webdav", "webdav", _FOLDERS, 8),
    "webdavs": _Kind("webdav", "webdav", _FOLDERS, 8),
    "hdfs": _Kind("hdfs", "hdfs", _FOLDERS, 8),
    "http": _Kind("http", "http", _HTTP),
    "https": _Kind("http", "http", _HTTP),
}


def connect(
    remote: RemoteConfig,
    *,
    algorithm: str,
    durability: Durability = "batch",
    extra_protocols: Set[str] = frozenset(),
) -> ObjectStore:
    """Return the store that `remote` describes; nothing is sent before it is used.

    `extra_protocols` are those that the user's own config allows besides ours.

    Raises:
        ConfigError: the address or an option cannot be, or a package is not installed.
    """
    if remote.layout != "plain":
        raise ConfigError(
            f"remote {remote.name} has the unknown layout {remote.layout!r}",
            f"`datavc remote modify {remote.name} layout plain` is what this version knows",
        )
    address = addresses.parse(remote.url, extra_protocols)
    if address.protocol == "local":
        return LocalStore(address.path, algorithm, durability=durability)
    jobs = remote.jobs or _kind(address).jobs
    return RemoteStore(_stack(remote, address), algorithm, jobs=jobs)


_DIALECTS = {"ssh": SshDialect, "http": HttpDialect, "https": HttpDialect}


def _kind(address: Address) -> _Kind:
    return _KINDS.get(address.protocol, _Kind(address.protocol, "", _FOLDERS, 8))


def _stack(remote: RemoteConfig, address: Address) -> Backend:
    backend: Backend
    if address.protocol == "memory":
        backend = MemoryBackend(address.shown)
    else:
        place = Place(_root(address), address.shown, _kind(address).capabilities)
        backend = FsspecBackend(place, _opener(remote, address), remote.read_timeout_s)
    if remote.rate_limit:
        backend = LimitBackend(backend, remote.rate_limit)
    deadline_s = PATIENCE * remote.read_timeout_s
    return RetryBackend(backend, retries=remote.retries, deadline_s=deadline_s)


def _root(address: Address) -> str:
    """Return the folder or prefix as the file system writes it, without a slash at its end."""
    if address.protocol in addresses.BUCKETS:
        return f"{address.host}/{address.path}".rstrip("/")
    if address.protocol in ("http", "https"):
        port = f":{address.port}" if address.port else ""
        return f"{address.protocol}://{address.host}{port}{address.path}"
    if address.protocol in ("webdav", "webdavs"):
        return address.path.strip("/")
    if address.protocol in _KINDS:
        return address.path
    return address.url.rstrip("/")


def _opener(remote: RemoteConfig, address: Address) -> Callable[[], Dialect]:
    """Return what opens the file system; options are judged now, packages looked for then."""
    if address.protocol == "s3":
        return _s3_opener(remote)
    given = options.for_other(address, remote)
    kind = _kind(address)
    dialect = _DIALECTS.get(address.protocol, GenericDialect)
    url = "" if address.protocol in _KINDS else address.url
    return lambda: dialect(_open(kind, given, remote.name, url))


def _s3_opener(remote: RemoteConfig) -> Callable[[], Dialect]:
    adapter = None if remote.driver == "s3fs" else for_obstore(remote, os.environ)
    if remote.driver == "obstore" and adapter is None:
        raise ConfigError(
            f"remote {remote.name} has options that obstore cannot serve",
            f"`datavc remote modify {remote.name} driver auto` leaves the choice to datavc",
        )
    if adapter is None:
        given = for_s3fs(remote, os.environ)

        def opened() -> Dialect:
            filesystem = _open(_KINDS["s3"], given, remote.name)
            filesystem.retries = 1  # RetryBackend repeats, nobody else
            return S3Dialect(filesystem, remote.read_timeout_s)

        return opened

    quick = quicker(adapter, remote)
    return lambda: ObstoreDialect(
        open_adapter(adapter), open_adapter(quick), remote.read_timeout_s
    )


def _open(kind: _Kind, given: dict[str, Any], name: str, url: str = "") -> FileSystem:
    try:
        return open_filesystem(kind.filesystem, given, url)
    except ImportError as error:
        extra = kind.extra or kind.filesystem
        raise ConfigError(
            f"remote {name} needs a package that is not installed: {error.name or error}",
            f"`pip install 'datavc[{extra}]'` brings it",
        ) from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"remote {name} has an option that is refused: {error}") from error
