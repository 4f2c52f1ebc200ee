"""What is timed: steps, the parts that they are grouped in, and the bars for datavc."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench_data import Digests, write_large, write_small
from bench_tools import HERE

REPEATS = 3
SMALL, MANY = 10_000, 100_000
"""The numbers of files that the bars are about."""
ANY = 0
"""Stands for any number of files, where a bar does not depend on it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A line of bare tools for the same bytes, run beside datavc, in its folder.

    The bar is `within` times its duration, or `on_top_ms` more.
    """

    name: str
    line: str
    where: str = "work"
    within: float = 0.0
    on_top_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """A row of the table. `before` is not timed; `leaves` names the version that must be there.

    A step that is repeated changes nothing. One that is the same for any number of files is done
    `once`, with the fewest. `faster` is the bar against DVC and `mib` that for memory, by number.
    """

    name: str
    title: str
    line: str
    before: str = ""
    where: str = "work"
    leaves: str = ""
    repeats: int = 1
    once: bool = False
    faster: dict[int, float] = field(default_factory=dict)
    mib: dict[int, float] = field(default_factory=dict)
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Steps over the same data: `count` files, written into a folder by `write`.

    `needs` are the words by which it can be left out.
    """

    needs: frozenset[str]
    size: str
    count: int
    cycles: int
    steps: tuple[Step, ...]
    write: Callable[[Path], dict[str, Digests]]


def _bars(small: float, many: float) -> dict[int, float]:
    return {SMALL: small, MANY: many}


def _python(code: str) -> str:
    return f"{sys.executable} {code}"


COMMIT = "git add -A; git commit -q --no-verify -m"
CLONE = f"{COMMIT} far; git clone -q . ../clone"
FILES = (
    Step("version", "`--version`", "$T --version", repeats=15, once=True, faster={ANY: 4}),
    Step(
        "status-empty",
        "`status`, empty repository",
        "$T status",
        repeats=REPEATS,
        once=True,
        faster={ANY: 5},
    ),
    Step(
        "add",
        "`add`",
        "$T add -q data",
        before="cp -r ../../source/v1 data",
        faster=_bars(3.5, 5),
        mib={MANY: 130},
    ),
    Step(
        "add-again",
        "`add` again, nothing changed",
        "$T add -q data",
        repeats=REPEATS,
        faster=_bars(6, 12),
    ),
    Step(
        "status",
        "`status`, nothing changed",
        "$T status",
        before=f"{COMMIT} v1; git tag v1",
        repeats=REPEATS,
        faster=_bars(5, 10),
        mib={MANY: 130},
    ),
    Step(
        "status-one",
        "`status`, one file changed",
        "$T status",
        before="printf changed >data/00/0000000.bin",
        repeats=REPEATS,
    ),
    Step(
        "add-change",
        "`add`, 1 % changed",
        "$T add -q data",
        before="cp -r ../../source/change/. data",
        faster={MANY: 12},
    ),
    Step(
        "switch",
        "`git checkout`, 1 % changed, data moved by the hook",
        "git checkout -q v1",
        before=f"{COMMIT} v2; git tag v2",
        leaves="v1",
        faster=_bars(6, 14),
    ),
    Step(
        "switch-words",
        "`git checkout`, no data changed",
        "git checkout -q -",
        before="git checkout -q main && git checkout -q -b words && echo new >words.txt"
        f" && {COMMIT} words; git checkout -q main; git clone -q . ../plain"
        " && cd ../plain && git checkout -q words && git checkout -q main",
        repeats=REPEATS,
        once=True,
        limit=Limit("Git alone", "git checkout -q -", where="plain", on_top_ms=15),
    ),
    Step(
        "checkout",
        "`checkout` into an empty folder",
        "$T checkout -q",
        before="git checkout -q main; rm -rf data",
        leaves="v2",
        faster=_bars(2.7, 5),
    ),
    Step(
        "push",
        "`push` to a folder",
        "$T push -q",
        before="$T remote add -q -d far ../far",
        faster=_bars(3, 6),
    ),
    Step(
        "push-again",
        "`push` with nothing to do",
        "$T push -q",
        repeats=REPEATS,
        faster=_bars(5, 10),
    ),
    Step(
        "pull",
        "`pull` from a folder into a clone",
        "$T pull -q",
        before=CLONE,
        where="clone",
        leaves="v2",
        faster=_bars(3, 6),
    ),
)


def _add_large(mode: str, limit: Limit) -> Step:
    return Step(
        f"add-{mode}",
        f"`add`, {mode} mode",
        "$T add -q data",
        before=f"$T config cache.type {mode} && cp ../../source/v1 data",
        leaves="v1",
        limit=limit,
    )


def _hash_line() -> str:
    if shutil.which("b3sum"):
        return "b3sum --num-threads 1 data"
    return _python("-c 'import blake3; blake3.blake3().update_mmap(\"data\").digest()'")


COPY = _add_large("copy", Limit("cp and sync", "cp data copy && sync copy", within=1.3))
HARDLINK = _add_large("hardlink", Limit("BLAKE3, one thread", _hash_line(), within=1.4))


def _s3(mib: dict[int, float]) -> tuple[Step, ...]:
    """Return the steps with an S3 remote; what was pushed goes, for the room it takes."""
    bare = f"{HERE / 'bench_obstore.py'}"
    put = Limit("obstore", _python(f"{bare} put data"), within=1.3)
    get = Limit("obstore", _python(f"{bare} get ../got"), within=1.3)
    return (
        Step(
            "push-s3",
            "`push` to S3",
            "$T push -q",
            before="cp -r ../../source/v1 data && $T add -q data"
            " && $T remote add -q -d far s3://bench/$T-$PART"
            " && $T remote modify far endpointurl $S3_ENDPOINT",
            mib=mib,
            limit=put,
        ),
        Step(
            "pull-s3",
            "`pull` from S3 into a clone",
            "$T pull -q",
            before=f"{CLONE}; rm -rf data .$T/cache",
            where="clone",
            leaves="v1",
            mib=mib,
            limit=get,
        ),
    )


def parts(count: int, cycles: int) -> list[Part]:
    """Return all parts, for `count` small files and ten times as many."""

    def files(number: int) -> Callable[[Path], dict[str, Digests]]:
        return lambda folder: write_small(folder, number)

    def size(number: int) -> str:
        return f"{number:,} files"

    many = 10 * count
    fewer = tuple(step for step in FILES if not step.once)
    one, large, s3 = "1 GiB", frozenset({"large"}), frozenset({"s3"})
    return [
        Part(frozenset({str(count)}), size(count), count, cycles, FILES, files(count)),
        Part(frozenset({str(many)}), size(many), many, 1, fewer, files(many)),
        Part(large, one, 1, cycles, (COPY,), write_large),
        Part(large, one, 1, cycles, (HARDLINK,), write_large),
        Part(s3, size(count), count, 1, _s3({}), files(count)),
        Part(s3 | large, one, 1, 1, _s3({1: 200}), write_large),
    ]
