"""Thirty stages: files and folders, a fan and a chain; each writes its output in two halves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from datavc.core.paths import RepoPath
from datavc.formats import lockfile
from datavc.repo.layout import Layout
from datavc.repo.lock_journal import LockJournal
from tests.support import soundness
from tests.support.repo import RepoBuilder

COUNT = 30
LOCK = RepoPath("datavc.lock")


def needs(number: int) -> list[str]:
    """Return what a stage reads: the input, or outputs of stages before it."""
    if number % 5 == 0:
        return ["in"]
    return [path(number - 1)] if number % 3 else [path(number - 1), path(number // 2)]


def path(number: int) -> str:
    """Return the output of a stage; every third is a folder."""
    return f"out/{number}" if number % 3 else f"dir/{number}"


def lay(repo: RepoBuilder, text: str = "one") -> None:
    """Write the input and the stage file."""
    repo.write("in", text)
    for folder in ("out", "dir"):
        repo.write(f"{folder}/about", "")
    stages = {f"s{number}": _stage(number) for number in range(COUNT)}
    repo.write("datavc.yaml", json.dumps({"stages": stages}))


def _stage(number: int) -> dict[str, object]:
    out = path(number)
    read = " ".join(f"$(cat {_file(dep)})" for dep in needs(number))
    into, first = (
        (out, "") if number % 3 else (f"{out}/b", f"mkdir {out}; echo a{number} > {out}/a; ")
    )
    cmd = (
        f"{first}printf '%s' '{number}(' > {into}; sleep 0.005; printf '%s' \"{read})\" >> {into}"
    )
    return {"cmd": cmd, "deps": needs(number), "outs": [out]}


def _file(dep: str) -> str:
    return f"{dep}/b" if dep.startswith("dir/") else dep


def expected(text: str = "one") -> dict[str, bytes]:
    """Return what all outputs hold at the end, by the path of the file."""
    found: dict[str, str] = {"in": text}
    files = {}
    for number in range(COUNT):
        said = f"{number}(" + " ".join(found[dep] for dep in needs(number)) + ")"
        out = path(number)
        found[out] = said
        files[_file(out)] = said.encode()
        if out.startswith("dir/"):
            files[f"{out}/a"] = f"a{number}\n".encode()
    return files


def made(repo: RepoBuilder) -> dict[str, bytes]:
    """Return what the outputs hold now."""
    found = {
        f"{top}/{path}": data for top in ("out", "dir") for path, data in repo.tree(top).items()
    }
    return {
        path: data for path, data in found.items() if not path.endswith(("about", ".gitignore"))
    }


def recorded(repo: RepoBuilder) -> Iterator[tuple[str, str]]:
    """Yield path and digest of each file that the lock, or its journal, names as made.

    Every object on the way must be there.
    """
    file = repo.root / LOCK
    data = file.read_bytes() if file.exists() else None
    journal = LockJournal(Layout(str(repo.root)).lock_journals)
    lock = {} if data is None else lockfile.parse(data, LOCK)
    have = soundness.objects(repo.root / ".datavc/cache")
    for entry in (lock | journal.entries(LOCK, data)).values():
        for out in entry.outs:
            if out.kind == "file":
                assert out.digest in have
                yield out.path, out.digest
            else:
                for name, digest in soundness.listed(out.digest, have):
                    assert digest in have
                    yield f"{out.path}/{name}", digest


def wrongly_recorded(repo: RepoBuilder, *texts: str) -> list[str]:
    """Return the files that are recorded as something that no whole run made of these inputs."""
    good: dict[str, set[str]] = {}
    for text in texts:
        for file, data in expected(text).items():
            good.setdefault(file, set()).add(soundness.name_of(data))
    return [file for file, digest in recorded(repo) if digest not in good[file]]


def absent_results(repo: RepoBuilder) -> list[str]:
    """Return the entries of the run cache whose objects are not there, read from outside."""
    have = soundness.objects(repo.root / ".datavc/cache")
    runs = Path(repo.root, ".datavc/cache/runs")
    lacking = []
    for file in runs.rglob("*") if runs.is_dir() else ():
        if file.is_file() and len(file.name) == 62:
            (stage,) = json.loads(file.read_bytes())["lock"]["stages"].values()
            lacking += [out["path"] for out in stage["outs"] if out["digest"] not in have]
    return lacking
