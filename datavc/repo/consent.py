"""Which remotes the user agreed to: an address that came with a clone is not the user's word.

Kept in the user's own data folder, by repository and by a fingerprint of address and options, so
that any change of what would be spoken to asks again. No secret is stored, nor an address.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Mapping

from datavc.core.errors import DatavcError, FormatError
from datavc.core.remotes import RemoteConfig
from datavc.remote.address import redacted
from datavc.repo import config_files, config_remotes
from datavc.repo.config import Config
from datavc.repo.layout import Layout
from datavc.store import atomic

VARIABLE = "DATAVC_TRUST"
"""Set to 1, it agrees to everything: for machines, whose owner chose the repository."""
FILE = "consent.json"
FORMAT = 1
FILE_LIMIT = 1 << 24

Agreed = dict[str, dict[str, str]]
"""Repository → remote → fingerprint."""


def _file() -> str:
    return os.path.join(config_files.user_data_folder(), FILE)


def fingerprint(remote: RemoteConfig) -> str:
    """Return what tells one way of speaking to a remote from another, in hex.

    Secrets are left out: they count only where the user wrote them, and may change.
    """
    import hashlib
    import json

    options = {
        name: value
        for name, value in remote.options.items()
        if not config_remotes.is_secret(f"remote.{remote.name}.{name}")
    }
    spoken = [remote.url, remote.layout, remote.driver, options]
    text = json.dumps(spoken, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _read() -> Agreed:
    import json

    file = _file()
    data = config_files.read_bytes(file, follow=True, limit=FILE_LIMIT)
    if data is None:
        return {}
    try:
        document = json.loads(data)
        repositories = document["repositories"]
        known = document["format"] == FORMAT and all(
            isinstance(name, str) and isinstance(mark, str)
            for remotes in repositories.values()
            for name, mark in remotes.items()
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _damaged(file) from error
    if not known:
        raise _damaged(file)
    return dict(repositories)


def _damaged(file: str) -> FormatError:
    return FormatError(
        f"{file} is not a record of consent that this datavc can read",
        "remove it, and agree again with `datavc remote trust`",
    )


def is_agreed(layout: Layout, remote: RemoteConfig) -> bool:
    """Tell whether `remote` may be spoken to from this repository."""
    if remote.trusted_level or os.environ.get(VARIABLE) == "1":
        return True
    return _read().get(layout.root, {}).get(remote.name) == fingerprint(remote)


def agree(layout: Layout, remotes: Iterable[RemoteConfig]) -> None:
    """Record that the user agreed to exactly these remotes, in this repository."""
    _update(layout, {remote.name: fingerprint(remote) for remote in remotes})


def forget(layout: Layout, name: str) -> None:
    """Take back the consent to a remote; one that was never given is passed over."""
    _update(layout, {name: None})


def _update(layout: Layout, marks: Mapping[str, str | None]) -> None:
    """Change the record under a lock, so that two commands at once both count."""
    import json

    file = _file()
    folder = os.path.dirname(file)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    lock = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        agreed = _read()
        mine: dict[str, str | None] = {**agreed.get(layout.root, {}), **marks}
        agreed[layout.root] = {name: mark for name, mark in mine.items() if mark is not None}
        document = {"format": FORMAT, "repositories": agreed}
        atomic.write_text(file, json.dumps(document, indent=1, sort_keys=True), mode=0o600)
    finally:
        os.close(lock)


def pending(layout: Layout, config: Config) -> tuple[RemoteConfig, ...]:
    """Return the remotes that the user has not agreed to yet."""
    return tuple(remote for remote in config.remotes.values() if not is_agreed(layout, remote))


def sentence(remote: RemoteConfig) -> str:
    """Return what the user agrees to, secrets left out."""
    options = ", ".join(
        f"{name} = {config_remotes.shown(f'remote.{remote.name}.{name}', value)}"
        for name, value in sorted(remote.options.items())
    )
    return f"remote {remote.name} at {redacted(remote.url)}" + (
        f" with {options}" if options else ""
    )


def require(
    layout: Layout, remote: RemoteConfig, ask: Callable[[str], bool] | None = None
) -> None:
    """Return if the user agreed to `remote`; else ask, where somebody can be asked.

    Raises:
        DatavcError: the user did not agree.
    """
    if is_agreed(layout, remote):
        return
    what = sentence(remote)
    if ask is not None and ask(f"This repository names {what}. Use it from here on?"):
        agree(layout, [remote])
        return
    raise DatavcError(
        f"{what} came with the repository, and you have not agreed to it",
        f"`datavc remote trust {remote.name}` agrees to it, `datavc install` to all remotes here",
    )
