"""Prints as JSON what DVC makes of the stage files of projects; runs under DVC's own Python.

One argument, a folder of projects that are thrown away afterwards. Output: project → file → name →
stage, or the class and text of the error.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path

from dvc.dvcfile import load_file
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.stage import Stage

PLOT_KEYS = ("template", "x", "y", "x_label", "y_label", "title", "header")


def commands(cmd: object) -> list[str]:
    """Return the commands as DVC runs them: the items of a list, or the lines of a text."""
    listed = cmd if isinstance(cmd, list) else str(cmd).splitlines()
    return [str(line).strip() for line in listed if str(line).strip()]


def noted(meta: object) -> object:
    """Return notes as datavc keeps them: a map."""
    return meta if isinstance(meta, dict) else {} if meta is None else {"note": meta}


def described(stage: Stage, root: str) -> dict[str, object]:
    """Return a stage as plain values, its paths seen from the project's root."""

    def below(path: str) -> str:
        return os.path.relpath(path, root)

    params = {below(dep.fs_path): sorted(set(dep.params)) for dep in stage.params}
    outs = {}
    for out in stage.outs:
        plot = out.plot if isinstance(out.plot, dict) else {}
        outs[below(out.fs_path)] = {
            "kind": "plot" if out.plot else "metric" if out.metric else "out",
            "cache": out.use_cache,
            "persist": out.persist,
            "push": out.can_push,
            "remote": out.remote,
            "desc": out.annot.desc,
            "type": out.annot.type,
            "labels": list(out.annot.labels or ()),
            "meta": noted(out.annot.meta),
            **{key: plot[key] for key in PLOT_KEYS if plot.get(key, True) is not True},
        }
    return {
        "cmd": commands(stage.cmd),
        "wdir": "" if stage.wdir == root else below(stage.wdir),
        "deps": sorted({below(dep.fs_path) for dep in stage.deps if dep not in stage.params}),
        "params": params,
        "outs": outs,
        "frozen": bool(stage.frozen),
        "always_changed": bool(stage.always_changed),
        "desc": stage.desc,
        "meta": noted(stage.meta),
        "used": {file: sorted(keys) for file, keys in stage.tracked_vars.items() if keys},
    }


def resolved(project: Path) -> dict[str, object]:
    """Return file → stages of one project, or the error of the file."""
    os.chdir(project)
    repo = Repo.init(no_scm=True, force=True)
    found: dict[str, object] = {}
    for file in sorted(project.rglob("dvc.yaml")):
        name = str(file.relative_to(project))
        try:
            stages = load_file(repo, str(file)).stages
            found[name] = {key: described(stages[key], str(project)) for key in stages}
        except (DvcException, ValueError, TypeError, AttributeError) as error:
            found[name] = {"error": f"{type(error).__name__}: {error}"[:300]}
    repo.close()
    return found


def main() -> None:
    """Answer for all projects of the folder."""
    logging.disable()
    top = Path(sys.argv[1]).resolve()
    answer, sys.stdout = sys.stdout, sys.stderr
    found = {folder.name: resolved(folder) for folder in sorted(top.iterdir()) if folder.is_dir()}
    json.dump(found, answer, default=str)


if __name__ == "__main__":
    main()
