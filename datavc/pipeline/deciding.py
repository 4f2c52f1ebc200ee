"""Deciding: gathers what a plan is made of, stage by stage, and asks `plan.decide`.

Here the workspace, parameter files, locks and the times of past runs meet; nothing is changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from datavc.core import digest as digests
from datavc.core import paths
from datavc.core.digest import Digest
from datavc.core.errors import DatavcError
from datavc.core.hashing import hash_bytes
from datavc.core.lock import Locked, LockEntry, Params
from datavc.core.outputs import LOCK_FILE
from datavc.core.paths import RepoPath
from datavc.core.stage import ParamsDep, Stage, Value
from datavc.pipeline import plan
from datavc.pipeline.findings import Finding
from datavc.pipeline.memo import Memo, digest_of
from datavc.pipeline.params import NoParameterError, Parsed, read_params
from datavc.pipeline.plan import Decision, Inputs
from datavc.pipeline.runcache import UNCACHED_LIMIT, key_of
from datavc.pipeline.running import Done
from datavc.pipeline.sight import Seen, Sight
from datavc.pipeline.wanting import no_dependency, no_parameter
from datavc.repo.files import Files
from datavc.repo.scan import Trust

Locks = dict[tuple[RepoPath, str], LockEntry]
"""By lock file and name of the stage."""


class Past(NamedTuple):
    """When a stage last ran well (seconds since the epoch), and for how long (s)."""

    time_s: float
    seconds: float


class Found(NamedTuple):
    """What was decided about a stage, from which inputs and which record."""

    decision: Decision
    inputs: Inputs
    entry: LockEntry | None
    seconds: float | None


class Surroundings(NamedTuple):
    """What stages are compared with, beside the files: recorded data, environment, memos.

    `data` are outputs that pointers record, by path; `folder` holds memos, `logs` the output of
    commands.
    """

    data: Mapping[RepoPath, Digest]
    environment: Mapping[str, str]
    folder: str
    logs: str
    algorithm: str


def lock_of(stage: Stage) -> RepoPath:
    """Return the lock file that records a stage."""
    return paths.join(paths.parent(stage.file), LOCK_FILE)


class Decider:
    """Decides about the stages of one workspace."""

    def __init__(
        self,
        stages: Sequence[Stage],
        locks: Locks,
        sight: Sight,
        files: Files,
        around: Surroundings,
    ) -> None:
        """Look at nothing yet."""
        self._stages = stages
        self._locks = locks
        self._sight = sight
        self._around = around
        self._values = ParamValues(files, Memo(around.folder, "params", 1))
        self._past = Memo(around.folder, "history", 1)
        self.allow_missing = False
        self._foreseen: dict[RepoPath, Locked] = {}
        self._pending: set[str] = set()
        self._around_pending: set[str] = set()

    def decide(self, stage: Stage, *, force: bool = False) -> Found:
        """Return what is to be done with a stage.

        Raises:
            DatavcError: a dependency or a parameter that it needs to run is not there.
        """
        entry = self.entry(stage)
        like = plan.algorithms(entry)
        frozen = stage.frozen and not force
        inputs = Inputs({}) if frozen else self._inputs(stage, like)
        outs = {out.path: self._out(out.path, like.get(out.path)) for out in stage.outs}
        if self.allow_missing and entry is not None:
            inputs, outs = self._as_recorded(inputs, outs, entry)
        decision = plan.decide(stage, entry, inputs, outs, force=force)
        if decision.action == "run":
            inputs = self.sure_inputs(stage)
        past = self.past(stage)
        return Found(decision, inputs, entry, past.seconds if past else None)

    def differences(self, stage: Stage) -> tuple[Finding, ...]:
        """Return all that differs from a stage's last good run; what is missing is a difference.

        Raises:
            DatavcError: a parameter file does not parse.
        """
        entry = self.entry(stage)
        like = plan.algorithms(entry)
        inputs = Inputs({}) if stage.frozen else self._inputs(stage, like, partial=True)
        outs = {out.path: self._out(out.path, like.get(out.path)) for out in stage.outs}
        found = plan.decide(stage, entry, inputs, outs).findings
        return found + tuple(plan.not_as_defined(stage, entry) if entry is not None else ())

    def inputs(self, stage: Stage, *, sure: bool) -> Inputs:
        """Return what goes into a run, in the project's algorithm; `sure` of every digest."""
        return self._inputs(stage, {}, trust=Trust.IDENTITY if sure else Trust.CHANGED)

    def sure_inputs(self, stage: Stage) -> Inputs:
        """Return what goes into a run that is about to start, every digest computed.

        Raises:
            DatavcError: a dependency or a parameter is not there.
        """
        inputs = self.inputs(stage, sure=True)
        for path, seen in inputs.deps.items():
            if seen is None and path not in inputs.pending:
                raise self._no_dependency(stage, path)
        return inputs

    def lies(self, locked: Locked) -> bool:
        """Tell whether what lies at an output's path is what was recorded."""
        seen = self._sight.look(locked.path, digests.algorithm(locked.digest))
        return seen is not None and seen.is_like(locked)

    def require(self, stage: Stage, is_made: Callable[[RepoPath], bool]) -> None:
        """Refuse a stage that cannot run: what it needs is not there and not made before it.

        Raises:
            DatavcError: names the dependency or the parameter.
        """
        if stage.wdir and not (
            self._sight.exists(RepoPath(stage.wdir)) or is_made(RepoPath(stage.wdir))
        ):
            raise DatavcError(
                f"{stage.where}: {stage.address} runs in {stage.wdir}, which is not there",
                "make the folder, or change `wdir`",
            )
        for path in stage.deps:
            if not (self.allow_missing or self._sight.exists(path) or is_made(path)):
                raise self._no_dependency(stage, path)
        self._params(stage, [dep for dep in stage.params if not is_made(dep.file)])

    def entry(self, stage: Stage) -> LockEntry | None:
        """Return the record of a stage's last good run."""
        return self._locks.get((lock_of(stage), stage.name))

    def key(self, stage: Stage, inputs: Inputs) -> str:
        """Return the run cache's key of a run."""
        nothing = Digest("")
        outs = tuple(Locked(out.path, "file", nothing) for out in stage.outs)
        return key_of(plan.entry_of(stage, inputs, outs))

    def redefined(self, stage: Stage, entry: LockEntry) -> LockEntry:
        """Return a record with its outputs as the stage now defines them."""
        declared = {out.path: out for out in stage.outs}
        return entry._replace(
            outs=tuple(
                plan.as_defined(out, declared[out.path])
                for out in entry.outs
                if out.path in declared
            )
        )

    def may_remember(self, entry: LockEntry) -> bool:
        """Tell whether outputs that are not cached are files, and small enough to remember."""
        uncached = [out for out in entry.outs if not out.cache]
        small = sum(out.size or 0 for out in uncached) <= UNCACHED_LIMIT
        return small and all(out.kind == "file" for out in uncached)

    def learn(self, done: Done) -> None:
        """Take a good result for the record of its stage from here on."""
        self._locks[lock_of(done.stage), done.stage.name] = done.entry

    def foresee(self, stage: Stage, entry: LockEntry | None) -> None:
        """Plan on: the outputs will be those of `entry`, or nobody knows what they will be."""
        if entry is None:
            for out in stage.outs:
                self._pending.add(out.path)
                self._around_pending.update(_upwards(out.path))
        else:
            self._foreseen |= {out.path: out for out in entry.outs}

    def ran(self, stage: Stage, when_s: float, seconds: float) -> None:
        """Note when a stage ran well, and for how long (s)."""
        self._past.put(stage.address, None, (when_s, seconds))

    def past(self, stage: Stage) -> Past | None:
        """Return when a stage last ran well here, None if it is not known."""
        found = self._past.get(stage.address, None)
        return Past(*found) if found is not None else None

    def seconds(self) -> list[float]:
        """Return for how long (s) each stage last ran; 1 where nobody knows."""
        return [past.seconds if (past := self.past(stage)) else 1.0 for stage in self._stages]

    def log(self, stage: Stage) -> str:
        """Return the file that a stage's command writes to; its name says which stage."""
        plain = "".join(c if c.isalnum() or c in "-_@." else "_" for c in stage.address)
        unique = digest_of(stage.address.encode("utf-8", "surrogatepass"))[:8]
        return os.path.join(self._around.logs, f"{plain[:80]}-{unique}.log")

    def look_anew(self) -> None:
        """Forget what files said: a command has run."""
        self._sight.look_anew()
        self._values.look_anew()

    def save(self) -> None:
        """Write down what was learnt for next time."""
        self._sight.save()
        self._values.save()
        self._past.save()

    def _inputs(
        self,
        stage: Stage,
        like: Mapping[RepoPath, Digest],
        *,
        trust: Trust = Trust.CHANGED,
        partial: bool = False,
    ) -> Inputs:
        deps: dict[RepoPath, Seen | None] = {}
        pending: set[RepoPath] = set()
        for path in stage.deps:
            if self._pending and self._is_pending(path):
                pending.add(path)
            deps[path] = self._seen(path, like.get(path), trust)
        files = [dep for dep in stage.params if not self._is_pending(dep.file)]
        pending.update(dep.file for dep in stage.params if dep not in files)
        env = {name: self._variable(name) for name in stage.env}
        params = self._params(stage, files, partial=partial)
        return Inputs(deps, params, env, frozenset(pending))

    def _params(
        self, stage: Stage, files: Sequence[ParamsDep], *, partial: bool = False
    ) -> Params:
        try:
            return self._values.read(files, partial=partial)
        except NoParameterError as error:
            raise no_parameter(stage, error) from error

    def _seen(self, path: RepoPath, like: Digest | None, trust: Trust) -> Seen | None:
        foreseen = self._foreseen.get(path)
        if foreseen is not None:
            return Seen(foreseen.kind, foreseen.digest, foreseen.size or 0, foreseen.files)
        algorithm = digests.algorithm(like) if like else self._around.algorithm
        return self._sight.look(path, algorithm, trust)

    def _out(self, path: RepoPath, like: Digest | None) -> Seen | None:
        algorithm = digests.algorithm(like) if like else self._around.algorithm
        return self._sight.look(path, algorithm)

    def _is_pending(self, path: RepoPath) -> bool:
        """Tell whether what lies at `path` is about to be made anew, or is around what is."""
        return path in self._around_pending or any(up in self._pending for up in _upwards(path))

    def _variable(self, name: str) -> str:
        value = self._around.environment.get(name)
        if value is None:
            return ""
        return hash_bytes(value.encode("utf-8", "surrogateescape"), "blake3").digest

    def _as_recorded(
        self, inputs: Inputs, outs: dict[RepoPath, Seen | None], entry: LockEntry
    ) -> tuple[Inputs, dict[RepoPath, Seen | None]]:
        """Take what is missing for what was recorded, where the records agree on it."""
        deps = dict(inputs.deps)
        for dep in entry.deps:
            known = self._around.data.get(dep.path) in (None, dep.digest)
            if dep.path in deps and deps[dep.path] is None and known:
                deps[dep.path] = _as_seen(dep)
        found = dict(outs)
        for out in entry.outs:
            if out.path in found and found[out.path] is None:
                found[out.path] = _as_seen(out)
        return inputs._replace(deps=deps), found

    def _no_dependency(self, stage: Stage, path: RepoPath) -> DatavcError:
        beside = self._sight.names(paths.parent(path))
        return no_dependency(stage, path, self._stages, self._around.data.keys(), beside)


class ParamValues:
    """Reads parameter files, each text once in its life."""

    def __init__(self, files: Files, memo: Memo) -> None:
        """Read from `files`; what they said is remembered in `memo`."""
        self._files = files
        self._memo = memo
        self._parsed: Parsed = {}

    def read(self, deps: Sequence[ParamsDep], *, partial: bool = False) -> Params:
        """Return file → key → value; with `partial` what is missing is left out.

        Raises:
            DatavcError: a file or a key is missing, or a file does not parse.
        """
        for dep in deps:
            if dep.file not in self._parsed:
                self._parsed[dep.file] = self._load(dep.file)
        return read_params(deps, self._files, self._parsed, partial=partial)

    def look_anew(self) -> None:
        """Forget what the files are now."""
        self._parsed = {}

    def save(self) -> None:
        """Write down what was read."""
        self._memo.save()

    def _load(self, path: RepoPath) -> Value:
        data = self._files.read(path)
        if data is None:
            return None
        source = digest_of(data)
        known = self._memo.get(path, source)
        if known is None:
            from datavc.formats.data_file import load_data

            said = load_data(path, data)
            known = ({} if said is None else said,)
            self._memo.put(path, source, known)
        value: Value = known[0]
        return value


def _as_seen(locked: Locked) -> Seen:
    size = locked.size or 0
    return Seen(locked.kind, locked.digest, size, locked.files, locked.executable)


def _upwards(path: str) -> Iterator[str]:
    """Yield `path` and the folders above it."""
    while path:
        yield path
        path = paths.parent(path)
