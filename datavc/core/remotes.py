"""RemoteConfig: where a remote is and how it is spoken to, after all levels were merged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class RemoteConfig(NamedTuple):
    """One remote.

    `options` go to the service's file system under the names of fsspec's; `trusted_level` is True
    when address and all options come from the user's own files, the environment or the command
    line, so that no consent is needed. Times in seconds, rates in bytes a second.
    """

    name: str
    url: str
    layout: str = "plain"
    driver: str = "auto"
    jobs: int | None = None
    retries: int = 5
    connect_timeout_s: float = 15.0
    read_timeout_s: float = 60.0
    rate_limit: int | None = None
    options: Mapping[str, object] = {}
    trusted_level: bool = False
