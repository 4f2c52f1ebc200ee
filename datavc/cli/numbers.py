"""Numbers as tables: aligned for the terminal, or in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from datavc.cli import render

PRECISION = 5
"""Digits behind the point, if nobody says how many."""
NOTHING = "-"


def number(value: object, precision: int) -> str:
    """Return a value for people: floats rounded, very small ones to significant digits.

    None is a dash.
    """
    if value is None:
        return NOTHING
    if not isinstance(value, float):
        return str(value)
    if 0 < abs(value) < 10.0 ** (1 - precision):
        return f"{value:.{max(precision, 1)}g}"
    return str(round(value, precision)) if precision else f"{value:.0f}"


def signed(value: int | float | None, precision: int) -> str:
    """Return a change for people, with its sign."""
    shown = number(value, precision)
    return f"+{shown}" if value is not None and value > 0 else shown


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, markdown: bool) -> list[str]:
    """Return the lines of a table with a header."""
    if not markdown:
        return [*render.table([columns, *rows])]
    safe = [[_cell(cell) for cell in row] for row in [columns, *rows]]
    widths = [max(render.width(row[i]) for row in safe) for i in range(len(columns))]
    lines = [_row(row, widths) for row in safe]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell + " " * (width - render.width(cell))
        for cell, width in zip(cells, widths, strict=True)
    )
    return f"| {' | '.join(padded)} |"


def _cell(text: str) -> str:
    return render.display(text).replace("\\", "\\\\").replace("|", "\\|")
