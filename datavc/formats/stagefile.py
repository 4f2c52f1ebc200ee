"""Stage files, `datavc.yaml`, as they are written: every key known, every value of its kind.

Nothing is resolved here: templates, foreach and paths are what pipeline/expand.py works on.
"""

from __future__ import annotations

import re
from typing import NamedTuple, cast

from datavc.formats import people_yaml
from datavc.formats.checks import (
    Check,
    Fault,
    Keys,
    a_list,
    a_map,
    anything,
    either,
    empty,
    flag,
    keyed,
    list_of,
    map_of,
    matching,
    never,
    number_or_text,
    text,
)
from datavc.formats.people_yaml import Document
from datavc.formats.strict_yaml import Value

_BAD_NAME = re.compile(r"[@:\x00-\x1f\x7f]")

_NOTES: Keys = {"desc": text, "type": text, "labels": list_of(text), "meta": anything}
OUT_KEYS: Keys = {
    **_NOTES,
    "cache": flag,
    "persist": flag,
    "push": flag,
    "remote": text,
    "checkpoint": flag,
}
PLOT_PROPERTIES: Keys = {
    "template": text,
    "x": text,
    "y": text,
    "x_label": text,
    "y_label": text,
    "title": text,
    "header": flag,
}
PLOT_OUT_KEYS: Keys = {**OUT_KEYS, **PLOT_PROPERTIES}


def _outs(properties: Check) -> Check:
    """Return a check of outputs: paths, or paths with properties below them."""
    below = either("must be a map of properties", empty, properties)
    return list_of(either("must be a path", text, map_of(below)))


_PROPERTIES = keyed(OUT_KEYS)
_PLOT = keyed(PLOT_OUT_KEYS)
_KEYS_OF_FILE = map_of(list_of(text))
_VARS = list_of(either("must be a file, or a map of variables", text, a_map))

STAGE_KEYS: Keys = {
    "cmd": either("must be a command, or a list of them", text, list_of(text)),
    "wdir": text,
    "deps": list_of(text),
    "params": list_of(either("must be a key, or a file with its keys", text, _KEYS_OF_FILE)),
    "vars": _VARS,
    "outs": _outs(_PROPERTIES),
    "metrics": _outs(_PROPERTIES),
    "plots": _outs(either("must be properties of a plot", _PLOT, list_of(_PLOT))),
    "frozen": flag,
    "always_changed": flag,
    "desc": text,
    "meta": anything,
    "env": list_of(matching(r"[A-Za-z_][A-Za-z0-9_]*", "is no name of a variable")),
    "resources": map_of(number_or_text),
    "retries": number_or_text,
    "timeout": number_or_text,
    "checks": never("is reserved for a later version", "take it out; meta can hold it"),
}

_STAGE = keyed(STAGE_KEYS, ("cmd",))
_EACH = either("must be a list, a map, or a ${variable} that is one", text, a_list, a_map)
_FOREACH = keyed({"foreach": _EACH, "do": _STAGE}, ("foreach", "do"))
_AXIS = either("must be a list, or a ${variable} that is one", text, a_list)
_MATRIX = keyed({**STAGE_KEYS, "matrix": map_of(_AXIS)}, ("matrix", "cmd"))

_FIELDS = either("must be a field, or a list of them", text, list_of(text))
PLOT_DEFINITION_KEYS: Keys = {
    **{key: check for key, check in PLOT_PROPERTIES.items() if key != "header"},
    "x": either("must be a field, or a map of file to field", text, map_of(text)),
    "y": either(
        "must be fields, or a map of file to fields", text, list_of(text), map_of(_FIELDS)
    ),
}
_DEFINITION = map_of(either("must be a map of properties", empty, keyed(PLOT_DEFINITION_KEYS)))
ARTIFACT_KEYS: Keys = {"path": text, **_NOTES}


def _stages(value: Value) -> Fault | None:
    """Check every stage by the keys that tell its kind."""
    if not isinstance(value, dict):
        return map_of(a_map)(value)
    for name, stage in value.items():
        check = _STAGE
        if isinstance(stage, dict):
            check = _FOREACH if {"foreach", "do"} & stage.keys() else check
            check = _MATRIX if "matrix" in stage and check is _STAGE else check
        problem = name_problem(name)
        fault = Fault(problem) if problem else check(stage)
        if fault:
            subject = f"stage {name}: {fault.subject}" if fault.place else f"stage {name}"
            return fault._replace(subject=subject, place=fault.place or (value, name))
    return None


TOP_KEYS: Keys = {
    "stages": _stages,
    "vars": _VARS,
    "params": list_of(text),
    "metrics": list_of(text),
    "plots": list_of(either("must be a path, or an id with properties", text, _DEFINITION)),
    "artifacts": map_of(keyed(ARTIFACT_KEYS, ("path",))),
    "datasets": never(
        "is not supported: datavc tracks data by its bytes, not by a catalogue",
        "bring the data in with `datavc add`, then take the section out",
    ),
}


class Definition(NamedTuple):
    """A stage file whose keys and kinds are right; texts may still hold templates."""

    document: Document
    stages: dict[str, dict[str, Value]]
    vars: list[str | dict[str, Value]]
    params: list[str]
    metrics: list[str]
    plots: list[str | dict[str, dict[str, Value] | None]]
    artifacts: dict[str, dict[str, Value]]


def name_problem(name: str) -> str:
    """Return why nobody may give a stage this name, or nothing."""
    if not name or name != name.strip():
        return "is no name of a stage: it begins or ends with a blank, or is empty"
    if found := _BAD_NAME.search(name):
        return f"is no name of a stage: it holds {found[0]!r}"
    return ""


def parse(data: bytes, where: str) -> Definition:
    """Return what a stage file says; `where` names the file in errors.

    Raises:
        FormatError: it is no stage file; the message names file, line and key.
    """
    document = people_yaml.load(data, where)
    value = {} if document.value is None else document.value
    if fault := keyed(TOP_KEYS)(value):
        line = document.line(*fault.place) if fault.place else 1
        told = str(fault) if fault.place else f"a stage file {fault}"
        raise document.error(told, line, fault.hint)
    top = cast("dict[str, Value]", value)
    return Definition(
        document,
        cast("dict[str, dict[str, Value]]", top.get("stages") or {}),
        cast("list[str | dict[str, Value]]", top.get("vars") or []),
        cast("list[str]", top.get("params") or []),
        cast("list[str]", top.get("metrics") or []),
        cast("list[str | dict[str, dict[str, Value] | None]]", top.get("plots") or []),
        cast("dict[str, dict[str, Value]]", top.get("artifacts") or {}),
    )
