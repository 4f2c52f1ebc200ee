"""Files of pipelines, each made wrong at random: an answer, always, and nobody's bytes touched."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import pytest

from tests.support import inside
from tests.support.ladder import tell
from tests.support.mutate import mutated
from tests.support.pipeline import Pipelines, copies
from tests.support.stranger import CLEAN

MUTATIONS = int(os.environ.get("MUTATIONS", "300")) // 5
LOOKS = (
    ("repro", "--dry-run"),
    ("repro", "--dry-run", "-P", "--allow-missing"),
    ("status",),
    ("status", "--json"),
    ("why", "second"),
    ("dag",),
    ("stage", "list", "--all", "--json"),
    ("params", "diff"),
    ("metrics", "show"),
    ("run-cache", "info"),
    ("freeze", "first"),
    ("stage", "remove", "second"),
)
"""What runs no command of a stage file that was made wrong."""
RUNS = (
    ("repro",),
    ("repro", "-f", "-j2"),
    ("repro", "--no-run-cache", "-k"),
    ("commit", "--force"),
    ("checkout",),
    ("checkout", "--force"),
    ("gc", "-w", "--force"),
    ("push", "--run-cache"),
    ("pull", "--run-cache"),
    *LOOKS[:-2],
)
MINE = {"in": b"one\n", "mine": b"only here\n", "sub/mine": b"only here\n"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a pipeline up to date but for its journal, and a remote."""
    base = tmp_path_factory.mktemp("template")
    work = Pipelines(base / "repo")
    work.lay({path: data for path, data in MINE.items()})
    work.lay({"params.yaml": "lr: 1\n", "plain": "p\n"})
    second = copies("second", ["mid", "plain"], "end", params=["lr"], metrics=["m.json"])
    second["cmd"] = f"{second['cmd']}; echo '{{\"a\": 1}}' > m.json"
    folder = {"cmd": "mkdir -p d; cp in d/a", "deps": ["in"], "outs": ["d"]}
    work.define({"first": copies("first", ["in"], "mid"), "second": second, "folder": folder})
    work.remote(base / "remote")
    work.repro()
    work.commit("one")
    work.do("push", "--run-cache")
    journals = base / "repo/.datavc/state"
    assert journals.is_dir()
    return base


def copied(template: Path, folder: Path) -> Path:
    """Return a copy of the project, whose remote is a copy as well."""
    shutil.copytree(template, folder / "world", symlinks=True)
    root = folder / "world/repo"
    local = root / ".datavc/config.local.toml"
    local.write_text(local.read_text().replace(str(template), str(folder / "world")))
    return root


def some_file(folder: Path, drawn: random.Random) -> Path | None:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return drawn.choice(found) if found else None


def spoil(root: Path, what: str, drawn: random.Random) -> None:
    """Make one file wrong, of the kind `what`."""
    places = {
        "lock": root / "datavc.lock",
        "stage file": root / "datavc.yaml",
        "parameters": root / "params.yaml",
        "runs": some_file(root / ".datavc/cache/runs", drawn),
        "remote runs": some_file(root.parent / "remote/runs", drawn),
        "state": some_file(root / ".datavc/state", drawn),
    }
    path = places[what]
    assert path is not None
    path.chmod(0o644)
    path.write_bytes(mutated(path.read_bytes(), drawn))


KINDS = ("lock", "stage file", "parameters", "runs", "remote runs", "state")


@pytest.mark.timeout(600 + MUTATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_mutated_file_never_ends_in_a_bug(template: Path, tmp_path: Path, kind: str):
    for seed in range(MUTATIONS // len(KINDS)):
        drawn = random.Random(f"{kind} {seed}")
        root = copied(template, tmp_path)
        spoil(root, kind, drawn)
        if kind != "lock" and drawn.random() < 0.5:
            (root / "datavc.lock").unlink()
        for command in drawn.sample(LOOKS if kind == "stage file" else RUNS, 3):
            done = inside.run(root, *command)
            assert done.code in CLEAN, (kind, seed, command, done)
            assert "Traceback" not in done.stderr, (kind, seed, command, done)
        assert {path: (root / path).read_bytes() for path in MINE} == MINE, (kind, seed)
        assert set(os.listdir(root.parent)) <= {"repo", "remote"}, (kind, seed)
        shutil.rmtree(root.parent)
        tell()


@pytest.fixture
def work(template: Path, tmp_path: Path) -> Pipelines:
    return Pipelines(copied(template, tmp_path), fresh=False)


def test_a_lock_that_claims_a_users_file_does_not_get_it(work: Pipelines):
    lock = json.loads(work.read("datavc.lock"))
    for path in ("mine", "sub", "in", "datavc.yaml", "params.yaml"):
        stage = json.loads(json.dumps(lock["stages"]["first"]))
        stage["outs"][0]["path"] = path
        work.write("datavc.lock", json.dumps({**lock, "stages": {**lock["stages"], "x": stage}}))
        for command in (("checkout",), ("status",), ("repro",), ("gc", "-w", "--force")):
            done = inside.run(work.root, *command)
            assert done.code in CLEAN, (path, command, done)
        assert {path: work.read(path) for path in MINE} == MINE
        assert work.read("params.yaml") == b"lr: 1\n"


def test_a_remote_entry_of_other_inputs_is_not_taken(work: Pipelines):
    """Somebody who can write to the remote puts one result under the key of another."""
    remote = work.root.parent / "remote/runs"
    entries = [path for path in remote.rglob("*") if path.is_file()]
    texts = [path.read_bytes() for path in entries]
    for path, text in zip(entries, texts[1:] + texts[:1], strict=True):
        path.chmod(0o644)
        path.write_bytes(text)
    shutil.rmtree(work.root / ".datavc/cache/runs")
    work.remove("datavc.lock", "mid", "end")

    found = work.repro()

    assert found.ran == ["first", "second"]
    assert work.read("end") == b"one\np\n"


def test_a_remote_entry_never_leads_out_of_the_project(work: Pipelines):
    remote = work.root.parent / "remote/runs"
    for path in [path for path in remote.rglob("*") if path.is_file()]:
        path.chmod(0o644)
        path.write_bytes(path.read_bytes().replace(b'"path": "', b'"path": "../../'))
    shutil.rmtree(work.root / ".datavc/cache/runs")
    work.remove("datavc.lock", "mid", "end")

    found = work.repro()

    assert found.ran == ["first", "second"]
    assert set(os.listdir(work.root.parent)) == {"repo", "remote"}
