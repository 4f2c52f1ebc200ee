"""stage list: what the stage files declare, a row a stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from datavc.core import paths
from datavc.core.outputs import TrackedOutput
from datavc.core.stage import STAGE_FILE, Out, Stage
from datavc.pipeline import graph as graphs
from datavc.repo.repo import Repo
from datavc.repo.targets import repo_path
from datavc.verbs import declaring, pipelines
from datavc.verbs.scanning import inventory, unreadable


class ListOptions(NamedTuple):
    """`everything` is all stage and pointer files; `recursive` takes folders as targets.

    `strict` stops at a stage file that cannot be used, instead of passing it over.
    """

    everything: bool = False
    recursive: bool = False
    strict: bool = False


class Row(NamedTuple):
    """A stage, or a pointer file without a `stage`. `name` is how to call it from here."""

    name: str
    outs: tuple[Out, ...]
    desc: str | None = None
    stage: Stage | None = None

    @property
    def text(self) -> str:
        """What people are told of it: the description, else what it makes, else what it needs."""
        made = [out.path for out in self.outs if out.kind == "out"]
        said = [out.path for out in self.outs if out.kind != "out"]
        deps = self.stage.deps if self.stage is not None else ()
        if self.desc:
            return " ".join(self.desc.split())
        parts = [f"Outputs {', '.join(made)}"] if made else []
        parts += [f"Reports {', '.join(said)}"] if said else []
        return "; ".join(parts) or (f"Depends on {', '.join(deps)}" if deps else "")

    def to_json(self) -> dict[str, object]:
        """Return all that is declared; paths are seen from the project's root."""
        outs = [
            {"path": out.path, "kind": out.kind, "cache": out.cache, "persist": out.persist}
            for out in self.outs
        ]
        if self.stage is None:
            return {"name": self.name, "file": self.name, "outs": outs, "desc": self.desc}
        return {
            "name": self.name,
            "file": self.stage.file,
            "cmd": list(self.stage.cmd),
            "wdir": self.stage.wdir or ".",
            "deps": list(self.stage.deps),
            "params": {params.file: list(params.keys) for params in self.stage.params},
            "outs": outs,
            "frozen": self.stage.frozen,
            "desc": self.desc,
        }


@dataclass(frozen=True, slots=True)
class StageList:
    """The rows, and warnings about files that were passed over.

    `hint` is what helps where there are no rows.
    """

    rows: tuple[Row, ...]
    warnings: tuple[str, ...] = ()
    hint: str = ""

    def to_json(self) -> list[Row]:
        """Return the rows."""
        return list(self.rows)


def listing(repo: Repo, targets: Sequence[str], options: ListOptions) -> StageList:
    """Return the stages of the file in the current folder, or of what `targets` name.

    Raises:
        PathError: a target names nothing.
        FormatError: with `strict`, or with targets, a stage file cannot be used.
    """
    found = pipelines.declared(repo)
    here = pipelines.here(repo)
    if options.strict or (targets and not options.recursive):
        graph = declaring.sound(repo, found)
    warnings = tuple(f"{error.message}; it was passed over" for error in found.broken.values())
    stages: Sequence[Stage] = found.stages
    if options.recursive:
        folders = [repo_path(repo.root, repo.here, text) for text in targets or ("",)]
        stages = [s for s in stages if any(paths.is_inside(s.file, folder) for folder in folders)]
    elif targets:
        chosen = {i for text in targets for i in graphs.find(graph, text, here)}
        stages = [stages[i] for i in sorted(chosen)]
    elif not options.everything:
        stages = [stage for stage in stages if stage.file == paths.join(here, STAGE_FILE)]
    rows = [_row(stage, here) for stage in stages]
    if options.everything:
        known = inventory(repo)
        rows += _pointers(known.outputs.values())
        warnings += unreadable(known)
    elsewhere = "`datavc stage list --all` lists the stages of other folders"
    hint = elsewhere if found.stages else pipelines.next_step(repo, 0)
    return StageList(tuple(rows), warnings, "" if rows else hint)


def _row(stage: Stage, here: str) -> Row:
    near = stage.file == paths.join(here, STAGE_FILE)
    return Row(stage.name if near else stage.address, stage.outs, stage.desc, stage)


def _pointers(outputs: Iterable[TrackedOutput]) -> Iterator[Row]:
    for output in outputs:
        if not output.stage:
            yield Row(output.recorded_in, (Out(output.path),), output.pointer.desc)
