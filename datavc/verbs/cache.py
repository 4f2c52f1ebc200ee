"""Where objects are kept, and how much there is."""

from __future__ import annotations

from dataclasses import dataclass

from datavc.repo.repo import Repo, cache_folder


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """The cache of a project: its folder, how many objects it holds, and their bytes."""

    dir: str
    objects: int
    bytes: int
    types: tuple[str, ...]
    shared: bool


def folder(repo: Repo) -> str:
    """Return the folder where objects are kept, absolute."""
    return cache_folder(repo.layout, repo.config, repo.git)


def info(repo: Repo) -> CacheInfo:
    """Count what the cache holds, also what other projects put there."""
    objects = size = 0
    for found in repo.objects.iter():
        objects += 1
        size += found.size
    return CacheInfo(
        folder(repo), objects, size, repo.config.cache.types, repo.config.cache.shared
    )
