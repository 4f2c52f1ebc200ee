"""Runner: carries out a plan, stage after stage or many at once. It decides when, never what.

One thread: it looks, decides, starts commands, and waits. What is good is published in batches,
objects before names, so that a kill at any moment costs the last moments' work and nothing else.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from datavc.core.errors import DatavcError
from datavc.core.lock import LockEntry
from datavc.core.stage import Stage
from datavc.pipeline import graph as graphs
from datavc.pipeline.deciding import Decider, Found
from datavc.pipeline.executors.base import Action, Ended, Executor
from datavc.pipeline.findings import Finding
from datavc.pipeline.graph import Graph
from datavc.pipeline.plan import Inputs, compare_inputs, entry_of
from datavc.pipeline.resources import Resources
from datavc.pipeline.runcache import CachedRun, as_declared, is_remembered
from datavc.pipeline.running import Done, Hands, Outcome, Reporter, RunOptions

BATCH_S = 0.4
"""How long a good result may wait to be made durable with others."""
BATCH = 64
"""How many may wait."""


class Machine(NamedTuple):
    """Where and how commands run, and who is told.

    `action` makes what an executor takes of a stage and its devices; `after` returns what a
    command did that it must not.
    """

    executor: Executor
    resources: Resources
    reporter: Reporter
    action: Callable[[Stage, Sequence[int]], Action]
    after: Callable[[Stage, Ended], DatavcError | None]


class _Started(NamedTuple):
    """A stage whose command runs: what it was started with, and which attempt this is."""

    which: int
    inputs: Inputs
    findings: tuple[Finding, ...]
    attempt: int


class Runner:
    """One run of chosen stages of a graph."""

    def __init__(
        self,
        graph: Graph,
        decider: Decider,
        hands: Hands,
        machine: Machine,
        options: RunOptions,
    ) -> None:
        """Run nothing yet."""
        self._graph = graph
        self._decider = decider
        self._hands = hands
        self._machine = machine
        self._reporter = machine.reporter
        self._options = options
        self.outcomes: list[Outcome] = []
        self._good: list[Done] = []
        self._since = time.monotonic()
        self._ran: set[int] = set()
        self._bad: set[int] = set()
        self._running: dict[str, _Started] = {}
        self._stopping = False

    def run(self, chosen: Iterable[int]) -> list[Outcome]:
        """Bring the chosen stages up to date, each after those that it needs.

        However it ends, what is good by then is published. Interrupted, every process of every
        command is ended first.
        """
        queue = _Queue(self._graph, chosen, self._decider.seconds(), self._options.jobs)
        try:
            while queue or self._running:
                self._start_all(queue)
                self._publish()  # while commands run
                if self._running:
                    patience = BATCH_S if self._good else None
                    for ended in self._machine.executor.wait(patience):
                        self._take(ended, queue)
        except BaseException:
            for ended in self._machine.executor.stop():
                if (started := self._running.pop(ended.stage, None)) is not None:
                    self._fail(started, ended, "was interrupted")
            raise
        finally:
            self._publish(now=True)
        return self.outcomes

    def _start_all(self, queue: _Queue) -> None:
        """Take stages off the queue until all places are taken; most need no place."""
        waiting: list[int] = []
        while queue.ready and len(self._running) < self._options.jobs:
            index = queue.pop()
            stage = self._graph.stages[index]
            if not self._machine.resources.fits(stage.resources):
                waiting.append(index)
                continue
            if self._begin(index):
                continue
            queue.done(index)
            self._publish()
        for index in waiting:
            queue.put_back(index)

    def _begin(self, index: int) -> bool:
        """Bring one stage up to date; True if its command now runs."""
        stage = self._graph.stages[index]
        if self._is_blocked(index):
            self._bad.add(index)
            self._ends(Outcome(stage, "run", state="blocked"))
            return False
        try:
            return self._settle(index, stage)
        except DatavcError as error:
            self._fails(index, Outcome(stage, "run", error=error.message, hint=error.hint))
            return False

    def _is_blocked(self, index: int) -> bool:
        if self._stopping:
            return True
        needs_bad = not self._bad.isdisjoint(self._graph.needs[index])
        return needs_bad and not self._options.ignore_errors

    def _settle(self, index: int, stage: Stage) -> bool:
        """Skip, restore or start a stage; True if its command now runs."""
        options = self._options
        after_run = not self._ran.isdisjoint(self._graph.needs[index])
        force = options.force or (options.force_downstream and after_run)
        found = self._decider.decide(stage, force=force)
        decision, inputs, entry = found.decision, found.inputs, found.entry
        if decision.action == "skip":
            if decision.settle and entry is not None:
                self._keep(Done(stage, self._decider.redefined(stage, entry)))
            self._ends(Outcome(stage, "skip", decision.findings, found.seconds))
            return False
        if decision.action == "restore":
            if self._as_recorded(stage, found):
                return False
            inputs = self._decider.sure_inputs(stage)
        if not force and self._from_cache(index, inputs, decision.findings):
            return False
        if options.ask is not None and not options.ask(stage):
            self._bad.add(index)
            self._ends(Outcome(stage, "run", decision.findings, state="declined"))
            return False
        self._hands.make_way(stage, entry)
        self._tell_saved(stage)
        self._start(_Started(index, inputs, decision.findings, 0))
        return True

    def _as_recorded(self, stage: Stage, found: Found) -> bool:
        """Put back what the last good run made; False if it must be made anew.

        Raises:
            DatavcError: it must, and the stage is frozen.
        """
        if found.entry is not None:
            wanted = self._decider.redefined(stage, found.entry)
            if self._restored(stage, wanted):
                self._keep(Done(stage, wanted))
                self._ends(Outcome(stage, "restore", found.decision.findings, found.seconds))
                return True
        if stage.frozen:
            raise DatavcError(
                f"an output of the frozen stage {stage.address} is missing and cannot be restored",
                "`datavc pull` may bring it, `datavc unfreeze` lets the stage run",
            )
        return False

    def _from_cache(self, index: int, inputs: Inputs, findings: tuple[Finding, ...]) -> bool:
        """Put there what an older run made of these inputs, if one is known."""
        stage = self._graph.stages[index]
        if not (self._options.run_cache and is_remembered(stage)):
            return False
        run = self._hands.fetch_run(self._decider.key(stage, inputs))
        if run is None:
            return False
        wanted = as_declared(run, stage, entry_of(stage, inputs, ()))
        if not self._restored(stage, wanted):
            return False
        self._ran.add(index)
        self._keep(Done(stage, wanted))
        self._ends(Outcome(stage, "restore", findings, run.seconds, from_cache=True))
        return True

    def _restored(self, stage: Stage, wanted: LockEntry) -> bool:
        """Put outputs there that do not lie there already; False, and said, if that failed."""
        lacking = [out for out in wanted.outs if not self._decider.lies(out)]
        if not self._hands.has_objects(lacking):
            return False
        problem = self._hands.restore(stage, lacking)
        self._tell_saved(stage)
        if problem:
            self._reporter.warns(f"{stage.address}: {problem}; it is run instead")
        return not problem

    def _tell_saved(self, stage: Stage) -> None:
        """Say what of the user's own stood where a stage's outputs go."""
        paths = self._hands.saved()
        if paths:
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            self._reporter.warns(
                f"{paths[0]}{more} was not as {stage.address} had made it; it is saved, and "
                "`datavc undo` brings it back"
            )

    def _start(self, started: _Started) -> None:
        stage = self._graph.stages[started.which]
        self._reporter.begins(stage, started.findings)
        devices = self._machine.resources.take(stage.address, stage.resources)
        action = self._machine.action(stage, devices)
        self._running[action.stage] = started
        self._machine.executor.submit(action)

    def _take(self, ended: Ended, queue: _Queue) -> None:
        """Note how a command ended; what it made is recorded only if all is as it must be."""
        started = self._running.pop(ended.stage)
        stage = self._graph.stages[started.which]
        self._machine.resources.give_back(stage.address)
        self._decider.look_anew()
        if ended.interrupted:
            self._fail(started, ended, "was interrupted")
            raise KeyboardInterrupt
        if not ended.succeeded and started.attempt < stage.retries:
            self._reporter.warns(
                f"{stage.address}: {_how(ended)}; trying again "
                f"({started.attempt + 1} of {stage.retries})"
            )
            self._hands.make_way(stage, None, discard=True)
            self._start(started._replace(attempt=started.attempt + 1))
            return
        problem = self._machine.after(stage, ended)
        if problem is not None:
            self._fail(started, ended, problem.message, problem.hint)
        elif not ended.succeeded:
            self._fail(started, ended, _how(ended))
        else:
            try:
                self._record(started, ended)
            except DatavcError as error:
                self._fail(started, ended, error.message, error.hint)
        queue.done(started.which)

    def _record(self, started: _Started, ended: Ended) -> None:
        stage = self._graph.stages[started.which]
        now = self._decider.inputs(stage, sure=False)
        before = entry_of(stage, started.inputs, ())
        for finding in compare_inputs(stage, before, now):
            place = f"{finding.where}:" if finding.where else ""
            raise DatavcError(
                f"{place}{finding.item} changed while {stage.address} ran, "
                "so its result is not recorded",
                f"`datavc repro {stage.address}` runs it again",
            )
        outs = tuple(self._hands.record(out) for out in stage.outs)
        entry = before._replace(outs=outs)
        run = None
        if is_remembered(stage) and self._options.commit and self._decider.may_remember(entry):
            log = self._hands.store_log(self._decider.log(stage))
            run = CachedRun(stage.name, entry, ended.seconds, log)
        self._ran.add(started.which)
        self._decider.ran(stage, time.time(), ended.seconds)
        self._keep(Done(stage, entry, run))
        outcome = Outcome(stage, "run", started.findings, ended.seconds, ended.exit_code)
        self._ends(outcome._replace(log=self._decider.log(stage)))

    def _fail(self, started: _Started, ended: Ended, error: str, hint: str = "") -> None:
        stage = self._graph.stages[started.which]
        outcome = Outcome(stage, "run", started.findings, ended.seconds, ended.exit_code)
        log = self._decider.log(stage)
        self._fails(started.which, outcome._replace(error=error, hint=hint, log=log))

    def _fails(self, index: int, outcome: Outcome) -> None:
        self._bad.add(index)
        if not (self._options.keep_going or self._options.ignore_errors):
            self._stopping = True
        self._ends(outcome._replace(state="failed"))

    def _ends(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._reporter.ends(outcome)

    def _keep(self, done: Done) -> None:
        """Note a good result; the next stages build on it at once."""
        self._decider.learn(done)
        self._good.append(done)

    def _publish(self, *, now: bool = False) -> None:
        """Make good results durable, if they have waited for long enough."""
        waits = len(self._good) < BATCH and time.monotonic() - self._since < BATCH_S
        if not self._good or (waits and not now):
            return
        good, self._good = self._good, []
        for warning in self._hands.publish(good):
            self._reporter.warns(warning)
        self._since = time.monotonic()


class _Queue:
    """Chosen stages in the order in which they may start.

    One at a time they keep the order of their files; with more, what the longest chain of work
    hangs on comes first.
    """

    def __init__(
        self, graph: Graph, chosen: Iterable[int], seconds: Sequence[float], jobs: int
    ) -> None:
        wanted = graphs.order(graph, chosen)
        rank = {index: float(place) for place, index in enumerate(wanted)}
        if jobs > 1:
            work = graphs.critical(graph, seconds)
            rank = {index: -work[index] for index in wanted}
        self._rank = rank
        self._needed_by = graph.needed_by
        self._left = {
            index: sum(need in rank for need in set(graph.needs[index])) for index in wanted
        }
        self.ready = [(rank[index], index) for index in wanted if not self._left[index]]
        heapq.heapify(self.ready)
        self._open = len(wanted)

    def __bool__(self) -> bool:
        return self._open > 0 and bool(self.ready)

    def pop(self) -> int:
        return heapq.heappop(self.ready)[1]

    def put_back(self, index: int) -> None:
        heapq.heappush(self.ready, (self._rank[index], index))

    def done(self, index: int) -> None:
        self._open -= 1
        for following in self._needed_by[index]:
            if following in self._left:
                self._left[following] -= 1
                if not self._left[following]:
                    self.put_back(following)


def _how(ended: Ended) -> str:
    """Return how a command ended, as the end of a sentence."""
    if ended.note:
        return ended.note
    if ended.signal is not None:
        return f"ended by signal {ended.signal}"
    return f"exited with {ended.exit_code}"
