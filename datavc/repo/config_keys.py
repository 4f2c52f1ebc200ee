"""KEYS: every setting once, with its type, default, help and the levels that it counts from.

Remotes are the one open table: `remote.NAME.OPTION`, with the options in `REMOTE_KEYS` and, beside
them, whatever the service's file system takes (`datavc.remote.options`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from datavc.core.digest import IDENTITY_ALGORITHMS
from datavc.core.errors import ConfigError
from datavc.core.nearest import nearest

Level = Literal["default", "system", "user", "project", "local", "env", "command"]

LEVELS: tuple[Level, ...] = ("default", "system", "user", "project", "local", "env", "command")
"""From weakest to strongest. `project` alone comes with a clone, and is not the user's word."""
TRUSTED: tuple[Level, ...] = tuple(level for level in LEVELS if level != "project")
LINK_TYPES = ("reflink", "hardlink", "symlink", "copy")

LARGEST = (1 << 53) - 1
"""No number in a setting is larger: what every reader of numbers holds exactly."""
MOST_JOBS = 256
"""Threads at once, at most: who writes the tracked config does not know how many fit here."""
LONGEST_SHOWN = 60
"""Characters of a wrong value that a message repeats."""

SECTIONS = ("core", "cache", "gc", "repro", "parsing", "remote")
REMOTE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)")

Reader = Callable[[object], object]
"""Turns what a file or the command line holds into the value; ValueError says what is expected."""


class Key(NamedTuple):
    """One setting; `levels` are those that it counts from."""

    name: str
    read: Reader
    default: object
    help: str
    levels: tuple[Level, ...] = LEVELS


def text(value: object) -> str:
    """Read a text that is not empty."""
    if isinstance(value, str) and value and "\0" not in value:
        return value
    raise ValueError("a text")


def flag(value: object) -> bool:
    """Read true or false, in the spellings of TOML, Git and DVC."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("true or false")


def whole(lowest: int, highest: int = LARGEST) -> Reader:
    """Return a reader of whole numbers from `lowest` to `highest`."""
    upper = "on" if highest == LARGEST else f"to {highest}"

    def read(value: object) -> int:
        known = isinstance(value, int) and not isinstance(value, bool)
        digits = value if isinstance(value, str) and value.isascii() else ""
        if (known or digits.strip().isdigit()) and lowest <= (
            number := int(str(value))
        ) <= highest:
            return number
        raise ValueError(f"a whole number from {lowest} {upper}")

    return read


def _amount(value: object, units: Mapping[str, int], expected: str) -> float:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        match = _AMOUNT.fullmatch(str(value).strip())
        if match and (unit := units.get(match[2].lower())):
            amount = float(match[1]) * unit
            if amount <= LARGEST:
                return amount
    raise ValueError(expected)


def seconds(value: object) -> float:
    """Read a duration: seconds, or a number with s, m, h, d or w."""
    return _amount(value, _SECONDS, "a duration such as 60, 30s, 24h or 2d")


def size(value: object) -> int:
    """Read an amount of bytes: a number, or one with k, M, G or T (powers of 1024)."""
    word = value.strip().lower().removesuffix("ib") if isinstance(value, str) else value
    return int(_amount(word, _BYTES, "an amount of bytes such as 500000 or 20M"))


def choice(*words: str) -> Reader:
    """Return a reader of one of `words`."""

    def read(value: object) -> str:
        if isinstance(value, str) and value.strip().lower() in words:
            return value.strip().lower()
        raise ValueError(f"one of {', '.join(words)}")

    return read


def words(value: object) -> tuple[str, ...]:
    """Read a list of texts, also one text with commas."""
    parts = value.split(",") if isinstance(value, str) else value
    if isinstance(parts, (list, tuple)) and all(isinstance(part, str) for part in parts):
        found = tuple(part.strip() for part in parts if part.strip())
        if found:
            return found
    raise ValueError("a list of words")


def links(value: object) -> tuple[str, ...]:
    """Read link types in the order in which they are tried."""
    try:
        found = words(value)
    except ValueError:
        found = ()
    if found and set(found) <= set(LINK_TYPES):
        return tuple(dict.fromkeys(found))
    raise ValueError(f"a list of {', '.join(LINK_TYPES)}")


def shared(value: object) -> bool:
    """Read `group` (or true) as shared."""
    if isinstance(value, str) and value.strip().lower() == "group":
        return True
    try:
        return flag(value)
    except ValueError as error:
        raise ValueError('"group", true or false') from error


def amounts(value: object) -> tuple[tuple[str, float], ...]:
    """Read what there is of resources: `gpu=2, licence=1`; of mem with a unit."""
    expected = "a list of name=amount, such as gpu=2 or mem=16G"
    found: dict[str, float] = {}
    try:
        for word in words(value):
            name, _, much = word.partition("=")
            found[name.strip()] = size(much) if name.strip() == "mem" else float(much)
    except ValueError as error:
        raise ValueError(expected) from error
    if not all(name and 0 <= amount <= LARGEST for name, amount in found.items()):
        raise ValueError(expected)
    return tuple(sorted(found.items()))


KEYS: tuple[Key, ...] = (
    Key("core.remote", text, None, "The remote that push, pull and fetch use."),
    Key(
        "core.digest",
        choice(*IDENTITY_ALGORITHMS),
        "blake3",
        "How new data is named. `datavc init --digest` sets it once.",
    ),
    Key("core.autostage", flag, False, "Stage pointers and ignore files in Git at once."),
    Key(
        "core.durability",
        choice("full", "batch", "none"),
        "batch",
        "What a power cut may cost: nothing, file by file (full) or in batches (batch); "
        "or recent work (none).",
    ),
    Key(
        "core.lock_timeout",
        seconds,
        60.0,
        "How long to wait for another datavc in this workspace.",
    ),
    Key("core.undo_days", whole(0), 14, "How many days an operation can be taken back."),
    Key(
        "core.jobs",
        whole(1, MOST_JOBS),
        None,
        "Transfers and hashing at once; chosen for you if not set.",
    ),
    Key(
        "core.protocols",
        words,
        (),
        "Protocols of fsspec that remotes may use beside the built-in ones.",
        TRUSTED,
    ),
    Key("cache.dir", text, None, "Where objects are kept, relative to this file."),
    Key(
        "cache.type",
        links,
        ("reflink", "copy"),
        "How files come into the workspace: the first of these that works.",
    ),
    Key("cache.shared", shared, False, '"group": the cache is written by all users of a group.'),
    Key(
        "gc.grace",
        seconds,
        86400.0,
        "Objects younger than this are never collected.",
    ),
    Key("repro.jobs", whole(1, MOST_JOBS), 1, "How many stages `datavc repro` runs at once."),
    Key(
        "repro.resources",
        amounts,
        (),
        "How much there is for stages that run at once: gpu, cpu, mem, or names of your own.",
    ),
    Key(
        "repro.shell",
        text,
        None,
        "The shell that runs commands, with its options; bash, or sh where there is none.",
        TRUSTED,
    ),
    Key(
        "repro.keep_runs",
        seconds,
        30 * 86400.0,
        "Results that the run cache was not asked for so long may be collected.",
    ),
    Key(
        "parsing.bool",
        choice("store_true", "boolean_optional"),
        "store_true",
        "How true and false in a map become options of a command.",
    ),
    Key(
        "parsing.list",
        choice("nargs", "append"),
        "nargs",
        "How a list in a map becomes options of a command.",
    ),
)

REMOTE_KEYS: tuple[Key, ...] = (
    Key("url", text, None, "Where the remote is: a folder, s3://…, gs://…, az://…, ssh://…"),
    Key("layout", choice("plain"), "plain", "How objects are laid out on the remote."),
    Key("driver", choice("auto", "obstore", "s3fs"), "auto", "Which library speaks to S3."),
    Key("jobs", whole(1, MOST_JOBS), None, "Transfers at once."),
    Key("retries", whole(0), 5, "How often a request is tried again."),
    Key("connect_timeout", seconds, 15.0, "How long to wait for a connection."),
    Key("read_timeout", seconds, 60.0, "How long to wait for an answer."),
    Key("rate_limit", size, None, "Bytes a second at most, for example 20M."),
)

WITHOUT_EFFECT = {
    "core.analytics": "datavc sends nothing about its use to anybody",
    "core.check_update": "datavc never looks for newer versions",
    "core.hardlink_lock": "the lock of datavc needs no hard links",
    "core.interactive": "datavc asks only where an answer is needed",
    "core.checksum_jobs": "`core.jobs` covers hashing too",
    "core.site_cache_dir": "memos stand in .datavc/state",
}
"""Settings of DVC that scripts may set; there is nothing to set here, and the reason."""

BY_NAME = {key.name: key for key in KEYS}
REMOTE_BY_NAME = {key.name: key for key in REMOTE_KEYS}


def split_remote(name: str) -> tuple[str, str] | None:
    """Return remote and option of `remote.NAME.OPTION`, None for any other key.

    Raises:
        ConfigError: it begins so, but has no name or no option.
    """
    if not name.startswith("remote."):
        return None
    remote, dot, option = name[len("remote.") :].rpartition(".")
    if not dot or not option or not REMOTE_NAME.fullmatch(remote):
        raise ConfigError(
            f"{name!r} is not a setting", "settings of remotes are written remote.NAME.OPTION"
        )
    return remote, option


def _at(where: str) -> str:
    return f"{where}: " if where else ""


def known_key(name: str, where: str) -> Key:
    """Return the key `name`, which stands in `where` (empty: the user just typed it).

    Raises:
        ConfigError: there is none; names the place and the nearest key.
    """
    if remote := split_remote(name):
        option = remote[1]
        return REMOTE_BY_NAME.get(option) or Key(option, lambda value: value, None, "")
    if key := BY_NAME.get(name):
        return key
    near = nearest(name, BY_NAME)
    hint = f"did you mean `{near}`?" if near else "`datavc help config` lists all settings"
    raise ConfigError(f"{_at(where)}there is no setting {name!r}", hint)


def read_value(name: str, value: object, where: str) -> object:
    """Return the value of the setting `name` as written in `where`.

    Raises:
        ConfigError: unknown key, or not a value that it takes.
    """
    key = known_key(name, where)
    shown = repr(value if len(str(value)) <= LONGEST_SHOWN else f"{str(value)[:LONGEST_SHOWN]}…")
    try:
        return key.read(value)
    except ValueError as error:
        raise ConfigError(
            f"{_at(where)}{name} must be {error}, not {shown}", "`datavc help config` explains it"
        ) from error
