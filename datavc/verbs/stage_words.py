"""Stage words: outcomes and reasons as a person reads them, for the terminal to draw."""

from __future__ import annotations

from collections.abc import Sequence

from datavc.core.stage import Stage as Stage
from datavc.pipeline.findings import NEVER_RUN as NEVER_RUN
from datavc.pipeline.findings import Finding as Finding
from datavc.pipeline.findings import sentence as sentence
from datavc.pipeline.running import Outcome as Outcome

SHOWN = 3
"""Reasons that fit in a line."""


def why(findings: Sequence[Finding]) -> str:
    """Return the reasons in one line, the first few of many."""
    if never_ran(findings):
        findings = findings[:1]
    texts = [sentence(finding) for finding in findings[:SHOWN]]
    more = len(findings) - len(texts)
    return "; ".join(texts) + (f"; and {more} more" if more else "")


def never_ran(findings: Sequence[Finding]) -> bool:
    """Tell whether there is no record of a good run."""
    return bool(findings) and findings[0].state == NEVER_RUN
