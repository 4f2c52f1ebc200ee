"""The documentation that comes with datavc, by topic."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NamedTuple

from datavc.core.errors import UsageError
from datavc.core.nearest import nearest

DOCS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "docs")
SUFFIX = ".md"


class Topic(NamedTuple):
    """A page by its name, such as `tour` or `formats/pointer`, and its first heading."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page, as it is written."""

    name: str
    text: str


def _read(name: str) -> str:
    with open(os.path.join(DOCS, name + SUFFIX), encoding="utf-8") as stream:
        return stream.read()


def _names() -> list[str]:
    """Return all topics, those of the first level first."""
    found = []
    for folder, folders, files in os.walk(DOCS):
        folders.sort()
        below = os.path.relpath(folder, DOCS)
        found += [
            os.path.normpath(os.path.join(below, file)).removesuffix(SUFFIX)
            for file in sorted(files)
            if file.endswith(SUFFIX)
        ]
    return found


def topics(below: str = "") -> tuple[Topic, ...]:
    """Return the topics, or those of one folder such as `formats`."""
    wanted = [name for name in _names() if not below or name.startswith(f"{below}/")]
    return tuple(Topic(name, _read(name).partition("\n")[0].lstrip("# ")) for name in wanted)


def page(topic: str) -> Page | tuple[Topic, ...]:
    """Return the page of a topic, or the topics of a folder.

    The last part of a name will do, and a design note's number or title.

    Raises:
        UsageError: there is no such page; names the nearest.
    """
    asked = topic.strip("/").removesuffix(SUFFIX).lower()
    names = _names()
    short = {name.rpartition("/")[2]: name for name in reversed(names)}
    numbered = {
        word: name
        for last, name in short.items()
        if last[:4].isdigit()
        for word in last.split("-", 1)
    }
    for known in (dict(zip(names, names, strict=True)), short, numbered):
        if asked in known:
            return Page(known[asked], _read(known[asked]))
    if below := topics(asked):
        return below
    near = nearest(asked, [*names, *short])
    raise UsageError(
        f"there is no help on {topic!r}",
        f"did you mean `datavc help {near}`?"
        if near
        else "`datavc help` lists the topics, `datavc COMMAND --help` explains a command",
    )
