"""Parameters written in Python: the names of a module and its classes that are given literals.

The text is parsed, never run. What is computed is no parameter and left out.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator

from datavc.core.errors import FormatError

MAX_BYTES = 1 << 20
"""No such file is longer; Python's own parser is not made for hostile text."""


def load(text: str, where: str) -> dict[str, object]:
    """Return name → literal; a class is a map of its attributes and what `__init__` gives `self`.

    Raises:
        FormatError: it is not Python; the message names the line.
    """
    if len(text) > MAX_BYTES:
        raise FormatError(f"{where}: {len(text)} characters are too many for such a file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of style, on standard error
            return _names(ast.parse(text).body, of_self=False)
    except SyntaxError as error:
        raise FormatError(f"{where}:{error.lineno or 1}: not Python: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise FormatError(f"{where}: not Python that can be read: {error}") from error


def _names(body: Iterable[ast.stmt], *, of_self: bool) -> dict[str, object]:
    found: dict[str, object] = {}
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            found[statement.name] = _names(statement.body, of_self=False)
        elif isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            found.update(_names(statement.body, of_self=True))
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            found.update(_assigned(statement, of_self=of_self))
    return found


def _assigned(
    statement: ast.Assign | ast.AnnAssign, *, of_self: bool
) -> Iterator[tuple[str, object]]:
    """Yield the one name that is given a literal here, if there is one."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    name = _name(targets[0], of_self=of_self) if len(targets) == 1 else ""
    if not name or statement.value is None:
        return
    try:
        yield name, ast.literal_eval(statement.value)
    except (ValueError, TypeError):
        return


def _name(target: ast.expr, *, of_self: bool) -> str:
    """Return `x` of `x = …`, or of `self.x = …`; nothing for other targets."""
    if isinstance(target, ast.Name):
        return "" if of_self else target.id
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        return target.attr if target.value.id == "self" else ""
    return ""
