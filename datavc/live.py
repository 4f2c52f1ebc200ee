"""live: what training code writes down, step by step, so that nothing is lost when it dies.

    from datavc import live

    with live.start():
        live.log_params({"lr": 0.1})
        for epoch in range(10):
            live.log_metric("train/loss", train())
            live.next_step()

The layout is that of DVCLive: below the folder (`live`) there are `metrics.json`, the last value
of each metric and the step; `params.yaml`; `plots/metrics/NAME.tsv`, one row a step, each appended
in one write; `plots/images/`. Outside a stage a `datavc.yaml` beside them declares all that.
"""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from datavc.core import paths
from datavc.core.errors import PathError
from datavc.core.stage import STAGE_FILE, Value
from datavc.metrics import notes
from datavc.store import atomic

FOLDER = "live"
METRICS, PARAMS = "metrics.json", "params.yaml"
HISTORIES, IMAGES = "plots/metrics", "plots/images"
OURS = "# Written by datavc.live, which overwrites changes.\n"
"""How a file begins that a later run may replace."""
SUMMARY_S = 1.0
"""Seconds that `metrics.json` may be behind in the middle of a step."""

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp")


class Live:
    """One run's notes. `step` is the step that is written next; it may be set."""

    def __init__(
        self, folder: str | os.PathLike[str] = FOLDER, *, resume: bool = False, times: bool = False
    ) -> None:
        """Begin in `folder`: anew, so that the notes of the run before go, or with `resume` on.

        With `times` each row also says when it was written (Unix time in ms).

        Raises:
            PathError: the folder cannot be written, or has a `params.yaml` of somebody else.
        """
        self.folder = os.path.abspath(folder)
        self.step = 0
        self._times = times
        self._summary: dict[str, Value] = {}
        self._params: dict[str, Value] = {}
        self._artifacts: dict[str, dict[str, Value]] = {}
        self._appended: set[str] = set()
        self._written_s = 0.0
        try:
            os.makedirs(self.folder, exist_ok=True)
            self._resume() if resume else self._clear()
        except OSError as error:
            raise PathError(f"{error.filename}: {error.strerror}") from error

    def log_metric(self, name: str, value: object, step: int | None = None) -> None:
        """Append one value to the history of `name`, at `step` if given, else at the current one.

        Slashes in the name make groups: `train/loss`.

        Raises:
            UsageError: the value is no number or text, or the name is that of a group.
            PathError: the name cannot be a file's, or the disk refused it.
        """
        if step is not None:
            self.step = int(step)
        self._summary["step"] = self.step
        plain = notes.scalar(value, name)
        notes.put(self._summary, paths.parse(name), plain)
        self._append(f"{HISTORIES}/{name}.tsv", paths.name(name), plain)
        if time.monotonic() - self._written_s > SUMMARY_S:
            self._summarise(durable=False)

    def next_step(self) -> None:
        """End the current step: `metrics.json` tells it, and the next row has a higher step."""
        self._summarise(durable=False)
        self.step += 1

    def log_param(self, name: str, value: object) -> None:
        """Write down one parameter."""
        self.log_params({name: value})

    def log_params(self, params: Mapping[str, object]) -> None:
        """Write down parameters, nested as they are; those of before stay.

        Raises:
            UsageError: one is not what JSON can say.
        """
        import yaml

        self._params |= {
            str(name): notes.plain(value, str(name)) for name, value in params.items()
        }
        text = yaml.safe_dump(self._params, sort_keys=False, allow_unicode=True)
        self._write(PARAMS, (OURS + text).encode(), durable=False)

    def log_image(self, name: str, image: object, step: int | None = None) -> None:
        """Keep a picture: bytes of a file, a file's path, a figure, a PIL image or a uint8 array.

        With `step` each step has its own, `NAME/STEP.png`; without, the newest replaces.

        Raises:
            UsageError: it is none of these.
            PathError: the name cannot be a file's, or the disk refused it.
        """
        stem, suffix = os.path.splitext(paths.parse(name))
        suffix = suffix or ".png"
        data = notes.picture(image, suffix[1:], name)
        place = f"{stem}{suffix}" if step is None else f"{stem}/{int(step)}{suffix}"
        self._write(f"{IMAGES}/{place}", data, durable=False)

    def log_artifact(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        type: str | None = None,
        desc: str | None = None,
        labels: Sequence[str] = (),
    ) -> None:
        """Name a result, for others to find in the stage file of this folder.

        Raises:
            PathError: there is nothing at `path`.
        """
        full = os.path.abspath(path)
        if not os.path.lexists(full):
            raise PathError(f"{os.fspath(path)} is not there, so it cannot be an artifact")
        said: dict[str, Value] = {"type": type, "desc": desc, "labels": list(labels)}
        place = os.path.relpath(full, self.folder)
        key = name or os.path.splitext(os.path.basename(full))[0]
        self._artifacts[key] = {"path": place, **{k: v for k, v in said.items() if v}}
        self._declare()

    def end(self) -> None:
        """Write the summary for good. Nothing is lost without it but what it would repeat."""
        self._summarise(durable=True)

    def __enter__(self) -> Self:
        """Return the run itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the run, also one that failed."""
        if _current.run is self:
            end()
        else:
            self.end()

    def _summarise(self, *, durable: bool) -> None:
        import json

        if self._summary:
            text = json.dumps(self._summary, indent=4) + "\n"
            self._write(METRICS, text.encode(), durable=durable)
            self._written_s = time.monotonic()
        self._declare()

    def _append(self, place: str, column: str, value: Value) -> None:
        """Add a row to a history in one write, with its header if it is the first."""
        full = os.path.join(self.folder, place)
        stamp = [str(time.time_ns() // 1_000_000)] if self._times else []
        row = "\t".join([*stamp, str(self.step), notes.cell(value)]) + "\n"
        try:
            if place not in self._appended:
                os.makedirs(os.path.dirname(full), exist_ok=True)
                if not _mended(full):
                    head = ["timestamp"] if self._times else []
                    row = "\t".join([*head, "step", notes.cell(column)]) + "\n" + row
                self._appended.add(place)
            fd = os.open(full, _APPEND, 0o666)
            try:
                atomic.write_all(fd, row.encode())
            finally:
                os.close(fd)
        except OSError as error:
            raise PathError(f"{full} cannot be written: {error.strerror}") from error

    def _write(self, place: str, data: bytes, *, durable: bool) -> None:
        full = os.path.join(self.folder, place)
        try:
            os.makedirs(os.path.dirname(full), exist_ok=True)
            atomic.write_bytes(full, data, durable=durable)
        except OSError as error:
            raise PathError(f"{full} cannot be written: {error.strerror}") from error

    def _declare(self) -> None:
        """Write the stage file, unless a stage runs us, whose own file declares its outputs."""
        import json

        full = os.path.join(self.folder, STAGE_FILE)
        if os.environ.get("DATAVC_STAGE") or not _is_ours(full):
            return
        lines = [f"params: [{PARAMS}]\n"] if self._params else []
        if self._summary:
            lines.append(f"metrics: [{METRICS}]\nplots:\n- {HISTORIES}: {{x: step}}\n")
        if os.path.isdir(os.path.join(self.folder, IMAGES)):
            lines += [] if self._summary else ["plots:\n"]
            lines.append(f"- {IMAGES}\n")
        if self._artifacts:
            named = json.dumps(self._artifacts, ensure_ascii=False)
            lines.append(f"artifacts: {named}\n")
        data = (OURS + "".join(lines)).encode("utf-8", "surrogateescape")
        if lines and _content(full) != data:
            self._write(STAGE_FILE, data, durable=False)

    def _resume(self) -> None:
        import json

        import yaml

        try:
            found = json.loads(_content(os.path.join(self.folder, METRICS)) or b"{}")
            kept = yaml.safe_load(_content(os.path.join(self.folder, PARAMS)) or b"{}")
        except (ValueError, yaml.YAMLError) as error:
            hint = "start without `resume`"
            raise PathError(f"{self.folder} has no notes to go on with: {error}", hint) from error
        self._summary = found if isinstance(found, dict) else {}
        self._params = kept if isinstance(kept, dict) else {}
        last = self._summary.get("step")
        self.step = last + 1 if isinstance(last, int) else 0

    def _clear(self) -> None:
        """Remove the notes of the run before, and nothing else."""
        params = os.path.join(self.folder, PARAMS)
        if not _is_ours(params):
            hint = "choose another folder, or move it away"
            raise PathError(f"{params} was not written by datavc.live", hint)
        notes = [params, os.path.join(self.folder, METRICS)]
        for place, suffixes in ((HISTORIES, (".tsv",)), (IMAGES, _PICTURES)):
            for folder, _, names in os.walk(os.path.join(self.folder, place)):
                notes += [os.path.join(folder, n) for n in names if n.lower().endswith(suffixes)]
        for note in notes:
            if os.path.lexists(note):
                os.unlink(note)


def _content(file: str) -> bytes | None:
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def _is_ours(file: str) -> bool:
    """Tell whether `file` may be replaced: it is not there, or begins as ours do."""
    data = _content(file)
    return data is None or data.startswith(OURS.encode())


def _mended(file: str) -> bool:
    """Make a history fit to be appended to; False if it has no row yet.

    It becomes a file of its own, as it may share its bytes with the cache, without the end of a
    row that a crash cut off.
    """
    data = _content(file)
    if data is None:
        return False
    whole = data[: data.rfind(b"\n") + 1]
    atomic.write_bytes(file, whole, mode=0o666, durable=False)
    return bool(whole)


class _Current:
    """The run that the functions of this module write to."""

    run: Live | None = None


_current = _Current()


def start(
    folder: str | os.PathLike[str] = FOLDER, *, resume: bool = False, times: bool = False
) -> Live:
    """Begin a run, to which the functions below then write; the one before is ended."""
    end()
    _current.run = Live(folder, resume=resume, times=times)
    return _current.run


def end() -> None:
    """End the current run, if there is one; so does the end of the program."""
    run, _current.run = _current.run, None
    if run is not None:
        run.end()


def _run() -> Live:
    return _current.run or start()


def log_metric(name: str, value: object, step: int | None = None) -> None:
    """Append one value to the history of a metric; see `Live.log_metric`."""
    _run().log_metric(name, value, step)


def log_param(name: str, value: object) -> None:
    """Write down one parameter."""
    _run().log_param(name, value)


def log_params(params: Mapping[str, object]) -> None:
    """Write down parameters; see `Live.log_params`."""
    _run().log_params(params)


def log_image(name: str, image: object, step: int | None = None) -> None:
    """Keep a picture; see `Live.log_image`."""
    _run().log_image(name, image, step)


def log_artifact(
    path: str | os.PathLike[str],
    name: str | None = None,
    type: str | None = None,
    desc: str | None = None,
    labels: Sequence[str] = (),
) -> None:
    """Name a result; see `Live.log_artifact`."""
    _run().log_artifact(path, name, type, desc, labels)


def next_step() -> None:
    """End the current step."""
    _run().next_step()


atexit.register(end)
