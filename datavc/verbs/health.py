"""Health: one line of what `doctor` says."""

from __future__ import annotations

from typing import Literal, NamedTuple

State = Literal["ok", "warn", "fail"]


class Check(NamedTuple):
    """One thing that was looked at: how it stands, in a few words, and the way out."""

    name: str
    state: State
    message: str
    hint: str = ""


def ok(name: str, message: str) -> Check:
    """Return that something is as it should be."""
    return Check(name, "ok", message)


def warn(name: str, message: str, hint: str = "") -> Check:
    """Return that something could be better."""
    return Check(name, "warn", message, hint)


def fail(name: str, message: str, hint: str = "") -> Check:
    """Return that something does not work."""
    return Check(name, "fail", message, hint)
