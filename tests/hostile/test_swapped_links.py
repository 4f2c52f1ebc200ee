"""A folder that is swapped for a link, over and over, while checkout writes into it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.stranger import Machine
from tests.support.work import Work

SECONDS = 4.0
"""Enough for a dozen checkouts; a write that follows the link shows within the first few."""
SWAPPER = """
import ctypes, os, shutil, sys
folder, link, outside = map(os.fsencode, sys.argv[1:])
EXCHANGE, HERE = 2, -100
call = ctypes.CDLL(None).renameat2
while True:
    if not (os.path.islink(link) or os.path.islink(folder)):
        shutil.rmtree(link, ignore_errors=True)
        os.symlink(outside, link)
    call(HERE, folder, HERE, link, EXCHANGE)
"""


@pytest.mark.parametrize("kind", ["copy", "hardlink"])
def test_no_checkout_writes_or_deletes_through_a_link_that_appears(
    machine: Machine, tmp_path: Path, kind: str
) -> None:
    work = Work(tmp_path / "work")
    work.settings["cache.type"] = kind
    work.version({f"d/s/{number}": f"one {number}" for number in range(40)}, "v1")
    work.version({f"d/s/{number}": f"two {number}" for number in range(20, 60)}, "v2")
    theirs = [machine.outside / str(number) for number in range(0, 60, 3)]
    for file in theirs:
        file.write_bytes(b"theirs")
    places = [str(work.root / name) for name in ("d/s", "link")]
    swapper = subprocess.Popen([sys.executable, "-c", SWAPPER, *places, str(machine.outside)])
    try:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            for rev in ("v1", "v2"):
                work.checkout("d", rev=rev, force=True)
    finally:
        swapper.kill()
        swapper.wait()

    assert {file.read_bytes() for file in theirs} == {b"theirs"}
    for file in theirs:  # the machine looks at the rest of its folder in the end
        file.unlink()
