"""What runs here: datavc, Python, Git, and the packages datavc stands on."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from datavc import __version__

PACKAGES = (
    "typer",
    "rich",
    "gitpython",
    "blake3",
    "xxhash",
    "msgspec",
    "pyyaml",
    "tomlkit",
    "pathspec",
    "platformdirs",
    "fsspec",
    "s3fs",
    "obstore",
    "gcsfs",
    "adlfs",
    "sshfs",
    "webdav4",
    "pyarrow",
    "aiohttp",
)
"""What a report of a problem has to name."""


@dataclass(frozen=True, slots=True)
class Versions:
    """Versions by name; packages that are not installed are left out."""

    datavc: str
    python: str
    platform: str
    executable: str
    git: str
    packages: Mapping[str, str]


def versions() -> Versions:
    """Return what runs here; needs no project."""
    return Versions(
        datavc=__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        executable=sys.executable,
        git=_git(),
        packages=_packages(),
    )


def _git() -> str:
    import subprocess

    try:
        done = subprocess.run(
            ["git", "--version"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return "not found"
    return done.stdout.strip().removeprefix("git version ") or "not found"


def _packages() -> Mapping[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
