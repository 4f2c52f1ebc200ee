"""Listing folders that others may remove meanwhile."""

from __future__ import annotations

import os


def names_in(folder: str) -> list[str]:
    """Return the names in `folder`, none if it is not there."""
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
