"""What a run of stages asks for and tells: options, outcomes, and who carries things out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Literal, NamedTuple, Protocol

from datavc.core.digest import Digest
from datavc.core.lock import Locked, LockEntry
from datavc.core.paths import RepoPath
from datavc.core.stage import Out, Stage
from datavc.pipeline.findings import Finding
from datavc.pipeline.plan import Action
from datavc.pipeline.runcache import CachedRun
from datavc.pipeline.sight import Seen

State = Literal["done", "failed", "blocked", "declined"]
"""What became of a stage: blocked ones wait for one that failed, declined ones were not agreed."""


class RunOptions(NamedTuple):
    """How stages are run. `jobs` at once; `commit` False leaves outputs out of the cache.

    `force` runs what did not change, `force_downstream` also what depends on a stage that ran.
    `ask` is put the question for each stage that is to run; None where nobody is asked.
    """

    jobs: int = 1
    force: bool = False
    force_downstream: bool = False
    keep_going: bool = False
    ignore_errors: bool = False
    run_cache: bool = True
    commit: bool = True
    allow_missing: bool = False
    ask: Callable[[Stage], bool] | None = None


class WatchOptions(NamedTuple):
    """What is asked for.

    `made` are the outputs of all stages: with several at once, one's outputs are not taken for
    another's undeclared files.
    """

    trace: bool = False
    strict: bool = False
    made: Collection[RepoPath] = frozenset()


class Outcome(NamedTuple):
    """What was done, or is to be done, with one stage.

    `error` is one sentence, `hint` its way out. `seconds` is the time of the command, of a past
    run if it was not run now; None if unknown.
    `from_cache` tells that older results of the same inputs were taken.
    """

    stage: Stage
    action: Action
    findings: tuple[Finding, ...] = ()
    seconds: float | None = None
    exit_code: int | None = None
    state: State = "done"
    from_cache: bool = False
    error: str = ""
    hint: str = ""
    log: str = ""


class Done(NamedTuple):
    """A stage whose result is good: what the lock is to say, and what the run cache is to keep."""

    stage: Stage
    entry: LockEntry
    run: CachedRun | None = None


class Reporter(Protocol):
    """Is told what happens while it happens."""

    def begins(self, stage: Stage, findings: Sequence[Finding]) -> None:
        """A stage's command starts now."""

    def says(self, stage: str, line: str) -> None:
        """A stage's command wrote a line."""

    def ends(self, outcome: Outcome) -> None:
        """A stage is done with, whether or not it ran."""

    def warns(self, message: str) -> None:
        """Something is worth a line."""


class Hands(Protocol):
    """What a run does to workspace, cache and locks; the runner itself touches nothing."""

    def has_objects(self, outs: Iterable[Locked]) -> bool:
        """Tell whether the cache has all that these outputs are made of."""

    def fetch_run(self, key: str) -> CachedRun | None:
        """Return a run of these inputs, its objects in the cache; None if nobody knows one."""

    def make_way(self, stage: Stage, entry: LockEntry | None, *, discard: bool = False) -> None:
        """Remove a stage's outputs, but for those that stay, once their bytes are safe.

        With `discard` they are what a command that failed has just left.

        Raises:
            DatavcError: they cannot be made safe, or not be removed.
        """

    def restore(self, stage: Stage, outs: Sequence[Locked]) -> str:
        """Put outputs back as recorded; return why not, empty if all is well."""

    def saved(self) -> list[str]:
        """Return work of the user's that was saved before it went, since this was last asked."""

    def record(self, out: Out) -> Locked:
        """Return the record of an output that a command has just made; its bytes are on the way.

        Raises:
            DatavcError: it is not there, or of a kind that cannot be stored.
        """

    def store_log(self, file: str) -> Digest | None:
        """Keep what a command wrote, None if it wrote nothing."""

    def publish(self, done: Sequence[Done]) -> list[str]:
        """Make these results durable, objects first, then their names; return warnings."""


class Look(Protocol):
    """Looks at one path in the algorithm of the digest that it is compared with, if any."""

    def __call__(self, path: str, like: Digest | None = None) -> Seen | None:
        """Return what lies there."""
