"""The files that are versioned, the same bytes in every run, and what must be found afterwards."""

from __future__ import annotations

import hashlib
import os
import random
from pathlib import Path

Digests = dict[str, bytes]
"""Path below a folder to SHA-256; a single file has the path `.`."""
FOLDERS = 100
MEAN_SIZE = 4096
"""Bytes; sizes are spread evenly between half of it and one and a half."""
LARGE_SIZE = 1 << 30
_BLOCK = 1 << 24


def write_small(folder: Path, count: int, mean: int = MEAN_SIZE) -> dict[str, Digests]:
    """Write `count` files into `v1`, new bytes for each hundredth into `change`; return versions.

    `v2` is `v1` with `change` laid over it; every folder has some of what changed.
    """
    source = random.Random(count)
    found: dict[str, Digests] = {"v1": {}, "change": {}}
    for version in found:
        for number in range(FOLDERS):
            (folder / version / f"{number:02}").mkdir(parents=True)
    for number in range(count):
        name = f"{number * FOLDERS // count:02}/{number:07}.bin"
        size = source.randrange(mean // 2, mean * 3 // 2)
        for version in ("v1", "change") if number % 100 == 0 else ("v1",):
            data = source.randbytes(size)
            (folder / version / name).write_bytes(data)
            found[version][name] = hashlib.sha256(data).digest()
    return {"v1": found["v1"], "v2": found["v1"] | found["change"]}


def write_large(folder: Path) -> dict[str, Digests]:
    """Write one file of 1 GiB, `v1`."""
    source = random.Random(LARGE_SIZE)
    folder.mkdir(parents=True)
    with open(folder / "v1", "wb") as file:
        for _ in range(LARGE_SIZE // _BLOCK):
            file.write(source.randbytes(_BLOCK))
    return {"v1": digests(folder / "v1")}


def digests(path: Path) -> Digests:
    """Return what a file, or all files below a folder, hold."""
    if not path.is_dir():
        return {".": _digest(path)}
    return {
        os.path.relpath(os.path.join(folder, name), path): _digest(Path(folder, name))
        for folder, _, names in os.walk(path)
        for name in names
    }


def _digest(file: Path) -> bytes:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
