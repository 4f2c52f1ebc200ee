"""The story of a pipeline, as a user lives it: alone, with a colleague, and coming from DVC."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import blake3
import pytest

from tests.support.repo import RepoBuilder

README = Path(__file__).parents[2] / "README.md"
ROWS = "".join(f"{number}\n" for number in range(1, 100_001))


def readme_stages() -> str:
    """Return the stage file that the README shows."""
    block = re.search(r"^    stages:\n(?:    .+\n)+", README.read_text(), re.MULTILINE)
    assert block is not None
    return re.sub(r"^    ", "", block[0], flags=re.MULTILINE)


@pytest.fixture
def pipeline(repo: RepoBuilder) -> RepoBuilder:
    """Return a repository with the README's pipeline, run once and committed."""
    repo.write("data/raw.csv", ROWS)
    repo.run("add", "data/raw.csv")
    repo.write("datavc.yaml", readme_stages())
    repo.write("params.yaml", "every: 1000\n")
    repo.run("repro")
    repo.commit("a pipeline")
    return repo


def actions(repo: RepoBuilder, *options: str) -> dict[str, str]:
    """Return by stage what `datavc repro` did."""
    found = json.loads(repo.run("repro", "--json", *options).stdout)
    return {
        stage["name"]: "run cache" if stage["from_cache"] else stage["action"]
        for stage in found["stages"]
    }


def test_a_changed_parameter_runs_what_depends_on_it_and_shows_in_the_metrics(
    pipeline: RepoBuilder,
) -> None:
    pipeline.write("params.yaml", "every: 10\n")

    plan = pipeline.run("repro", "--dry-run").stdout
    reasons = pipeline.run("why", "sample").stdout
    done = actions(pipeline)
    metrics = pipeline.run("metrics", "diff").stdout

    assert "params.yaml:every 1000 → 10" in plan
    assert "params.yaml:every 1000 → 10" in reasons
    assert done == {"sample": "run", "mean": "run"}
    assert re.search(r"mean +50500 +50005 +-495", metrics)
    assert actions(pipeline) == {"sample": "skip", "mean": "skip"}


def test_what_a_change_does_not_reach_stays(pipeline: RepoBuilder) -> None:
    stages = pipeline.read("datavc.yaml").decode()
    pipeline.write("datavc.yaml", stages.replace("mean = ", "average = "))

    assert actions(pipeline) == {"sample": "skip", "mean": "run"}


def test_results_come_back_with_git_and_old_values_with_the_run_cache(
    pipeline: RepoBuilder,
) -> None:
    pipeline.write("params.yaml", "every: 10\n")
    pipeline.run("repro")
    pipeline.commit("every tenth")

    pipeline.git("checkout", "--quiet", "HEAD~1")

    assert pipeline.read("data/sample.csv").count(b"\n") == 100
    assert actions(pipeline) == {"sample": "skip", "mean": "skip"}
    pipeline.git("checkout", "--quiet", "main")
    pipeline.write("params.yaml", "every: 1000\n")
    assert actions(pipeline) == {"sample": "run cache", "mean": "run cache"}


def test_a_colleague_gets_results_without_running_anything(
    pipeline: RepoBuilder, tmp_path: Path
) -> None:
    pipeline.run("remote", "add", "-d", "storage", str(tmp_path / "storage"))
    pipeline.commit("where the data is")
    pipeline.write("params.yaml", "every: 10\n")
    pipeline.run("repro")
    pipeline.git("checkout", "--quiet", ".")
    pipeline.run("push", "--run-cache")

    clone = pipeline.clone(tmp_path / "clone")
    clone.run("install")
    clone.run("pull")
    as_committed = actions(clone)
    clone.write("params.yaml", "every: 10\n")

    assert as_committed == {"sample": "skip", "mean": "skip"}
    assert actions(clone) == {"sample": "run cache", "mean": "run cache"}
    assert clone.read("mean.toml") == b"mean = 50005\n"


def test_what_ran_before_the_change_to_datavc_is_taken_as_it_lies_there(repo: RepoBuilder) -> None:
    repo.write(".gitignore", "/sample\n")
    repo.write("raw", ROWS)
    repo.write("dvc.yaml", "stages:\n  s: {cmd: head raw > sample, deps: [raw], outs: [sample]}\n")
    repo.write("sample", "made by hand\n")
    repo.commit("with DVC")

    repo.git("mv", "dvc.yaml", "datavc.yaml")
    repo.run("commit", "--force")

    assert actions(repo) == {"s": "skip"}
    assert repo.read("sample") == b"made by hand\n"


def documented_key(entry: Mapping[str, object]) -> str:
    """Return the key of a run as docs/formats/run.md says, with nothing of datavc's."""
    cmd, deps, outs = entry["cmd"], entry["deps"], entry["outs"]
    asked = {
        "cmd": cmd if isinstance(cmd, list) else [cmd],
        "deps": sorted([dep["path"], dep["digest"]] for dep in deps),
        "env": entry["env"],
        "outs": sorted(out["path"] for out in outs),
        "params": entry["params"],
        "wdir": "" if entry["wdir"] == "." else entry["wdir"],
    }
    text = json.dumps(asked, sort_keys=True, ensure_ascii=False)
    return blake3.blake3(text.encode()).hexdigest()


def test_runs_lie_under_the_keys_that_their_page_explains(pipeline: RepoBuilder) -> None:
    runs = pipeline.root / ".datavc" / "cache" / "runs"
    files = [file for file in runs.rglob("*") if file.is_file()]

    found = {file: json.loads(file.read_text()) for file in files}

    assert len(found) == 2
    for file, run in found.items():
        (entry,) = run["lock"]["stages"].values()
        assert file.parent.name + file.name == documented_key(entry)
