"""What a confined stage may use without declaring it: the system, and the programs on PATH.

Not the home folder, and not /tmp: what lies there differs between two machines. A home's
interpreters (a virtual environment, pyenv, conda) are found through PATH and its variables.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping

_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/run"),
    *("/sys", "/nix", "/gnu", "/snap", "/var/cache/fontconfig"),
)
_DEVICES = ("/dev", "/proc")
"""Written too: null, random numbers, terminals, shared memory, graphics cards, `/dev/stdout`."""

_TOOLCHAINS = (
    *("VIRTUAL_ENV", "CONDA_PREFIX", "PYENV_ROOT", "ASDF_DATA_DIR", "NVM_DIR", "JAVA_HOME"),
    *(
        "CUDA_HOME",
        "CUDA_PATH",
        "R_HOME",
        "R_LIBS_USER",
        "RUSTUP_HOME",
        "GOROOT",
        "JULIA_DEPOT_PATH",
    ),
)
"""Variables that name the folder of installed programs or libraries."""
_SEARCHED = ("PYTHONPATH", "LD_LIBRARY_PATH", "R_LIBS", "PERL5LIB", "NODE_PATH")
"""Variables that list folders of libraries; those inside the project are its own code."""


def readable(root: str, environment: Mapping[str, str]) -> list[str]:
    """Return the paths that may be read, none of which contains the project at `root`."""
    paths = [
        *_SYSTEM,
        sys.prefix,
        sys.base_prefix,
        sys.exec_prefix,
        os.path.dirname(sys.executable),
    ]
    for entry in environment.get("PATH", "").split(os.pathsep):
        paths += _programs(entry, root)
    paths += [environment[name] for name in _TOOLCHAINS if environment.get(name)]
    for name in _SEARCHED:
        entries = environment.get(name, "").split(os.pathsep)
        paths += [entry for entry in entries if not _is_below(entry, root)]
    paths.append(os.path.expanduser("~/.local/lib"))
    absolute = [path for path in paths if os.path.isabs(path) and os.path.exists(path)]
    both = dict.fromkeys([*absolute, *map(os.path.realpath, absolute)])
    return sorted(set(_without(both, os.path.realpath(root))))


def devices() -> tuple[str, ...]:
    """Return the paths of the system that must also be written."""
    return _DEVICES


def _programs(entry: str, root: str) -> Iterator[str]:
    """A folder of PATH, and what its programs need: the environment that they belong to."""
    if not os.path.isabs(entry):
        return
    prefix = os.path.dirname(entry.rstrip("/"))
    marks = (os.path.join(prefix, mark) for mark in ("pyvenv.cfg", "conda-meta"))
    if any(map(os.path.exists, marks)):
        yield prefix
        yield from _base(os.path.join(prefix, "pyvenv.cfg"))
    elif not _is_below(entry, root):
        yield entry
        for name in ("python", "python3"):  # a link into an installation elsewhere
            program = os.path.realpath(os.path.join(entry, name))
            if os.path.dirname(program).endswith("/bin") and os.access(program, os.X_OK):
                yield os.path.dirname(os.path.dirname(program))
        if os.path.basename(entry.rstrip("/")) == "shims":  # pyenv's and asdf's way
            yield prefix


def _base(config: str) -> Iterator[str]:
    """The installation that a virtual environment was made from (PEP 405)."""
    try:
        with open(config, encoding="utf-8") as stream:
            lines = stream.read().splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        key, _, value = line.partition("=")
        if key.strip() == "home":
            yield os.path.dirname(os.path.realpath(value.strip()))


def _without(paths: Iterable[str], root: str) -> Iterator[str]:
    """Put in place of a path that contains the project what else lies in it."""
    for path in paths:
        if not _is_below(root, path):
            yield path
            continue
        try:
            inner = [os.path.join(path, name) for name in os.listdir(path)]
        except OSError:
            continue
        if path != root:
            yield from _without((each for each in inner if not os.path.islink(each)), root)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
