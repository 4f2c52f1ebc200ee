"""The pipelines that are timed, and how each program is told of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import NamedTuple

from bench_tools import Tool, prepare

ALONE = 'for f in in/*; do bash --norc --noprofile -c "cp $f out/${f#in/}"; done'
"""The commands of the independent stages, with nothing around them."""


class Stage(NamedTuple):
    """One command; its output is what its inputs hold, one after the other."""

    name: str
    cmd: str
    deps: tuple[str, ...]
    out: str


def independent(count: int) -> list[Stage]:
    """Return `count` stages that have nothing to do with each other."""
    names = [f"{number:04}" for number in range(1, count + 1)]
    return [_copy(f"s{name}", f"in/{name}.txt", f"out/{name}.txt") for name in names]


def diamond(width: int) -> list[Stage]:
    """Return a source, `width` stages after it, a second long each, and their join."""
    middle = [
        _copy(f"middle{number}", "out/source.txt", f"out/{number:04}.txt", "sleep 1 && ")
        for number in range(1, width + 1)
    ]
    outs = tuple(stage.out for stage in middle)
    join = Stage("join", f"cat {' '.join(outs)} > out/join.txt", outs, "out/join.txt")
    return [_copy("source", "in/0001.txt", "out/source.txt"), *middle, join]


def _copy(name: str, dep: str, out: str, before: str = "") -> Stage:
    return Stage(name, f"{before}cp {dep} {out}", (dep,), out)


def _stage_file(stages: list[Stage]) -> str:
    lines = ["stages:"]
    for stage in stages:
        lines += [f"  {stage.name}:", f"    cmd: {stage.cmd}", "    deps:"]
        lines += [f"      - {dep}" for dep in stage.deps]
        lines += ["    outs:", f"      - {stage.out}"]
    return "\n".join(lines) + "\n"


def _makefile(stages: list[Stage]) -> str:
    rules = [f"{stage.out}: {' '.join(stage.deps)}\n\t{stage.cmd}\n" for stage in stages]
    return f".PHONY: all\nall: {' '.join(stage.out for stage in stages)}\n{''.join(rules)}"


def _tasks(stages: list[Stage]) -> str:
    tasks = [
        {
            "name": stage.name,
            "actions": [stage.cmd],
            "file_dep": list(stage.deps),
            "targets": [stage.out],
        }
        for stage in stages
    ]
    return f"TASKS = {tasks!r}\n\n\ndef task_stage():\n    yield from TASKS\n"


@dataclass(frozen=True, slots=True)
class Program:
    """A program, the file it reads, and the lines by which it is asked; "" where it cannot."""

    file: str
    text: Callable[[list[Stage]], str]
    repro: str
    parallel: str
    status: str = ""


PROGRAMS = {
    "dvc": Program("dvc.yaml", _stage_file, "$T repro", "$T repro", "$T status"),
    "datavc": Program("datavc.yaml", _stage_file, "$T repro", "$T repro -j 8", "$T status"),
    "make": Program("Makefile", _makefile, "$T -s", "$T -s -j 8"),
    "doit": Program(
        "dodo.py", _tasks, "$T run", "$T run -n 8 -P thread", "$T list --all --status"
    ),
}
"""By name. DVC runs one stage at a time."""


def begin(name: str, path: str, base: Path, stages: list[Stage]) -> Tool:
    """Return the tool in a fresh home in `base` with the pipeline, none of which was run."""
    if name in ("make", "doit"):
        search = f"{os.path.dirname(os.path.abspath(path))}:{os.environ['PATH']}"
        tool = Tool(name, base / name, {"T": name, "HOME": str(base / name), "PATH": search})
    else:
        tool = prepare(name, path, base, {})
    work = tool.home / "work"
    for folder in ("in", "out"):
        (work / folder).mkdir(parents=True)
    for number in range(1, len(stages) + 1):
        (work / f"in/{number:04}.txt").write_text(f"input {number}\n")
    program = PROGRAMS[name]
    (work / program.file).write_text(program.text(stages))
    if name == "dvc":
        tool.sh("$T config core.check_update false")
    keep(tool)
    return tool


def keep(tool: Tool) -> None:
    """Commit what is there, for the programs to which that means something."""
    if tool.name in ("dvc", "datavc"):
        tool.sh("git add -A && git commit -q --no-verify -m stages")


def finish_by_hand(tool: Tool, stages: list[Stage]) -> None:
    """Write what `dvc repro` leaves of independent stages; DVC must find nothing to do."""
    lines = ["schema: '2.0'", "stages:"]
    for stage in stages:
        held = (tool.home / "work" / stage.deps[0]).read_bytes()
        digest = md5(held).hexdigest()
        cached = tool.home / "work/.dvc/cache/files/md5" / digest[:2] / digest[2:]
        cached.parent.mkdir(parents=True, exist_ok=True)
        for file in (cached, tool.home / "work" / stage.out):
            file.write_bytes(held)
        lines += [f"  {stage.name}:", f"    cmd: {stage.cmd}"]
        for kind, path in (("deps", stage.deps[0]), ("outs", stage.out)):
            lines += [f"    {kind}:", f"    - path: {path}", "      hash: md5"]
            lines += [f"      md5: {digest}", f"      size: {len(held)}"]
    (tool.home / "work/dvc.lock").write_text("\n".join(lines) + "\n")
    (tool.home / "work/out/.gitignore").write_text("/*.txt\n")
    tool.sh("test \"$($T status)\" = 'Data and pipelines are up to date.'")
