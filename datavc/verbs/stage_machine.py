"""Stage machine: where the commands of stages run, with what around them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

from datavc.core.errors import DatavcError
from datavc.core.stage import Stage
from datavc.pipeline.deciding import Decider
from datavc.pipeline.executors.base import Action, Ended, default_shell
from datavc.pipeline.executors.local import LocalExecutor
from datavc.pipeline.resources import GPU, Resources
from datavc.pipeline.runner import Machine
from datavc.pipeline.running import Reporter, WatchOptions
from datavc.repo.repo import Repo

if TYPE_CHECKING:
    from datavc.pipeline.tracing import TraceReport
    from datavc.pipeline.watching import Watch


class MachineOptions(NamedTuple):
    """`terminal`: a single command has the terminal; else its lines are handed on."""

    terminal: bool = False
    watch: WatchOptions = WatchOptions()


class StageMachine:
    """The processes of one run. Use as a context: nothing of theirs is left when it ends."""

    def __init__(
        self, repo: Repo, decider: Decider, reporter: Reporter, options: MachineOptions
    ) -> None:
        """Start nothing yet."""
        self._repo = repo
        self._decider = decider
        self._reporter = reporter
        self._options = options
        self._executor = LocalExecutor(reporter.says)
        self._shell = _shell(repo)
        self._watch = _watch(repo, options.watch)
        self.reports: list[tuple[Stage, TraceReport]] = []
        self.saw_all = True

    def __enter__(self) -> StageMachine:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what still runs."""
        self._executor.close()

    def prepare(self) -> None:
        """Start what starts commands, which takes a moment, beside other work."""
        self._executor.prepare()

    def parts(self) -> Machine:
        """Return what a runner works with."""
        resources = resources_of(self._repo)
        return Machine(self._executor, resources, self._reporter, self._action, self._after)

    def _action(self, stage: Stage, devices: Sequence[int]) -> Action:
        environment = {"DATAVC_ROOT": self._repo.root, "DATAVC_STAGE": stage.address}
        if devices:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, devices))
        action = Action(
            stage=stage.address,
            commands=stage.cmd,
            folder=self._repo.layout.absolute(stage.wdir),
            environment=environment,
            log=self._decider.log(stage),
            shell=self._shell,
            timeout_s=stage.timeout_s,
            terminal=self._options.terminal,
        )
        return action if self._watch is None else self._watch.prepare(stage, action)

    def _after(self, stage: Stage, ended: Ended) -> DatavcError | None:
        """Return what a command did that it must not; what it touched is noted."""
        if self._watch is None:
            return None
        verdict = self._watch.verdict(stage, ended)
        if verdict.report is not None and self._options.watch.trace:
            self.reports.append((stage, verdict.report))
            self.saw_all = self.saw_all and not verdict.partly
        return DatavcError(verdict.refusal, verdict.hint) if verdict.refusal else None


def _watch(repo: Repo, options: WatchOptions) -> Watch | None:
    """Return what watches stages, None where nobody asked for it."""
    if not (options.trace or options.strict):
        return None
    from datavc.pipeline.watching import Watch

    os.makedirs(repo.layout.tmp, exist_ok=True)
    return Watch(repo.root, repo.layout.tmp, repo.objects.root, options)


def resources_of(repo: Repo) -> Resources:
    """Return what stages share here: what is set, else what the machine has."""
    found: dict[str, float] = {
        "cpu": float(os.cpu_count() or 1),
        "mem": float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")),
        GPU: float(_gpus()),
    }
    return Resources(found | dict(repo.config.repro.resources))


def _shell(repo: Repo) -> tuple[str, ...]:
    """Return the words that stand before a command."""
    chosen = repo.config.repro.shell
    if chosen is None:
        return default_shell()
    words = shlex.split(chosen)
    return tuple(words) if words[-1] == "-c" else (*words, "-c")


def _gpus() -> int:
    """Return how many GPUs the system shows (NVIDIA's device files; others are set by hand)."""
    try:
        names = os.listdir("/dev")
    except OSError:
        return 0
    return sum(name.startswith("nvidia") and name[6:].isdigit() for name in names)
