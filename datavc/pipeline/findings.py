"""Findings: what makes a stage differ from its last good run, one value a difference."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from datavc.core.stage import Value

About = Literal["dependency", "parameter", "variable", "output", "command", "definition", "rule"]

MODIFIED, DELETED, NEW = "modified", "deleted", "new"
NOT_IN_CACHE = "not in cache"
UNDECLARED = "no longer declared"
PENDING = "to be made anew"
"""A dependency that a stage of the same run will make first."""

NEVER_RUN = "never run"
ALWAYS = "always changed"
FORCED = "forced"


class Finding(NamedTuple):
    """One difference. `item` is a path, a key, a variable's name or a key of the definition.

    `where` is the file of a parameter. `old` and `new` are values as they are recorded; of files
    their digests.
    """

    about: About
    item: str
    state: str
    where: str = ""
    old: Value = None
    new: Value = None


def to_json(findings: Iterable[Finding]) -> list[object]:
    """Return findings in the shape that `status --json` gives them in, by kind."""
    files: dict[str, object] = {}
    outs: dict[str, str] = {}
    definition: dict[str, str] = {}
    words: list[object] = []
    for finding in findings:
        if finding.about == "parameter":
            keys = files.setdefault(finding.where, {})
            if isinstance(keys, dict):
                keys[finding.item] = finding.state
        elif finding.about in ("dependency", "variable"):
            files[finding.item if finding.about == "dependency" else f"${finding.item}"] = (
                finding.state
            )
        elif finding.about == "output":
            outs[finding.item] = finding.state
        elif finding.about == "definition":
            definition[finding.item] = finding.state
        else:
            words.append("changed command" if finding.about == "command" else finding.state)
    kinds = {"changed deps": files, "changed outs": outs, "changed definition": definition}
    return [{kind: found} for kind, found in kinds.items() if found] + words


def sentence(finding: Finding) -> str:
    """Return a finding as a person reads it."""
    if finding.about == "command":
        return "the command changed"
    if finding.about == "rule":
        return finding.state
    if finding.about == "parameter":
        return f"{finding.where}:{finding.item} {_change(finding)}"
    if finding.about == "definition":
        return f"the definition changed: {finding.item} is {finding.state}"
    if finding.about == "variable":
        state = "has changed" if finding.state == MODIFIED else f"is {finding.state}"
        return f"the environment variable {finding.item} {state}"
    verb = {MODIFIED: "changed", DELETED: "is missing"}.get(finding.state, f"is {finding.state}")
    return f"{finding.item} {verb}"


def _change(finding: Finding) -> str:
    if finding.state == MODIFIED:
        return f"{_shown(finding.old)} → {_shown(finding.new)}"
    if finding.state == NEW:
        return f"is new: {_shown(finding.new)}"
    return f"is {finding.state}"


def _shown(value: Value) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


_SHOWN = 60
"""Characters of a value that fit in a line beside its name."""
