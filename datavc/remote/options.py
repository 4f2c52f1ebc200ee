"""What users call a remote's settings, and what each file system calls them.

DVC's names and fsspec's own are both understood; a name that no table knows goes to the file
system as it is. Pure: values in, values out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from datavc.core.errors import ConfigError
from datavc.core.remotes import RemoteConfig
from datavc.remote.address import Address, is_host

Options = dict[str, Any]

ELSEWHERE = frozenset({"checksum_jobs", "verify", "version_aware", "worktree", "ask_password"})
"""Settings that mean something elsewhere, or nothing here; no file system sees them."""

TRACKED_ALLOWED: Mapping[str, frozenset[str]] = {
    "local": frozenset(),
    "memory": frozenset(),
    "s3": frozenset(
        {"endpointurl", "endpoint_url", "region", "region_name", "use_ssl", "storage_class", "acl"}
        | {"sse", "sse_kms_key_id", "allow_anonymous_login", "anon", "requester_pays"}
    ),
    "gs": frozenset({"projectname", "project", "endpointurl", "endpoint_url"})
    | {"allow_anonymous_login", "storage_class", "requester_pays"},
    "az": frozenset({"account_name", "account_host", "allow_anonymous_login", "anon"}),
    "ssh": frozenset({"user", "username", "port", "host", "max_sessions"}),
    "webdav": frozenset({"user"}),
    "webdavs": frozenset({"user"}),
    "hdfs": frozenset({"user", "port"}),
    "http": frozenset({"user"}),
    "https": frozenset({"user"}),
}
"""By protocol, what may come from a file that Git tracks: where and how, never as whom.

No credentials, profiles, files, proxies, commands, and nothing that weakens the check of a server.
The settings that are fields of RemoteConfig are no options, and harmless.
"""

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


def flag(value: object) -> bool:
    """Return a setting as a boolean.

    Raises:
        ConfigError: it is none.
    """
    text = str(value).lower()
    if text in _TRUE | _FALSE:
        return text in _TRUE
    raise ConfigError(f"{value!r} is neither true nor false")


class _Service(NamedTuple):
    """Where the settings of one file system go: name → path of keys below its options."""

    names: Mapping[str, tuple[str, ...]]
    flags: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset({"proxy", "ca_bundle", "storage_class"})


def _flat(**names: str) -> dict[str, tuple[str, ...]]:
    return {name: (target,) for name, target in names.items()}


_S3 = _Service(
    names={
        **_flat(endpointurl="endpoint_url", access_key_id="key", secret_access_key="secret"),
        **_flat(session_token="token", allow_anonymous_login="anon"),
        "region": ("client_kwargs", "region_name"),
        "region_name": ("client_kwargs", "region_name"),
        "ssl_verify": ("client_kwargs", "verify"),
        "ca_bundle": ("client_kwargs", "verify"),
        "sse": ("s3_additional_kwargs", "ServerSideEncryption"),
        "sse_kms_key_id": ("s3_additional_kwargs", "SSEKMSKeyId"),
        "sse_customer_algorithm": ("s3_additional_kwargs", "SSECustomerAlgorithm"),
        "sse_customer_key": ("s3_additional_kwargs", "SSECustomerKey"),
        "acl": ("s3_additional_kwargs", "ACL"),
        "grant_read": ("s3_additional_kwargs", "GrantRead"),
        "grant_read_acp": ("s3_additional_kwargs", "GrantReadACP"),
        "grant_write_acp": ("s3_additional_kwargs", "GrantWriteACP"),
        "grant_full_control": ("s3_additional_kwargs", "GrantFullControl"),
        "storage_class": ("s3_additional_kwargs", "StorageClass"),
    },
    flags=frozenset({"anon", "allow_anonymous_login", "use_ssl", "requester_pays"}),
    refused=frozenset(),
)
_SERVICES: Mapping[str, _Service] = {
    "s3": _S3,
    "gs": _Service(
        names={
            **_flat(projectname="project", credentialpath="token", endpointurl="endpoint_url"),
        },
        flags=frozenset({"allow_anonymous_login", "requester_pays"}),
        refused=frozenset({"proxy", "ca_bundle", "storage_class"}),
    ),
    "az": _Service(
        names=_flat(allow_anonymous_login="anon", connect_timeout="connection_timeout"),
        flags=frozenset({"anon", "allow_anonymous_login"}),
    ),
    "ssh": _Service(
        names=_flat(user="username", keyfile="client_keys", timeout="login_timeout"),
        flags=frozenset({"gss_auth", "allow_agent"}),
        numbers=frozenset({"port", "timeout", "max_sessions"}),
    ),
    "webdav": _Service(
        names=_flat(ssl_verify="verify", ca_bundle="verify", cert_path="cert"),
        numbers=frozenset({"timeout"}),
        refused=frozenset({"proxy", "storage_class"}),
    ),
    "hdfs": _Service(names={}, numbers=frozenset({"port"})),
    "http": _Service(
        names={},
        flags=frozenset({"ssl_verify"}),
        refused=frozenset({"ca_bundle", "storage_class"}),
    ),
}


def service(protocol: str) -> str:
    """Return the protocol whose table serves `protocol`."""
    return {"https": "http", "webdavs": "webdav"}.get(protocol, protocol)


def mapped(protocol: str, remote: RemoteConfig) -> Options:
    """Return the options of `remote` under the names, and in the nests, of its file system.

    Raises:
        ConfigError: one has a value that cannot be, or means nothing for this protocol.
    """
    table = _SERVICES.get(service(protocol), _Service({}, refused=frozenset()))
    found: Options = {}
    for name, value in remote.options.items():
        if name in ELSEWHERE:
            continue
        if name in table.refused:
            raise ConfigError(
                f"remote {remote.name}: {name} cannot be set for {protocol}",
                f"`datavc remote modify --unset {remote.name} {name}` takes it out; "
                "HTTPS_PROXY and SSL_CERT_FILE in the environment serve every protocol",
            )
        _place(found, table.names.get(name, (name,)), _read(table, name, value, remote))
    return found


def _read(table: _Service, name: str, value: object, remote: RemoteConfig) -> object:
    try:
        if name in table.flags:
            return flag(value)
        if name in table.numbers:
            return int(str(value))
        if name == "ssl_verify" and str(value).lower() in _TRUE | _FALSE:
            return flag(value)
    except (ConfigError, ValueError) as error:
        raise ConfigError(f"remote {remote.name}: {name} cannot be {value!r}") from error
    return value


def _place(options: Options, path: tuple[str, ...], value: object) -> None:
    for step in path[:-1]:
        options = options.setdefault(step, {})
    if not isinstance(value, Mapping):
        options[path[-1]] = value
    else:
        options.setdefault(path[-1], {}).update(value)


def for_other(address: Address, remote: RemoteConfig) -> Options:
    """Return what the file system of any other protocol takes."""
    options = mapped(address.protocol, remote)
    adapt = _ADAPT.get(service(address.protocol))
    return adapt(options, address, remote) if adapt else options


def _gs(options: Options, address: Address, remote: RemoteConfig) -> Options:
    if options.pop("allow_anonymous_login", False):
        options["token"] = "anon"
    options.setdefault("timeout", remote.read_timeout_s)
    return options


def _az(options: Options, address: Address, remote: RemoteConfig) -> Options:
    options.setdefault("connection_timeout", int(remote.connect_timeout_s))
    options.setdefault("read_timeout", int(remote.read_timeout_s))
    return options


def _ssh(options: Options, address: Address, remote: RemoteConfig) -> Options:
    options["host"] = options.get("host", address.host)
    for name, value in (
        ("port", address.port),
        ("username", address.user),
        ("password", address.password),
    ):
        if value is not None:
            options.setdefault(name, value)
    for name in ("host", "username"):
        if not is_host(str(options.get(name, ""))):
            raise ConfigError(f"remote {remote.name}: {name} cannot be {options[name]!r}")
    if isinstance(options.get("client_keys"), str):
        options["client_keys"] = [options["client_keys"]]
    if not options.pop("allow_agent", True):
        options["agent_path"] = None
    options.setdefault("known_hosts", ())  # the user's own file; None would trust anybody
    options.setdefault("connect_timeout", remote.connect_timeout_s)
    options.setdefault("login_timeout", remote.connect_timeout_s)
    options.setdefault("timeout", 2 * remote.connect_timeout_s)
    return options


def _webdav(options: Options, address: Address, remote: RemoteConfig) -> Options:
    scheme = "https" if address.protocol == "webdavs" else "http"
    port = f":{address.port}" if address.port else ""
    options["base_url"] = f"{scheme}://{address.host}{port}/"
    user = options.pop("user", address.user)
    password = options.pop("password", address.password)
    if user is not None:
        options["auth"] = (user, password or "")
    if token := options.pop("token", None):
        options["headers"] = {"Authorization": f"Bearer {token}"}
    if key := options.pop("key_path", None):
        options["cert"] = (options["cert"], key)
    options.setdefault("timeout", remote.read_timeout_s)
    return options


def _hdfs(options: Options, address: Address, remote: RemoteConfig) -> Options:
    options["host"] = address.host or "default"
    for name, value in (("port", address.port), ("user", address.user)):
        if value is not None:
            options.setdefault(name, value)
    return options


def _http(options: Options, address: Address, remote: RemoteConfig) -> Options:
    import base64

    user, password = options.pop("user", address.user), options.pop("password", address.password)
    token = options.pop("token", None)
    if token is None and user is not None:
        token = base64.b64encode(f"{user}:{password or ''}".encode()).decode()
        options.setdefault("headers", {})["Authorization"] = f"Basic {token}"
    elif token is not None:
        options.setdefault("headers", {})["Authorization"] = f"Bearer {token}"
    if not options.pop("ssl_verify", True):
        options["ssl"] = False
    options.pop("auth", None)
    options["client_kwargs"] = {"trust_env": True}
    return options


_ADAPT: Mapping[str, Callable[[Options, Address, RemoteConfig], Options]] = {
    "gs": _gs,
    "az": _az,
    "ssh": _ssh,
    "webdav": _webdav,
    "hdfs": _hdfs,
    "http": _http,
}
