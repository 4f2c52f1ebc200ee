"""What the help pages of all commands end with."""

from __future__ import annotations

CODES = {
    0: "done",
    1: "cannot, and you can mend it",
    2: "wrong usage",
    3: "partly done, repeat is safe",
    4: "data missing or damaged",
    5: "another datavc is at work",
    6: "remote refused or unreachable",
    7: "differences",
}
"""What exit codes mean, in a few words; 130, 141, 143 and 255 are the same everywhere."""


def epilog(*examples: str, codes: tuple[int, ...] = (0, 1, 2)) -> str:
    """Return the end of a help page: examples, and what the exit codes mean."""
    shown = "\n".join(f"  $ {example}" for example in examples)
    meanings = "\n".join(f"  {code}  {CODES[code]}" for code in codes)
    return f"\b\nExample:\n{shown}\n\n\b\nExit codes:\n{meanings}"
