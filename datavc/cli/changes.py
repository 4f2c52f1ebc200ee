"""How changes to files, and transfers, are drawn: the lines that several commands share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from datavc.cli import render

if TYPE_CHECKING:  # `status` draws paths too, and needs neither of these
    from datavc.verbs.checkout import CheckoutResult
    from datavc.verbs.syncing import SyncResult

MANY = 20
"""From so many paths on a listing shows the first ones and counts the rest."""


def drawn_checkout(
    result: CheckoutResult, elapsed: str, *, summary: bool = False
) -> Iterable[str]:
    """Return a line a path, unless there are many or `summary` is set, and the counts."""
    if not summary:
        yield from drawn_paths("A", result.added)
        yield from drawn_paths("M", result.modified)
        yield from drawn_paths("D", result.deleted)
    counts = [
        (len(result.added), "added"),
        (len(result.modified), "changed"),
        (len(result.deleted), "deleted"),
    ]
    made = [(number, word) for number, word in counts if number]
    if made:
        would = "Would make: " if result.dry_run else ""
        (first, word), *others = made
        said = [f"{render.count(first, 'file')} {word}"]
        said += [f"{number:,} {other}" for number, other in others]
        yield f"{would}{', '.join(said)}, {render.size(result.bytes)} in {elapsed}"
    elif not result.failures:
        yield up_to_date("The workspace is", result.warnings)


def drawn_sync(result: SyncResult, verb: str, elapsed: str) -> Iterable[str]:
    """Return the line that says what went over; `verb` as in "12 objects pushed"."""
    if result.files:
        would = "would be " if result.dry_run else ""
        to = f" ({', '.join(dict.fromkeys(result.remotes))})" if result.remotes else ""
        yield (
            f"{render.count(result.files, 'object')} {would}{verb}{to}, "
            f"{render.size(result.bytes)} in {elapsed}"
        )
    elif not result.failures:
        yield up_to_date("Everything is", result.warnings)


def up_to_date(what: str, warnings: Sequence[str]) -> str:
    """Return the sentence for no differences; warnings are exceptions to it."""
    return f"{what} up to date{', except for the warnings' if warnings else ''}"


def drawn_paths(letter: str, paths: Sequence[str]) -> Iterable[str]:
    """Return `M path` lines, the first ones where there are many."""
    shown = paths if len(paths) <= MANY else paths[: MANY // 2]
    yield from (f"{letter}  {path}" for path in shown)
    if len(shown) < len(paths):
        yield f"{letter}  … and {len(paths) - len(shown):,} more"
