"""One parser under atheris: `fuzz_parser.py NAME SECONDS`; `--list` prints the names.

Needs atheris and the top of the repository on PYTHONPATH. The corpus begins with the parser's good
input, and grows in .fuzz/NAME; an input that ends in anything but an answer is left there too.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["datavc", "tests.support"]):
    from tests.support.parsers import PARSERS, try_parse

LONGEST = 4096
"""Bytes of an input."""
LIMIT_S = 10
"""Seconds after which an input counts as one that hangs."""
MEMORY_MIB = 1024


def main() -> None:
    """Fuzz, until the time is over or something is found."""
    if sys.argv[1:] == ["--list"]:
        print(" ".join(name.replace(" ", "_") for name in PARSERS))
        return
    name, seconds = sys.argv[1].replace("_", " "), int(sys.argv[2])
    folder = Path(".fuzz", sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(PARSERS[name].seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    warnings.simplefilter("ignore")
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        f"-timeout={LIMIT_S}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    print(f"{name}: {seconds} s")
    atheris.Setup([sys.argv[0], *options, str(folder)], lambda data: try_parse(name, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
