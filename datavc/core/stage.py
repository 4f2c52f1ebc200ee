"""Stages: the steps of a pipeline as declared, every name in them resolved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from datavc.core.paths import RepoPath

STAGE_FILE = "datavc.yaml"
PARAMS_FILE = "params.yaml"
"""The parameter file that is meant where a key stands alone."""


def is_stage_file(path: str) -> bool:
    """Tell whether a file of this name declares stages."""
    return path == STAGE_FILE or path.endswith("/" + STAGE_FILE)


Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
"""What a parameter, a metric or a note can hold: what JSON can say."""

OutKind = Literal["out", "metric", "plot"]


class PlotProperties(NamedTuple):
    """How one plot is drawn; None leaves it to the template."""

    template: str | None = None
    x: str | None = None
    y: str | None = None
    x_label: str | None = None
    y_label: str | None = None
    title: str | None = None
    header: bool = True


class Out(NamedTuple):
    """A file or directory that a stage makes. `path` is below the project's root.

    `cache` False leaves it to Git; `persist` True leaves it in place when the stage runs.
    `plots` are the renderings asked for an output of kind "plot"; none means one by default.
    """

    path: RepoPath
    kind: OutKind = "out"
    cache: bool = True
    persist: bool = False
    push: bool = True
    remote: str | None = None
    desc: str | None = None
    type: str | None = None
    labels: tuple[str, ...] = ()
    meta: Mapping[str, Value] = {}
    plots: tuple[PlotProperties, ...] = ()


class ParamsDep(NamedTuple):
    """Keys of one parameter file that count as inputs: dotted, sorted; none is the whole file."""

    file: RepoPath
    keys: tuple[str, ...]


class Stage(NamedTuple):
    """A step of a pipeline: what it runs, needs and makes. All paths are below the project's root.

    `name` is unique within its `file`; one that foreach or matrix made holds an `@`.
    `wdir` is the folder that commands run in, empty for the root. `resources` are sorted pairs of
    name and amount ("cpu", "gpu" and pools in units, "mem" in bytes).
    `line` is where the definition begins in its file, from 1. `used` are the keys of parameter
    files that templates took: to be shown as parameters, they count through the text they made.
    """

    name: str
    file: RepoPath
    cmd: tuple[str, ...]
    wdir: str = ""
    deps: tuple[RepoPath, ...] = ()
    params: tuple[ParamsDep, ...] = ()
    outs: tuple[Out, ...] = ()
    env: tuple[str, ...] = ()
    resources: tuple[tuple[str, float], ...] = ()
    retries: int = 0
    timeout_s: float | None = None
    frozen: bool = False
    always_changed: bool = False
    desc: str | None = None
    meta: Mapping[str, Value] = {}
    line: int = 0
    used: tuple[ParamsDep, ...] = ()

    @property
    def address(self) -> str:
        """The name that is unique in the project: `name`, or `folder/datavc.yaml:name`."""
        return self.name if self.file == STAGE_FILE else f"{self.file}:{self.name}"

    @property
    def where(self) -> str:
        """The file and the line of the definition, as errors name them."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def group(self) -> str:
        """The name in the file that this stage was made from: without `@…`."""
        return self.name.partition("@")[0]


class PlotDefinition(NamedTuple):
    """A plot of the top level: an id, and which fields of which files it shows.

    `x` and `y` are pairs of file (below the root) and field; a field may be None for "the rest".
    An id that is itself a path, with nothing said of fields, is a file or directory to show whole.
    """

    id: str
    x: tuple[tuple[RepoPath, str | None], ...] = ()
    y: tuple[tuple[RepoPath, str | None], ...] = ()
    path: RepoPath | None = None
    properties: PlotProperties = PlotProperties()


class Artifact(NamedTuple):
    """A named result for others to use."""

    id: str
    path: RepoPath
    type: str | None = None
    desc: str | None = None
    labels: tuple[str, ...] = ()
    meta: Mapping[str, Value] = {}


class StageFile(NamedTuple):
    """All that one stage file declares.

    `metrics` and `params` are paths of the top level, besides those of stages; `reads` are the
    files besides itself that the result depends on: parameter and vars files that were looked
    for, also those that are not there.
    """

    file: RepoPath
    stages: tuple[Stage, ...] = ()
    metrics: tuple[RepoPath, ...] = ()
    params: tuple[RepoPath, ...] = ()
    plots: tuple[PlotDefinition, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    reads: tuple[RepoPath, ...] = ()
