"""Variables of templates: values that remember which parameter file they come from."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from datavc.core.paths import RepoPath
from datavc.core.stage import Value

Tree: TypeAlias = "Leaf | dict[str, Tree]"
"""A value whose leaves know their place."""


class Leaf(NamedTuple):
    """A scalar, or a list of trees. `key` is its dotted place in `file`, empty if in none."""

    value: str | int | float | bool | list[Tree] | None
    file: str = ""
    key: str = ""


class Conflict(Exception):
    """Two sources give the same variable, so neither is right."""

    def __init__(self, key: str, first: str, second: str) -> None:
        """Keep the dotted key and what the two sources are called."""
        super().__init__(key)
        self.key, self.first, self.second = key, first, second


def plant(value: Value, file: str = "", key: str = "") -> Tree:
    """Return a value as a tree; `file` is the parameter file it is from, if it is from one."""
    prefix = f"{key}." if key else ""
    if isinstance(value, dict):
        return {name: plant(held, file, prefix + name) for name, held in value.items()}
    if isinstance(value, list):
        return Leaf(
            [plant(held, file, f"{prefix}{at}") for at, held in enumerate(value)], file, key
        )
    return Leaf(value, file, key)


def plain(tree: Tree) -> Value:
    """Return the value of a tree."""
    if isinstance(tree, dict):
        return {key: plain(held) for key, held in tree.items()}
    if isinstance(tree.value, list):
        return [plain(held) for held in tree.value]
    return tree.value


def merged(one: dict[str, Tree], other: dict[str, Tree], prefix: str = "") -> dict[str, Tree]:
    """Return both, maps below the same key put together; neither is changed.

    Raises:
        Conflict: both have the same key, and not as maps.
    """
    found = dict(one)
    for key, held in other.items():
        before = found.get(key)
        if isinstance(before, dict) and isinstance(held, dict):
            found[key] = merged(before, held, f"{prefix}{key}.")
        elif before is None:
            found[key] = held
        else:
            raise Conflict(prefix + key, _source(before), _source(held))
    return found


def _source(tree: Tree) -> str:
    """Return the file of the first leaf, or `vars`."""
    while isinstance(tree, dict) and tree:
        tree = next(iter(tree.values()))
    return (tree.file if isinstance(tree, Leaf) else "") or "vars"


class Scope(NamedTuple):
    """The variables that a stage sees.

    `loaded` are the files that were taken in: their chosen keys, or none of them for the whole.
    `used` collects, file by file, the keys that templates asked for.
    """

    tree: dict[str, Tree]
    loaded: dict[RepoPath, frozenset[str]]
    used: dict[str, set[str]]

    def find(self, parts: list[str]) -> Tree | None:
        """Return what a dotted name means, None if nothing; a scalar or list counts as used."""
        tree: Tree = self.tree
        for part in parts:
            below = _below(tree, part)
            if below is None:
                return None
            tree = below
        if isinstance(tree, Leaf) and tree.file:
            self.used.setdefault(tree.file, set()).add(tree.key)
        return tree


def _below(tree: Tree, part: str) -> Tree | None:
    if isinstance(tree, dict):
        return tree.get(part)
    if not isinstance(tree.value, list):
        return None
    try:
        return tree.value[int(part)]
    except (ValueError, IndexError):
        return None
