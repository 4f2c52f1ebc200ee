"""`datavc why`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from datavc.cli.context import session
from datavc.cli.declared import Caller, Declared
from datavc.cli.pages import epilog
from datavc.cli.render import duration
from datavc.verbs import why as verb
from datavc.verbs.stage_words import sentence
from datavc.verbs.why import WhyResult

if TYPE_CHECKING:
    from typing import Annotated

    import typer

    from datavc.cli.options import Json, Quiet, Verbose


def why(
    ctx: Caller,
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="A stage, or an output of one.")],
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Tell why a stage would run, or why not: every difference, with old and new values."""
    with session(ctx, json=json, quiet=quiet, verbose=verbose) as out:
        out.finish(verb.why(out.repo, stage), _draw)


COMMAND = Declared(why, epilog("datavc why train", "datavc why model.pkl --json", codes=(0, 1, 2)))


def _draw(result: WhyResult) -> Iterable[str]:
    outcome = result.outcome
    name = outcome.stage.address
    if outcome.error:
        yield f"{name} cannot run: {outcome.error}"
        return
    if outcome.stage.frozen:
        yield f"{name} is frozen: its inputs are not looked at (`datavc unfreeze {name}`)"
    if outcome.action == "skip":
        if not outcome.stage.frozen:
            yield f"{name} is up to date"
    else:
        cached = " from the run cache" if outcome.from_cache else ""
        done = "runs" if outcome.action == "run" else f"is restored{cached}"
        yield f"{name} {done}:"
        for finding in outcome.findings:
            yield f"  {sentence(finding)}"
            if finding.about == "command":
                yield from (f"    - {line}" for line in str(finding.old).splitlines())
                yield from (f"    + {line}" for line in str(finding.new).splitlines())
    if result.past is not None:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(result.past.time_s))
        yield f"Compared with the run of {when}, which took {duration(result.past.seconds)}"
    elif result.recorded:
        yield "Compared with the run that the lock records, which was not made here"
    if result.needs:
        yield f"Before it: {', '.join(result.needs)}"
