"""Repo: the parts of one open project, on one tray. It has no verbs; they are in `verbs/`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple

from datavc.core.errors import ConfigError
from datavc.core.progress import Progress
from datavc.repo import config as configuration
from datavc.repo import layout as places
from datavc.repo.config import Config
from datavc.repo.git import Git
from datavc.repo.journal import Journal
from datavc.repo.layout import Layout
from datavc.repo.placed import Placed
from datavc.store.local import LocalStore
from datavc.store.lock import repository_lock
from datavc.store.stat_cache import StatCache


class Repo(NamedTuple):
    """What verbs work with. `here` is where the user stands: absolute, links resolved."""

    here: str
    layout: Layout
    config: Config
    git: Git
    objects: LocalStore
    stat_cache: StatCache
    placed: Placed
    journal: Journal

    @property
    def root(self) -> str:
        """The project's root, absolute."""
        return self.layout.root

    @staticmethod
    def open(start: str, overrides: Mapping[str, str]) -> Repo:
        """Open the project that contains `start`; `overrides` are this command's settings.

        Raises:
            NotARepository: there is no project, or no Git repository around it.
            DatavcError: the repository brings its own files for datavc's folder.
            ConfigError: a setting is wrong.
        """
        layout = places.find(start)
        git = Git(layout.root)
        git.check_own_folder()
        config = configuration.load(layout, overrides)
        _check_cache(config.cache.dir, layout, git)
        objects = LocalStore(
            cache_folder(layout, config, git),
            config.core.digest,
            durability=config.core.durability,
            shared=config.cache.shared,
            memos=layout.state,
        )
        return Repo(
            here=os.path.realpath(start),
            layout=layout,
            config=config,
            git=git,
            objects=objects,
            stat_cache=StatCache(layout.stat),
            placed=Placed(layout.placed),
            journal=Journal(layout.ops),
        )

    def lock(self, progress: Progress) -> AbstractContextManager[None]:
        """Hold the repository's lock: while pointers and the placed record are rewritten."""
        return repository_lock(self.layout.lock, self.config.core.lock_timeout_s, progress)


def _check_cache(folder: str, layout: Layout, git: Git) -> None:
    """Refuse a cache in which Git tracks something: links there would lead it anywhere.

    Raises:
        ConfigError: it does.
    """
    if folder == layout.default_cache or not folder.startswith(layout.root + os.sep):
        return
    inside = sorted(git.tracked([os.path.relpath(folder, layout.root)]))
    if inside:
        raise ConfigError(
            f"cache.dir is {folder}, in which Git tracks {inside[0]}",
            "`datavc cache dir --local FOLDER` names another, `--unset` returns to the default",
        )


def cache_folder(layout: Layout, config: Config, git: Git) -> str:
    """Return where objects are kept; a linked worktree uses the main worktree's cache."""
    linked = git.git_dir != git.common_dir and os.path.basename(git.common_dir) == ".git"
    if config.cache.dir != layout.default_cache or not linked:
        return config.cache.dir
    main = os.path.normpath(os.path.join(os.path.dirname(git.common_dir), git.prefix))
    if os.path.isdir(main):
        git.check_own_folder(main)
    return Layout(main).default_cache
