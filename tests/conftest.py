"""What holds for all tests: nobody's home, settings or credentials are read or written."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.repo import RepoBuilder

pytest_plugins = ["tests.support.servers"]

GIT_CONFIG = """\
[user]
\tname = Tester
\temail = tester@example.invalid
[init]
\tdefaultBranch = main
[commit]
\tgpgSign = false
[protocol "file"]
\tallow = always
"""

FOREIGN = ("GIT_", "DATAVC_", "AWS_", "AZURE_", "GOOGLE_", "XDG_", "SSH_")
"""Settings of whoever runs the tests; none of them reaches a test."""


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a script
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def nobodys_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the session a home that cannot be used, and settings of its own.

    HOME is a file, so whatever would be written below it fails, also for root.
    """
    folder = tmp_path_factory.mktemp("session")
    home = folder / "no-home"
    home.touch()
    git_config = folder / "gitconfig"
    git_config.write_text(GIT_CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(FOREIGN)]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        for kind in ("CONFIG_HOME", "DATA_HOME", "CACHE_HOME", "STATE_HOME", "RUNTIME_DIR"):
            place = folder / kind.lower()
            place.mkdir(mode=0o700)
            patch.setenv(f"XDG_{kind}", str(place))
        patch.setenv("XDG_CONFIG_DIRS", str(folder / "config_dirs"))
        patch.setenv("GIT_CONFIG_GLOBAL", str(git_config))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("NO_COLOR", "1")
        patch.setenv("COLUMNS", "100")
        patch.setenv("LC_ALL", "C.UTF-8")
        yield folder


@pytest.fixture(autouse=True)
def no_settings_left(nobodys_home: Path) -> Iterator[None]:
    """Take away what a test set for the user, so that the next one begins without settings."""
    yield
    shutil.rmtree(nobodys_home / "config_home/datavc", ignore_errors=True)


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[..., RepoBuilder]:
    """Return what makes repositories below the test's folder: `make_repo("name")`."""

    def build(name: str = "repo", *, init: bool = True) -> RepoBuilder:
        return RepoBuilder(tmp_path / name, init=init)

    return build


@pytest.fixture
def repo(make_repo: Callable[..., RepoBuilder]) -> RepoBuilder:
    """Return a fresh repository with datavc in it."""
    return make_repo()
