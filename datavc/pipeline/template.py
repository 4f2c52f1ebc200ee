r"""Templates: `${a.b[0]}` in the texts of a stage file, filled in; nothing is evaluated.

`\${` is `${` itself, left to the shell. A text that is one `${name}` alone takes the value with
its type. The text that numbers, true and false become, and the options that a map becomes in a
command, are those of DVC, so that old commands stay the same (checked by scripts/compare_stages).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from datavc.core.nearest import nearest
from datavc.core.stage import Value
from datavc.pipeline.rendering import Rendering
from datavc.pipeline.variables import Leaf, Scope, Tree, plain

_FIELD = re.compile(r"(?<!\\)\$\{(.*?)\}")
_NAME = re.compile(r"[^.\[\]]+(?:\.[^.\[\]]+|\[[^.\[\]]+\])*")
_SHELLS = re.compile(r"[A-Z_][A-Z0-9_]*|.*[:#%/!@^,].*")
_EXCERPT = 80
"""Characters of a text that an error shows."""


class Misfit(Exception):
    """A template cannot be filled in; the caller knows the line."""

    def __init__(self, problem: str, hint: str = "") -> None:
        """Keep the sentence and the way out."""
        super().__init__(problem)
        self.problem, self.hint = problem, hint


def has_fields(value: Value) -> bool:
    """Tell whether some text in `value` holds a `${…}`."""
    if isinstance(value, str):
        return "${" in value and _FIELD.search(value) is not None
    if isinstance(value, dict):
        return any(has_fields(key) or has_fields(held) for key, held in value.items())
    return isinstance(value, list) and any(map(has_fields, value))


def filled(
    text: str, scope: Scope, rendering: Rendering | None = None
) -> str | int | float | bool:
    """Return `text` filled in, or the value of the one variable that it is, with its type.

    With `rendering` a map becomes options of a command.

    Raises:
        Misfit: a variable is missing, null, a list, or a map where none can stand.
    """
    if "${" not in text:
        return text
    if (found := _FIELD.fullmatch(text)) and "}" not in found[1]:
        tree = _look_up(found[1], scope, text)
        if isinstance(tree, Leaf) and not isinstance(tree.value, list | None):
            return tree.value
    return _FIELD.sub(lambda found: _shown(found[1], scope, text, rendering), text).replace(
        "\\${", "${"
    )


def grown(value: Value, scope: Scope) -> Tree:
    """Return `value` filled in, where `${name}` may also stand for a list or a map.

    Raises:
        Misfit: a variable is missing, or does not fit into the text around it.
    """
    if isinstance(value, dict):
        return {str(filled(key, scope)): grown(held, scope) for key, held in value.items()}
    if isinstance(value, list):
        return Leaf([grown(held, scope) for held in value])
    if not isinstance(value, str):
        return Leaf(value)
    if (found := _FIELD.fullmatch(value)) and "}" not in found[1]:
        return _look_up(found[1], scope, value)
    return Leaf(filled(value, scope))


def text_of(value: Value) -> str:
    """Return a scalar as it stands in a command."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _shown(name: str, scope: Scope, text: str, rendering: Rendering | None) -> str:
    tree = _look_up(name, scope, text)
    if isinstance(tree, dict) and rendering is not None:
        value = plain(tree)
        return " ".join(_options(name, value if isinstance(value, dict) else {}, rendering))
    if isinstance(tree, dict) or isinstance(tree.value, list):
        kind = "a map" if isinstance(tree, dict) else "a list"
        raise Misfit(
            f"${{{name}}} is {kind}, which cannot stand in {_excerpt(text)}",
            "name one value of it"
            + (", as ${name.key}" if kind == "a map" else ", as ${name[0]}"),
        )
    if tree.value is None:
        raise Misfit(f"${{{name}}} is null in {_excerpt(text)}", "give it a value")
    return text_of(tree.value)


def _look_up(name: str, scope: Scope, text: str) -> Tree:
    if not _NAME.fullmatch(name.strip()):
        raise Misfit(
            f"${{{name}}} is no name of a variable in {_excerpt(text)}",
            "write ${a.b} or ${a[0]}; \\${ is left to the shell",
        )
    parts = [part.strip() for part in name.replace("[", ".").replace("]", "").split(".")]
    tree = scope.find(parts)
    if tree is None:
        raise Misfit(
            f"${{{name}}} names no variable in {_excerpt(text)}", _advice(name.strip(), scope)
        )
    return tree


def _advice(name: str, scope: Scope) -> str:
    near = nearest(name, _names(scope.tree, ""))
    if near:
        return f"did you mean ${{{near}}}?"
    if _SHELLS.fullmatch(name):
        return f"if the shell is to fill it in, write \\${{{name}}}"
    return "write it into params.yaml or `vars`; \\${ is left to the shell"


def _names(tree: Tree, prefix: str) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, held in tree.items():
            yield prefix + key
            yield from _names(held, f"{prefix}{key}.")


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return f"`{line if len(line) <= _EXCERPT else line[: _EXCERPT - 1] + '…'}`"


def _options(name: str, value: dict[str, Value], rendering: Rendering) -> Iterator[str]:
    """Yield `--key value` for each leaf of a map, keys of maps inside it joined by dots."""
    for key, held in _leaves(value, ""):
        if held is None:
            raise Misfit(f"${{{name}}} has null at {key}", "give it a value, or take it out")
        if isinstance(held, bool):
            if held:
                yield f"--{key}"
            elif rendering.bool == "boolean_optional":
                yield f"--no-{key}"
        elif isinstance(held, list):
            yield from _listed(f"${{{name}}}", key, held, rendering)
        else:
            yield f"--{key} {shlex.quote(held) if isinstance(held, str) else held}"


def _listed(name: str, key: str, values: list[Value], rendering: Rendering) -> Iterator[str]:
    """Yield a list as one option with all values, or as one option for each."""
    for at, value in enumerate(values):
        if value is None or isinstance(value, list | dict):
            raise Misfit(f"{name} has null, a list or a map inside the list {key}")
        shown = shlex.quote(value) if isinstance(value, str) else str(value)
        yield shown if at and rendering.list == "nargs" else f"--{key} {shown}"


def _leaves(value: dict[str, Value], prefix: str) -> Iterator[tuple[str, Value]]:
    for key, held in value.items():
        if isinstance(held, dict):
            yield from _leaves(held, f"{prefix}{key}.")
        else:
            yield prefix + key, held
