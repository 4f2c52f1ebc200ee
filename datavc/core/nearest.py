"""Which known word a mistyped one was meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def _distance(one: str, other: str) -> int:
    """Return how many letters to insert, drop, change or swap (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, right in enumerate(other, 1):
            best = min(before[j] + 1, row[-1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and right == one[i - 2]:
                best = min(best, older[j - 2] + 1)
            row.append(best)
    return row[-1]


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the word of `known` that differs in at most a third of its letters, or nothing."""
    asked = word[:64].lower()
    ranked = sorted((_distance(asked, other.lower()), other) for other in known)
    if not ranked:
        return ""
    distance, best = ranked[0]
    return best if distance <= max(1, max(len(asked), len(best)) // 3) else ""
