"""Watching stages while they run: `--trace` tells what they touched, `--strict` holds them to it.

What stands between a runner and the parts: an action goes in before it is started, and a verdict
comes out after it has ended.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import NamedTuple

from datavc.core.errors import ConfigError
from datavc.core.paths import RepoPath, is_inside
from datavc.core.stage import Stage
from datavc.pipeline import denial, sandbox, strace, tracing
from datavc.pipeline.executors.base import Action, Ended
from datavc.pipeline.executors.lines import tail
from datavc.pipeline.running import WatchOptions
from datavc.pipeline.sandbox import Place
from datavc.pipeline.tracing import TraceReport

_LOG_LINES = 400
"""As much of a log's end is searched for the file that was refused."""


class Verdict(NamedTuple):
    """What watching a stage showed. `refusal` is why its result must not be recorded, or empty.

    `partly` tells that programs other than Python were not seen.
    """

    refusal: str = ""
    hint: str = ""
    report: TraceReport | None = None
    partly: bool = False


class _Watched(NamedTuple):
    """A stage that runs: its own folder, and what lay in shared ones before."""

    folder: str
    action: Action
    shared: tuple[RepoPath, ...]
    before: dict[RepoPath, tuple[int, ...]]


class Watch:
    """The stages that are watched in one run."""

    def __init__(self, root: str, temporary: str, objects: str, options: WatchOptions) -> None:
        """Watch the project at `root`; stages get folders below `temporary`, which is there.

        `objects` is the cache that files of the project may be links into.

        Raises:
            ConfigError: stages are to be confined, and cannot be here.
        """
        if options.strict and (reason := sandbox.unavailable()):
            raise ConfigError(
                f"stages cannot be confined: {reason}",
                "`datavc repro --trace` tells undeclared files after a stage has run",
            )
        self._root = os.path.realpath(root)
        self._temporary = os.path.realpath(temporary)
        self._objects = objects
        self._options = options
        self._strace = strace.program()
        self._running: dict[str, _Watched] = {}

    def prepare(self, stage: Stage, action: Action) -> Action:
        """Return what to start instead of `action`; the stage's old outputs are gone by now."""
        import tempfile

        folder = tempfile.mkdtemp(prefix="stage-", dir=self._temporary)
        shared: tuple[RepoPath, ...] = ()
        if self._options.strict:
            place = Place(self._root, folder, (self._objects,))
            confinement, shared = sandbox.confine(
                stage, place, {**os.environ, **action.environment}
            )
            variables = {**action.environment, **sandbox.environment(folder)}
            action = action._replace(confine=confinement, environment=variables)
        if self._options.trace or shared:
            notes = os.path.join(folder, "trace")
            os.mkdir(notes)
            action = tracing.watched(action, notes, self._root, self._strace)
        before = {} if self._strace else sandbox.survey(self._root, shared, stage)
        self._running[action.stage] = _Watched(folder, action, shared, before)
        return action

    def verdict(self, stage: Stage, ended: Ended) -> Verdict:
        """Return what was seen, and forget the stage."""
        import shutil

        watched = self._running.pop(ended.stage)
        verdict = Verdict()
        notes = os.path.join(watched.folder, "trace")
        if os.path.isdir(notes):
            traced = tracing.collect(notes, self._root, watched.action.folder)
            report = tracing.compare(stage, traced)
            verdict = Verdict(report=report, partly=not traced.complete)
        shutil.rmtree(watched.folder, ignore_errors=True)
        if self._options.strict and ended.succeeded:
            return self._judge(stage, watched, verdict)
        if self._options.strict and (
            denied := denial.find(stage, self._root, tail(watched.action.log, _LOG_LINES))
        ):
            return verdict._replace(refusal=denied.sentence(stage), hint=denied.hint(stage))
        return verdict

    def _judge(self, stage: Stage, watched: _Watched, verdict: Verdict) -> Verdict:
        """Hold a stage that ended well to its word where the kernel could not."""
        report = verdict.report or TraceReport((), (), (), ())
        wrote: Collection[RepoPath] = report.undeclared_writes
        if verdict.partly:
            after = sandbox.survey(self._root, watched.shared, stage)
            wrote = sandbox.changed(watched.before, after)
        reads = [
            path
            for path in sandbox.within(report.undeclared_reads, watched.shared)
            if not os.path.isdir(os.path.join(self._root, path))  # any folder may be listed
        ]
        writes = [
            path
            for path in sandbox.within(wrote, watched.shared)
            if not any(is_inside(path, out) for out in self._options.made)
        ]
        for paths, verb, key in ((reads, "read", "deps"), (writes, "wrote", "outs")):
            if paths:
                where = f"({stage.file}, line {stage.line})"
                did = f"stage {stage.address} {verb} {paths[0]}"
                return verdict._replace(
                    refusal=f"{did}, but does not declare it {where}",
                    hint=f"add {', '.join(paths[:5])} to `{key}` of stage {stage.address}",
                )
        return verdict
