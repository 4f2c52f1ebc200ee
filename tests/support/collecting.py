"""Collecting: a small history, and gc with nothing but what a test is about."""

from __future__ import annotations

from datavc.verbs.gc import GcResult, gc
from datavc.verbs.gc_options import GcOptions
from tests.support.work import Work

ONE, TWO, THREE = b"1" * 1000, b"2" * 2000, b"3" * 3000


def collect(work: Work, **options: object) -> GcResult:
    """Collect with no grace period, without asking, keeping no scope but the workspace's."""
    chosen: dict[str, object] = {"workspace": True, "force": True, "expire_undo": True}
    work.settings["gc.grace"] = "0"
    return gc(work.repo(), GcOptions(**(chosen | options)))  # type: ignore[arg-type]


def freed(work: Work, **options: object) -> GcResult:
    """Collect what no remote has, too."""
    return collect(work, unpushed=True, **options)


def three_versions(work: Work) -> Work:
    """Commit three versions of a file, the last one checked out."""
    for name, content in (("v1", ONE), ("v2", TWO), ("v3", THREE)):
        work.version({"file": content}, name)
    return work


def held(work: Work) -> list[bytes]:
    """Return which of the three contents the cache still has."""
    return [data for data in (ONE, TWO, THREE) if work.object(data).exists()]
