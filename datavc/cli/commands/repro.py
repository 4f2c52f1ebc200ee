"""`datavc repro`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from datavc.cli.context import session
from datavc.cli.declared import Caller, Declared
from datavc.cli.pages import epilog
from datavc.cli.render import duration
from datavc.cli.stage_view import StageView
from datavc.core.errors import UsageError
from datavc.verbs import repro as verb
from datavc.verbs.repro import (
    MachineOptions,
    ReproOptions,
    ReproResult,
    RunOptions,
    Traces,
    WatchOptions,
)
from datavc.verbs.stage_words import Outcome, Stage, never_ran, why
from datavc.verbs.sync_options import SyncOptions

if TYPE_CHECKING:
    from typing import Annotated

    import typer

    from datavc.cli.options import DryRun, Glob, Json, Quiet, Recursive, Verbose
    from datavc.verbs.stage_fix import Fixed


def repro(
    ctx: Caller,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STAGE]...",
            help="Stages, groups, stage files or outputs.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("-j", "--jobs", metavar="N", min=1, help="How many stages at once."),
    ] = None,
    force: Annotated[
        bool, typer.Option("-f", "--force", help="Run stages that did not change, too.")
    ] = False,
    single: Annotated[
        bool, typer.Option("-s", "--single-item", help="Only the targets, not what they need.")
    ] = False,
    pipeline: Annotated[
        bool, typer.Option("-p", "--pipeline", help="All that is connected with the targets.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("-P", "--all-pipelines", help="All stages of the project.")
    ] = False,
    recursive: Recursive = False,
    downstream: Annotated[
        bool, typer.Option("--downstream", help="The targets and all that depends on them.")
    ] = False,
    force_downstream: Annotated[
        bool, typer.Option("--force-downstream", help="Run all that depends on a stage that ran.")
    ] = False,
    keep_going: Annotated[
        bool, typer.Option("-k", "--keep-going", help="Go on with what a failure leaves possible.")
    ] = False,
    ignore_errors: Annotated[
        bool, typer.Option("--ignore-errors", help="Go on as if nothing had failed.")
    ] = False,
    interactive: Annotated[
        bool, typer.Option("-i", "--interactive", help="Ask before each stage.")
    ] = False,
    dry_run: DryRun = False,
    no_run_cache: Annotated[
        bool, typer.Option("--no-run-cache", help="Run also what ran before with these inputs.")
    ] = False,
    no_commit: Annotated[
        bool, typer.Option("--no-commit", help="Leave outputs out of the cache.")
    ] = False,
    pull: Annotated[
        bool, typer.Option("--pull", help="First fetch what is missing, also past runs.")
    ] = False,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Take missing data for what was recorded.")
    ] = False,
    trace: Annotated[
        bool, typer.Option("--trace", help="Tell which files stages touched undeclared.")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="With --trace: write into the stage file what it found.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Let stages touch only what they declare (Linux).")
    ] = False,
    glob: Glob = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Bring stages up to date: run those whose inputs changed, each after what it needs.

    Without targets these are the stages of the stage file here.
    """
    if fix and not trace:
        raise UsageError("--fix has nothing to write without --trace", "say `--trace --fix`")
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        count = jobs or out.repo.config.repro.jobs
        if interactive and out.asks is None:
            raise UsageError("nobody can be asked here, which -i asks for", "leave -i out")
        run = RunOptions(
            jobs=count,
            force=force,
            force_downstream=force_downstream,
            keep_going=keep_going,
            ignore_errors=ignore_errors,
            run_cache=not (no_run_cache or trace or strict),
            commit=not no_commit,
            allow_missing=allow_missing,
            ask=(lambda stage: _agrees(out.ask, stage)) if interactive else None,
        )
        options = ReproOptions(
            run=run,
            machine=MachineOptions(
                terminal=count == 1 and not (json or quiet),
                watch=WatchOptions(trace=trace, strict=strict),
            ),
            sync=SyncOptions(ask=out.asks),
            single=single,
            downstream=downstream,
            pipeline=pipeline,
            everything=everything,
            recursive=recursive,
            glob=glob,
            pull=pull,
            dry_run=dry_run,
            fix=fix,
        )
        view = StageView(several=count > 1, json=json, quiet=quiet)
        try:
            result = verb.repro(out.repo, targets or (), options, view, progress=out.progress)
        finally:
            view.close()
        out.finish(result, _foretold if dry_run else _summary)


COMMAND = Declared(
    repro,
    epilog(
        "datavc repro", "datavc repro -j 4 train", "datavc repro --dry-run", codes=(0, 1, 2, 5)
    ),
)


def _agrees(ask: Callable[[str], bool], stage: Stage) -> bool:
    return ask(f"Run {stage.address}: {'; '.join(stage.cmd)}?")


def _foretold(result: ReproResult) -> Iterable[str]:
    """Yield a line for each stage that something would be done with."""
    skipped: list[Outcome] = []
    for outcome in result.outcomes:
        if outcome.action == "skip" and outcome.state == "done":
            skipped.append(outcome)
            continue
        name, reason = outcome.stage.address, why(outcome.findings)
        if outcome.state == "failed":
            yield f"fail     {name}  {outcome.error}"
        else:
            took = f", last time {duration(outcome.seconds)}" if outcome.seconds else ""
            cached = ", from the run cache" if outcome.from_cache else ""
            yield f"{outcome.action:<8} {name}  ({reason}{took}{cached})"
    if skipped:
        yield _left_alone(skipped, alone=len(skipped) == len(result.outcomes))


def _summary(result: ReproResult) -> Iterable[str]:
    done = [outcome for outcome in result.outcomes if outcome.state == "done"]
    ran = [outcome for outcome in done if outcome.action == "run"]
    restored = [outcome for outcome in done if outcome.action == "restore"]
    skipped = [outcome for outcome in done if outcome.action == "skip"]
    parts = []
    if ran:
        parts.append(f"{_stages(len(ran))} ran in {duration(result.seconds)}")
    if restored:
        parts.append(f"{len(restored)} restored")
    held = sum(outcome.state == "blocked" for outcome in result.outcomes)
    if result.failed:
        parts.append(f"{len(result.failed)} failed")
    if held:
        parts.append(f"{held} not started")
    if not parts:
        yield _left_alone(skipped, alone=True)
        return
    if skipped:
        parts.append(_left_alone(skipped, alone=False))
    yield ", ".join(parts)
    if result.locks:
        yield f"Next: `git add {' '.join(result.locks)}` and `git commit` record it"
    if result.parallel is not None:
        jobs, seconds = result.parallel
        yield f"With -j {jobs} it would have taken about {duration(seconds)}"
    yield from _old_outputs(result.failed)
    if result.traced is not None:
        yield from _traced(result.traced)


def _traced(traces: Traces) -> Iterable[str]:
    """Yield where the doings of stages differ from what they declare."""
    calm = True
    for stage, report in traces.reports:
        told = (
            ("reads without declaring it", report.undeclared_reads),
            ("writes without declaring it", report.undeclared_writes),
            ("declares and never reads", report.unused_deps),
        )
        for words, paths in told:
            for path in paths:
                calm = False
                yield f"{stage.address} {words}: {path}"
    if traces.fixed is not None:
        yield from _fixed(traces.fixed)
    elif not calm:
        yield "`datavc repro --trace --fix -f` writes that into the stage files"
    if calm:
        yield "Stages touched what they declare, and nothing else"
    if not traces.complete:
        yield "Only what Python itself opened was seen; with strace installed all programs are"


def _fixed(fixed: Fixed) -> Iterable[str]:
    """Yield what was written into stage files, and what could not be."""
    for stage in fixed.stages:
        for key, texts in (("deps", stage.deps), ("outs", stage.outs)):
            if texts:
                yield f"Added to {key} of {stage.name} in {stage.file}: {', '.join(texts)}"
    yield from fixed.left_out
    if fixed.stages:
        yield "The next `datavc repro` runs these stages again, for what they declare has changed"


def _old_outputs(failed: Iterable[Outcome]) -> Iterable[str]:
    """Yield how to get the outputs of before a failure back."""
    for outcome in failed:
        new = {finding.item for finding in outcome.findings if finding.about == "definition"}
        cached = [str(o.path) for o in outcome.stage.outs if o.cache and o.path not in new]
        if cached and outcome.log and not never_ran(outcome.findings):
            command = f"datavc checkout --force {' '.join(cached)}"
            yield f"`{command}` brings back what the last good run made"


def _left_alone(skipped: Sequence[Outcome], *, alone: bool) -> str:
    """Return how many stages are up to date, and how many nobody looked at: they are frozen."""
    frozen = sum(outcome.stage.frozen for outcome in skipped)
    count = len(skipped) - frozen
    parts = [] if frozen and not count else [_up_to_date(count, alone=alone and not frozen)]
    return ", ".join([*parts, f"{frozen} frozen"] if frozen else parts)


def _up_to_date(count: int, *, alone: bool) -> str:
    if alone:
        return f"All {_stages(count)} up to date" if count > 1 else "Up to date"
    return f"{_stages(count)} up to date"


def _stages(count: int) -> str:
    return f"{count} stage{'' if count == 1 else 's'}"
