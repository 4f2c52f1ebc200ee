"""Says how many stage files DVC and datavc resolve alike; see `scripts/compare_stages`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from datavc.core.errors import DatavcError, PathError
from datavc.core.paths import RepoPath
from datavc.core.stage import Out, Stage
from datavc.pipeline.expand import expand

DUMP = Path(__file__).with_name("compare_dvc.py")
Stages = dict[str, Any]


class FolderFiles:
    """The files of a project in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: RepoPath) -> bytes | None:
        try:
            return (self._folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise PathError(f"{path}: {error.strerror}") from error

    def stage_files(self) -> list[RepoPath]:
        found = (file.relative_to(self._folder) for file in self._folder.rglob("dvc.yaml"))
        return sorted(RepoPath(str(file)) for file in found)


def described(stage: Stage) -> Stages:
    """Return a stage in the words of compare_dvc.py."""
    return {
        "cmd": list(stage.cmd),
        "wdir": stage.wdir,
        "deps": sorted(stage.deps),
        "params": {dep.file: list(dep.keys) for dep in stage.params},
        "outs": {out.path: output(out) for out in stage.outs},
        "frozen": stage.frozen,
        "always_changed": stage.always_changed,
        "desc": stage.desc,
        "meta": dict(stage.meta),
        "used": {dep.file: list(dep.keys) for dep in stage.used},
    }


def output(out: Out) -> Stages:
    plots = [plot for plot in out.plots[:1] if out.kind == "plot"]
    drawn = {key: held for plot in plots for key, held in plot._asdict().items()}
    return {
        "kind": out.kind,
        "cache": out.cache,
        "persist": out.persist,
        "push": out.push,
        "remote": out.remote,
        "desc": out.desc,
        "type": out.type,
        "labels": list(out.labels),
        "meta": dict(out.meta),
        **{key: held for key, held in drawn.items() if held is not None and held is not True},
    }


def resolved(project: Path) -> Stages:
    """Return file → stages of one project, or the error of the file."""
    files = FolderFiles(project)
    found: Stages = {}
    for path in files.stage_files():
        try:
            made = expand(path, files.read(path) or b"", files).stages
            for stage in made:
                (project / stage.wdir).mkdir(parents=True, exist_ok=True)  # DVC wants it there
            found[path] = {stage.name: described(stage) for stage in made}
        except DatavcError as error:
            found[path] = {"error": error.message}
    return found


def differences(theirs: Stages, ours: Stages) -> list[str]:
    """Return what differs between two answers for one file, one line each."""
    if "error" in theirs or "error" in ours:
        if "error" in theirs and "error" in ours:
            return []
        return [f"DVC: {theirs.get('error', 'reads it')}; datavc: {ours.get('error', 'reads it')}"]
    found = [f"{name}: only {who}" for who, names in only(theirs, ours) for name in names]
    if list(theirs) != list(ours) and not found:
        found.append("the order of the stages")
    for name in theirs.keys() & ours.keys():
        found += [
            f"{name}.{key}: DVC {theirs[name][key]!r}; datavc {ours[name][key]!r}"
            for key in theirs[name]
            if theirs[name][key] != ours[name][key]
        ]
    return found


def only(theirs: Stages, ours: Stages) -> list[tuple[str, list[str]]]:
    return [("DVC", sorted(theirs.keys() - ours)), ("datavc", sorted(ours.keys() - theirs))]


def main() -> None:
    python, folder = sys.argv[1], Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as scratch:
        copies = Path(scratch).resolve() / "projects"
        shutil.copytree(folder, copies, ignore=shutil.ignore_patterns(".git", ".dvc"))
        projects = sorted(project for project in copies.iterdir() if project.is_dir())
        ours = {project.name: resolved(project) for project in projects}
        done = subprocess.run([python, DUMP, copies], check=True, stdout=subprocess.PIPE)
        theirs = json.loads(done.stdout)
    agree = refused = total = 0
    for project, files in ours.items():
        for file, stages in files.items():
            total += 1
            dvc = theirs[project][file]
            found = differences(dvc, json.loads(json.dumps(stages)))
            agree += not found
            refused += not found and "error" in stages
            for line in found:
                print(f"{project}/{file}: {line}")
    print(f"{agree} of {total} stage files agree, {refused} of them refused by both")
    sys.exit(agree < total)


if __name__ == "__main__":
    main()
