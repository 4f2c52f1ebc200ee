"""Changes to stage files, splice by splice: what is not meant keeps its bytes, comments too.

YAML says where a definition begins and ends; the text between stays the user's. What comes out is
read again and must say what was wanted, so that nothing unusual in a file turns a change into
damage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from datavc.core.stage import Value
from datavc.formats import people_yaml
from datavc.formats.stage_page import Page
from datavc.formats.stage_text import STEP, block

Definition = Mapping[str, Value]
"""What stands below a stage's name."""

_USUAL = (
    *("<<", "matrix", "desc", "cmd", "wdir", "vars"),
    *("deps", "params", "env", "outs"),
)
"""Keys in the order in which they mostly stand, as far as new ones go between them."""


class Entries(NamedTuple):
    """What is to stand below `deps` and `outs` of a stage."""

    deps: Sequence[str] = ()
    outs: Sequence[str] = ()


def put(data: bytes, name: str, definition: Definition, where: str) -> bytes:
    """Return a stage file with this stage in it: in the place of its namesake, else as the last.

    Raises:
        FormatError: the file does not parse, or is written so that only a person can change it.
    """
    wanted = stages(data, where) | {name: dict(definition)}
    page = Page(data, where)
    old = page.stages.get(name)
    if old is not None:
        page.splice(old.start, old.end, block({name: dict(definition)}, old.column))
    elif page.stages:
        last = [*page.stages.values()][-1]
        page.splice(last.end, last.end, block({name: dict(definition)}, last.column))
    else:
        page.begin(block({name: dict(definition)}, STEP))
    return page.saying(wanted)


def remove(data: bytes, name: str, where: str) -> bytes:
    """Return a stage file without this stage, which is in it; comments above it stay.

    Raises:
        FormatError: as for `put`.
    """
    wanted = stages(data, where)
    del wanted[name]
    page = Page(data, where)
    old = page.stage(name)
    page.splice(old.start, old.end, "")
    if not wanted:
        page.leave_empty()
    return page.saying(wanted)


def freeze(data: bytes, name: str, where: str, *, frozen: bool) -> bytes:
    """Return a stage file in which this stage, which is in it, is frozen, or is not.

    Raises:
        FormatError: as for `put`.
    """
    wanted = stages(data, where)
    body = _body(wanted[name])
    if bool(body.get("frozen")) == frozen:
        return data
    had = "frozen" in body
    said = {key: value for key, value in body.items() if key != "frozen"}
    wanted[name] = _with_body(wanted[name], said | ({"frozen": True} if frozen else {}))
    page = Page(data, where)
    if had:
        page.drop(name, "frozen")
    if frozen:
        page.add(name, "frozen: true")
    return page.saying(wanted)


def declare(data: bytes, more: Mapping[str, Entries], where: str) -> bytes:
    """Return a stage file in which these stages, which are in it, have `more` entries, by name.

    They come after those that stand there, each as the file is to say it, seen from the folder
    that the stage runs in. What is an entry already is not added again; a plot or metric is an
    output.

    Raises:
        FormatError: as for `put`.
    """
    deps = {name: entries.deps for name, entries in more.items()}
    outs = {name: entries.outs for name, entries in more.items()}
    data = _listed(data, deps, where, ("deps",))
    return _listed(data, outs, where, ("outs", "metrics", "plots"))


def _listed(
    data: bytes, more: Mapping[str, Sequence[str]], where: str, keys: Sequence[str]
) -> bytes:
    """Return a stage file with entries below the first of `keys`, unless one of them has them."""
    wanted = stages(data, where)
    page = Page(data, where)
    key = keys[0]
    for name, entries in more.items():
        body = _body(wanted[name])
        known = {path for each in keys for path in _paths(body.get(each))}
        new = [entry for entry in dict.fromkeys(entries) if entry not in known]
        if not new:
            continue
        old = body.get(key)
        listed: list[Value] = [*(old if isinstance(old, list) else ()), *new]
        wanted[name] = _with_body(wanted[name], {**body, key: listed})
        if page.says(name, key):
            page.extend(name, key, new)
        else:
            page.insert(name, key, listed, _USUAL[: _USUAL.index(key)])
    return page.saying(wanted)


def stages(data: bytes, where: str) -> dict[str, Value]:
    """Return what the file says of stages, by the names in it; nothing if it says nothing.

    Raises:
        FormatError: it is no stage file.
    """
    top = people_yaml.load(data, where).value
    found = top.get("stages") if isinstance(top, dict) else None
    return found if isinstance(found, dict) else {}


def _body(stage: Value) -> dict[str, Value]:
    """Return the map that holds a stage's keys: below `do` where there is one."""
    inner = stage.get("do", stage) if isinstance(stage, dict) else None
    return inner if isinstance(inner, dict) else {}


def _with_body(stage: Value, body: dict[str, Value]) -> dict[str, Value]:
    """Return a stage with `body` in the place of the map that `_body` finds.

    A new one: another stage may be an alias of this, and is not changed with it.
    """
    return {**stage, "do": body} if isinstance(stage, dict) and "do" in stage else body


def _paths(listed: Value) -> Iterator[str]:
    """Yield the paths that a list of a stage names, with and without properties."""
    for item in listed if isinstance(listed, list) else ():
        yield from item if isinstance(item, dict) else [str(item)]
