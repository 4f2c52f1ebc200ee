"""Pipelines for tests: projects with cheap stages that note each time they really ran."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from datavc.core.lock import Lock
from datavc.core.paths import RepoPath
from datavc.formats import lockfile
from tests.support import inside
from tests.support.repo import Completed
from tests.support.work import Work

NOTES = "ran.log"
"""Where stages of `copies` note that they ran; it is no output of any."""

Definition = Mapping[str, object]


def noting(name: str, command: str) -> str:
    """Return a command that first notes that the stage `name` runs."""
    return f'echo "{name}" >> "$DATAVC_ROOT/{NOTES}"; {command}'


def copies(name: str, deps: Iterable[str], out: str, **more: object) -> dict[str, object]:
    """Return a stage that writes its dependencies, one after the other, to `out`."""
    deps = list(deps)
    cmd = noting(name, f"cat {' '.join(deps) or '/dev/null'} > {out}")
    return {"cmd": cmd, "deps": deps, "outs": [out], **more}


class Ran(NamedTuple):
    """What a run of stages did: outcomes by stage, which commands really ran, in order."""

    stages: dict[str, dict[str, object]]
    ran: list[str]
    done: Completed

    @property
    def actions(self) -> dict[str, str]:
        """What was done with each stage: run, restore or skip; its state, where it is not done."""
        return {
            name: str(one["action"] if one["state"] == "done" else one["state"])
            for name, one in self.stages.items()
        }

    @property
    def reasons(self) -> dict[str, object]:
        """Why, by stage."""
        return {name: one["reason"] for name, one in self.stages.items()}


class Pipelines(Work):
    """A project with stages; each command runs in this process, its stages in their own."""

    def define(self, stages: Mapping[str, Definition], folder: str = "", **top: object) -> None:
        """Write the stage file of a folder."""
        path = f"{folder}/datavc.yaml" if folder else "datavc.yaml"
        self.write(path, json.dumps({"stages": stages, **top}, indent=1))

    def do(self, *arguments: str, code: int = 0, here: str = "") -> Completed:
        """Run `datavc ARGUMENTS`, which must exit with `code`, never with a traceback."""
        done = inside.run(self.root / here, *arguments)
        assert done.code == code, done
        assert "Traceback" not in done.stderr, done
        return done

    def repro(self, *arguments: str, code: int = 0, here: str = "") -> Ran:
        """Run `datavc repro`."""
        notes = self.root / NOTES
        before = notes.read_text() if notes.exists() else ""
        done = self.do("repro", "--json", *arguments, code=code, here=here)
        said = json.loads(done.stdout) if done.stdout else {}
        stages = {one["name"]: one for one in said.get("stages", ())}
        after = notes.read_text() if notes.exists() else ""
        return Ran(stages, after[len(before) :].split(), done)

    def refused(self, *arguments: str, code: int = 1) -> str:
        """Run `datavc repro`, which must refuse before anything is touched; return its error."""
        before = self._state()
        ran = self.repro(*arguments, code=code)
        assert ran.ran == []
        assert not ran.stages
        assert self._state() == before
        return ran.done.stderr

    def lock(self, folder: str = "") -> Lock:
        """Return what the lock of a folder says."""
        path = f"{folder}/datavc.lock" if folder else "datavc.lock"
        file = self.root / path
        return lockfile.parse(file.read_bytes(), RepoPath(path)) if file.exists() else {}

    def _state(self) -> dict[str, bytes]:
        ignored = Path(self.root, ".git/info/exclude").read_bytes()
        return {**self.tree(), "exclude": ignored}
