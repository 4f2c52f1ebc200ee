"""Writes the demo's data into a folder: `demo_data.py first|second FOLDER`."""

from __future__ import annotations

import importlib.resources
import shutil
import sys
from pathlib import Path

IMAGES = 40
SIDE = 64
"""Width and height of an image in pixels."""


def picture(number: int) -> bytes:
    """Return a grey image with a pattern of its own (PGM, which needs no library)."""
    pixels = bytes((x * x + y * y * number) % 256 for y in range(SIDE) for x in range(SIDE))
    return b"P5 %d %d 255\n" % (SIDE, SIDE) + pixels


def first(folder: Path) -> None:
    """Write the tables that the package vega_datasets ships, and images."""
    tables = folder / "data" / "tables"
    with importlib.resources.as_file(importlib.resources.files("vega_datasets")) as package:
        shutil.copytree(package / "_data", tables)
    shutil.copy(tables / "seattle-weather.csv", folder / "data" / "raw.csv")
    (folder / "images").mkdir()
    for number in range(IMAGES):
        (folder / "images" / f"{number:03}.pgm").write_bytes(picture(number))


def second(folder: Path) -> None:
    """Change a file of each kind: append, rewrite, delete, rename, add."""
    with (folder / "data" / "raw.csv").open("a") as rows:
        rows.write("2016/01/01,0.0,11.1,2.2,3.0,sun\n")
    (folder / "data" / "tables" / "cars.json").write_text("[]\n")
    images = folder / "images"
    (images / "000.pgm").unlink()
    (images / "001.pgm").rename(images / "first.pgm")
    (images / f"{IMAGES:03}.pgm").write_bytes(picture(IMAGES))


if __name__ == "__main__":
    {"first": first, "second": second}[sys.argv[1]](Path(sys.argv[2]))
