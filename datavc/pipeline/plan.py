"""Plan: a stage, its last good run and the state of the workspace → what is to be done, and why.

Pure comparison. Whatever decides about a stage stands here, each rule by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from datavc.core.digest import Digest
from datavc.core.lock import Locked, LockEntry, Params
from datavc.core.paths import RepoPath
from datavc.core.stage import Out, Stage, Value
from datavc.pipeline.findings import (
    ALWAYS,
    DELETED,
    FORCED,
    MODIFIED,
    NEVER_RUN,
    NEW,
    PENDING,
    UNDECLARED,
    Finding,
)
from datavc.pipeline.sight import Seen

Action = Literal["run", "restore", "skip"]


class Inputs(NamedTuple):
    """What a stage's inputs are now: None is a dependency that is not there.

    `pending` are dependencies and parameter files that an earlier stage of the same run may yet
    change.
    """

    deps: Mapping[RepoPath, Seen | None]
    params: Params = {}
    env: Mapping[str, str] = {}
    pending: frozenset[RepoPath] = frozenset()


class Decision(NamedTuple):
    """What a stage needs. `restore`: its last good outputs, not a run; `settle`: the lock alone.

    A stage that is to be run may yet be answered by the run cache.
    """

    action: Action
    findings: tuple[Finding, ...] = ()
    settle: bool = False

    @property
    def inputs_changed(self) -> bool:
        """Whether anything but outputs differs."""
        return any(finding.about != "output" for finding in self.findings)


def decide(
    stage: Stage,
    entry: LockEntry | None,
    inputs: Inputs,
    outs: Mapping[RepoPath, Seen | None],
    *,
    force: bool = False,
) -> Decision:
    """Return what is to be done with a stage, whose outputs are now `outs`."""
    if entry is None and not stage.frozen:
        return Decision("run", tuple(never_run(stage, inputs, outs)))
    recorded = entry or LockEntry(stage.cmd)
    missing = tuple(compare_outs(stage, recorded, outs))
    if stage.frozen and not force:
        lost = tuple(
            Finding("output", out.path, DELETED)
            for out in stage.outs
            if outs.get(out.path) is None
        )
        return Decision("restore" if lost else "skip", lost)
    changed = [*compare_inputs(stage, recorded, inputs), *must_run(stage, recorded)]
    if always_runs(stage):
        changed.append(Finding("rule", stage.name, ALWAYS))
    if force:
        changed.append(Finding("rule", stage.name, FORCED))
    settle = not_as_defined(stage, recorded)
    if changed:
        return Decision("run", (*changed, *missing))
    return Decision("restore" if missing else "skip", missing, bool(settle))


def never_run(
    stage: Stage, inputs: Inputs, outs: Mapping[RepoPath, Seen | None]
) -> Iterator[Finding]:
    """Yield what there is to say of a stage without a record: that, and that all of it is new."""
    yield Finding("rule", stage.name, NEVER_RUN)
    yield from compare_inputs(stage, LockEntry(stage.cmd, stage.wdir), inputs)
    for out in stage.outs:
        yield Finding("output", out.path, DELETED if outs.get(out.path) is None else NEW)


def always_runs(stage: Stage) -> bool:
    """Tell whether a stage runs each time: it says so, or nothing of what it needs or makes."""
    nothing = not (stage.deps or stage.params or stage.outs or stage.env)
    return stage.always_changed or nothing


def compare_inputs(stage: Stage, entry: LockEntry, inputs: Inputs) -> Iterator[Finding]:
    """Yield what differs in command, dependencies, parameters and environment."""
    if entry.cmd != stage.cmd:
        yield Finding("command", "cmd", MODIFIED, "", "\n".join(entry.cmd), "\n".join(stage.cmd))
    if entry.wdir != stage.wdir:
        yield Finding("definition", "wdir", MODIFIED, "", entry.wdir or ".", stage.wdir or ".")
    yield from _compare_deps(stage, entry, inputs)
    yield from _compare_params(stage, entry.params, inputs)
    for name in stage.env:
        old, new = entry.env.get(name), inputs.env.get(name, "")
        if old != new:
            yield Finding("variable", name, NEW if old is None else MODIFIED, "", old, new)
    for name in sorted(entry.env.keys() - set(stage.env)):
        yield Finding("variable", name, UNDECLARED)


def _compare_deps(stage: Stage, entry: LockEntry, inputs: Inputs) -> Iterator[Finding]:
    known = {dep.path: dep for dep in entry.deps}
    for path in stage.deps:
        old, seen = known.get(path), inputs.deps.get(path)
        digest = None if seen is None else seen.digest
        recorded = None if old is None else old.digest
        if path in inputs.pending:
            yield Finding("dependency", path, PENDING, "", recorded)
        elif seen is None:
            yield Finding("dependency", path, DELETED, "", recorded)
        elif old is None:
            yield Finding("dependency", path, NEW, "", None, digest)
        elif (old.kind, old.digest) != (seen.kind, seen.digest):
            yield Finding("dependency", path, MODIFIED, "", recorded, digest)
    for path in sorted(known.keys() - set(stage.deps)):
        yield Finding("dependency", path, UNDECLARED, "", known[path].digest)


def _compare_params(stage: Stage, old: Params, inputs: Inputs) -> Iterator[Finding]:
    declared: dict[RepoPath, set[str]] = {}
    for dep in stage.params:
        declared.setdefault(dep.file, set()).update(dep.keys)
    new, pending = inputs.params, inputs.pending.difference(stage.deps)
    for file in sorted(old.keys() | new.keys() | declared.keys() | pending):
        if file in inputs.pending:
            yield Finding("dependency", file, PENDING)
            continue
        before, now, wanted = old.get(file, {}), new.get(file, {}), declared.get(file, set())
        for key in sorted(before.keys() | now.keys() | wanted):
            if key not in now:
                state = DELETED if key in wanted else UNDECLARED
                yield Finding("parameter", key, state, file, before.get(key))
            elif key not in before:
                yield Finding("parameter", key, NEW, file, None, now[key])
            elif not is_same_value(before[key], now[key]):
                yield Finding("parameter", key, MODIFIED, file, before[key], now[key])


def is_same_value(old: Value, new: Value) -> bool:
    """Tell whether two values are equal and of one type: 1, 1.0, true and "1" are four."""
    if type(old) is not type(new):
        return False
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(is_same_value(old[k], new[k]) for k in old)
    if isinstance(old, list) and isinstance(new, list):
        pairs = zip(old, new, strict=False)
        return len(old) == len(new) and all(is_same_value(*pair) for pair in pairs)
    return old == new or (old != old and new != new)  # noqa: PLR0124 - not-a-number is itself


def must_run(stage: Stage, entry: LockEntry) -> Iterator[Finding]:
    """Yield outputs that the last good run did not make."""
    known = {out.path for out in entry.outs}
    for out in stage.outs:
        if out.path not in known:
            yield Finding("definition", out.path, NEW)


def not_as_defined(stage: Stage, entry: LockEntry) -> list[Finding]:
    """Return differences of the definition that the lock can be made to follow without a run."""
    declared = {out.path: out for out in stage.outs}
    found = [
        Finding("definition", out.path, UNDECLARED)
        for out in entry.outs
        if out.path not in declared
    ]
    for out in entry.outs:
        wanted = declared.get(out.path)
        if wanted is not None and as_defined(out, wanted) != out:
            found.append(Finding("definition", out.path, MODIFIED))
    return found


def as_defined(locked: Locked, out: Out) -> Locked:
    """Return the record of an output with what its definition says of it."""
    return locked._replace(cache=out.cache, push=out.push, remote=out.remote)


def compare_outs(
    stage: Stage, entry: LockEntry, outs: Mapping[RepoPath, Seen | None]
) -> Iterator[Finding]:
    """Yield recorded outputs that are not as they were recorded."""
    declared = {out.path for out in stage.outs}
    for locked in entry.outs:
        if locked.path not in declared:
            continue
        seen = outs.get(locked.path)
        if seen is None:
            yield Finding("output", locked.path, DELETED, "", locked.digest)
        elif not seen.is_like(locked):
            yield Finding("output", locked.path, MODIFIED, "", locked.digest, seen.digest)


def entry_of(stage: Stage, inputs: Inputs, outs: Sequence[Locked]) -> LockEntry:
    """Return the record of a run with these inputs that made `outs`."""
    deps = tuple(seen.as_locked(path) for path, seen in inputs.deps.items() if seen is not None)
    return LockEntry(stage.cmd, stage.wdir, deps, inputs.params, inputs.env, tuple(outs))


def algorithms(entry: LockEntry | None) -> dict[RepoPath, Digest]:
    """Return by path the digests that what lies there is to be compared with."""
    if entry is None:
        return {}
    return {locked.path: locked.digest for locked in (*entry.deps, *entry.outs)}
