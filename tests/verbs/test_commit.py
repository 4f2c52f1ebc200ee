"""commit: what lies there now is recorded, and only what it was pointed at."""

from __future__ import annotations

import json

import pytest

from datavc.core.errors import DatavcError, PathError
from datavc.verbs.commit import CommitOptions, CommitResult, commit
from tests.support.repo import RepoBuilder
from tests.support.work import Work

FORCE = CommitOptions(force=True)


def record(work: Work, *targets: str, **options: object) -> CommitResult:
    settings = {"force": True} | options
    return commit(work.repo(), targets, CommitOptions(**settings))  # type: ignore[arg-type]


@pytest.fixture
def changed(work: Work) -> Work:
    """Return a project in which two files of a directory, and a file, were edited."""
    work.write("d/one", "1")
    work.write("d/two", "2")
    work.write("x.csv", "x")
    work.add("d", "x.csv")
    work.write("d/one", "one")
    work.write("d/two", "two")
    work.write("x.csv", "changed")
    return work


def test_everything_that_changed_is_recorded(changed: Work) -> None:
    result = record(changed)

    assert [out.path for out in result.outputs] == ["d", "x.csv"]
    assert result.outputs[0].count("modified") == 2
    assert "uncommitted" not in changed.status()
    assert not record(changed).outputs


def test_a_path_inside_a_directory_leaves_the_rest_of_it(changed: Work) -> None:
    record(changed, "d/one")

    found = changed.status(granular=True)["uncommitted"]
    assert found == {"modified": ["d/", "d/two", "x.csv"]}


def test_a_pattern_inside_a_directory_means_what_changed_of_it(changed: Work) -> None:
    record(changed, "d/t*")

    assert changed.status(granular=True)["uncommitted"] == {"modified": ["d/", "d/one", "x.csv"]}


def test_nothing_new_is_tracked(changed: Work) -> None:
    changed.write("stray.csv", "s")

    with pytest.raises(PathError, match="stray.csv is not tracked"):
        record(changed, "stray.csv")
    with pytest.raises(PathError, match="d/thre names nothing in d"):
        record(changed, "d/thre")


def test_each_changed_output_is_asked_about_once(changed: Work) -> None:
    asked = []

    def ask(found: object) -> bool:
        asked.append(found.path)  # type: ignore[attr-defined]
        return found.path == "d"  # type: ignore[attr-defined]

    result = record(changed, force=False, ask=ask)

    assert asked == ["d", "x.csv"]
    assert [out.path for out in result.outputs] == ["d"]
    assert result.skipped == 1
    assert changed.status()["uncommitted"] == {"modified": ["x.csv"]}


def test_where_nobody_can_be_asked_nothing_is_recorded(changed: Work) -> None:
    before = changed.status()

    with pytest.raises(DatavcError, match="d and 1 more changed") as caught:
        record(changed, force=False)

    assert caught.value.exit_code == 1 and "--force" in caught.value.hint
    assert changed.status() == before


def test_a_dry_run_counts_and_writes_nothing(changed: Work) -> None:
    before = changed.read("d.datavc")

    result = record(changed, force=False, dry_run=True)

    assert [out.count("modified") for out in result.outputs] == [2, 1]
    assert changed.read("d.datavc") == before


def test_a_deleted_file_is_recorded_and_one_never_fetched_is_kept(changed: Work) -> None:
    record(changed)
    repo = changed.repo()
    known = repo.placed.get("d")  # type: ignore[arg-type]
    assert known is not None
    repo.placed.put("d", known._replace(paths=frozenset({"one"})))  # type: ignore[arg-type]
    (changed.root / "d/two").unlink()

    assert not record(changed).outputs
    (changed.root / "d/one").write_text("again")
    result = record(changed)
    assert result.not_fetched == 1
    assert b"files: 2" in changed.read("d.datavc")

    result = record(changed, prune=True)
    assert result.outputs[0].count("deleted") == 1
    assert b"files: 1" in changed.read("d.datavc")


def test_data_that_is_gone_altogether_is_no_change_to_record(changed: Work) -> None:
    (changed.root / "x.csv").unlink()

    with pytest.raises(PathError, match="x.csv is not in the workspace"):
        record(changed, "x.csv")
    assert any("x.csv" in warning for warning in record(changed).warnings)
    assert changed.read("x.csv.datavc")


def test_the_command_needs_force_without_a_terminal(repo: RepoBuilder) -> None:
    repo.write("x.csv", "x")
    repo.run("add", "x.csv")
    assert "Nothing changed" in repo.run("commit").stdout
    repo.write("x.csv", "y")

    refused = repo.run("commit", check=False)
    done = json.loads(repo.run("commit", "-f", "--json").stdout)

    assert refused.code == 1
    assert "modified: x.csv" in refused.stderr and "--force" in refused.stderr
    assert done["files"] == 1 and done["outputs"][0]["modified"] == 1
