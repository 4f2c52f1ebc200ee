"""The page on reliability names a test for each bar, and each test that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

from datavc.verbs.help import DOCS

PAGE = Path(DOCS, "reliability.md").read_text()
TESTS = Path(__file__).parent
ABSENT = {7, 32, 58}
"""Bars of pipelines, which are to come, and a number that was never given."""


def test_every_bar_has_a_line() -> None:
    bars = [int(bar) for bar in re.findall(r"^\| R(\d\d) \| .+ \| `.+` \|$", PAGE, re.MULTILINE)]

    assert bars == [bar for bar in range(1, 69) if bar not in ABSENT]


def test_every_test_is_where_the_page_says() -> None:
    missing = []
    for cell in re.findall(r"^\| R\d\d \| .+ \| (`.+`) \|$", PAGE, re.MULTILINE):
        for part in cell.split("; "):
            file, *names = re.findall(r"`([^`]+)`", part)
            text = (TESTS / file).read_text()
            missing += [f"{file}: {name}" for name in names if f"def {name}(" not in text]

    assert missing == []
