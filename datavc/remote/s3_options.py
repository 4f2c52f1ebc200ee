"""What s3fs and obstore are told about an S3 remote, and which of the two can serve it.

Pure: settings and environment in, options out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from datavc.core.remotes import RemoteConfig
from datavc.remote.backend import SLOWEST, SMALL
from datavc.remote.options import ELSEWHERE, Options, flag, mapped

PART_S = 128
"""Seconds that a part may take: aiohttp counts the sending into the wait for an answer.

FsspecBackend bounds each request by its size, so this only must not be too short.
"""


def for_s3fs(remote: RemoteConfig, environment: Mapping[str, str]) -> Options:
    """Return what s3fs takes. Retries are ours alone; a server of one's own is asked by path."""
    options = mapped("s3", remote)
    options.pop("driver", None)
    client = options.setdefault("client_kwargs", {})
    config = options.setdefault("config_kwargs", {})
    endpoint = endpoint_of(remote, environment)
    if endpoint:
        options["endpoint_url"] = endpoint
        config.setdefault("s3", {}).setdefault("addressing_style", "path")
        if not (environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")):
            client.setdefault("region_name", "us-east-1")
    config.setdefault("connect_timeout", options.pop("connect_timeout", remote.connect_timeout_s))
    read_timeout_s = float(str(options.pop("read_timeout", remote.read_timeout_s)))
    config.setdefault("read_timeout", read_timeout_s + PART_S)
    config.setdefault("retries", {"total_max_attempts": 1, "mode": "standard"})
    config.setdefault("max_pool_connections", 64)
    if proxy := options.pop("proxy", None):
        config["proxies"] = {"http": proxy, "https": proxy}
    return options


def endpoint_of(remote: RemoteConfig, environment: Mapping[str, str]) -> str | None:
    """Return the URL of an S3 server other than Amazon's, with its scheme; None for theirs."""
    options = remote.options
    endpoint = (
        options.get("endpointurl")
        or options.get("endpoint_url")
        or environment.get("AWS_ENDPOINT_URL_S3")
        or environment.get("AWS_ENDPOINT_URL")
    )
    if not endpoint or "://" in str(endpoint):
        return str(endpoint) if endpoint else None
    return f"{'https' if flag(options.get('use_ssl', True)) else 'http'}://{endpoint}"


_OBSTORE_SERVES = frozenset(
    {"endpointurl", "endpoint_url", "access_key_id", "secret_access_key", "session_token", "key"}
    | {"secret", "token", "region", "region_name", "use_ssl", "allow_anonymous_login", "anon"}
    | {"connect_timeout", "read_timeout", "proxy"}
)


def for_obstore(remote: RemoteConfig, environment: Mapping[str, str]) -> Options | None:
    """Return what obstore's adapter takes, None where only s3fs can serve the remote.

    It knows keys that are given, keys of the environment and none at all; profiles, files and
    services of credentials are s3fs's, and so is finding out a bucket's region.
    """
    if not remote.options.keys() - ELSEWHERE <= _OBSTORE_SERVES:
        return None
    given = mapped("s3", remote)
    region = given.get("client_kwargs", {}).get("region_name")
    region = region or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    endpoint = endpoint_of(remote, environment)
    config: Options = {"region": region or "us-east-1"}
    if endpoint:
        config |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
    elif not region or given.get("use_ssl") is False:
        return None
    keys = _keys(given, environment)
    if keys is None:
        return None
    connect_timeout_s = float(str(given.get("connect_timeout", remote.connect_timeout_s)))
    client = {
        "allow_http": bool(endpoint and endpoint.startswith("http://")),
        "connect_timeout": f"{connect_timeout_s * 1000:.0f} ms",
        "timeout": "1 hour",  # FsspecBackend bounds each request by its size
    }
    if "proxy" in given:
        client["proxy_url"] = given["proxy"]
    return {
        "config": config | keys[0],
        "client_options": client,
        "retry_config": {"max_retries": 0},
        "credential_provider": keys[1],
    }


def quicker(options: Options, remote: RemoteConfig) -> Options:
    """Return `options` for obstore with bounds on the time of small requests."""
    patience_ms = remote.read_timeout_s * 1000
    longest_ms = patience_ms + 1000 * SMALL / SLOWEST
    client = {"read_timeout": f"{patience_ms:.0f} ms", "timeout": f"{longest_ms:.0f} ms"}
    return options | {"client_options": options["client_options"] | client}


def _keys(
    given: Options, environment: Mapping[str, str]
) -> tuple[Options, Callable[[], Options] | None] | None:
    """Return settings and a source of keys; an explicit key is never mixed with others' parts."""
    if given.get("anon"):
        return {"skip_signature": True}, None
    if "key" in given and "secret" in given:
        credential = {
            "access_key_id": given["key"],
            "secret_access_key": given["secret"],
            "token": given.get("token"),
            "expires_at": None,
        }
        return {}, lambda: credential
    if given.keys() & {"key", "secret", "token"} or environment.get("AWS_PROFILE"):
        return None
    if environment.get("AWS_ACCESS_KEY_ID") and environment.get("AWS_SECRET_ACCESS_KEY"):
        return {}, None
    return None
