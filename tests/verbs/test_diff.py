import json

import pytest

from datavc.core.errors import DatavcError
from datavc.verbs.diff import DiffOptions, diff
from tests.support.repo import RepoBuilder
from tests.support.work import Work


@pytest.fixture
def two(work: Work) -> Work:
    """A project with tags v1 and v2."""
    work.version({"raw.csv": b"1", "images/a.png": b"a", "images/b.png": b"b"}, "v1")
    work.remove("images/b.png")
    work.version({"raw.csv": b"2", "images/a.png": b"A", "images/c.png": b"c"}, "v2")
    return work


def paths(found) -> dict[str, list]:
    return {kind: [entry["path"] for entry in entries] for kind, entries in found.items()}


def test_no_difference_at_all_is_an_empty_object(two: Work) -> None:
    assert two.diff() == {}
    assert two.diff("v2", "HEAD") == {}


def test_the_workspace_is_compared_with_head(two: Work) -> None:
    two.lay({"images/a.png": b"AA", "images/d.png": b"d"})
    two.remove("images/c.png")

    assert two.diff() == {
        "added": [{"path": "images/d.png"}],
        "deleted": [{"path": "images/c.png"}],
        "modified": [{"path": "images/"}, {"path": "images/a.png"}],
        "renamed": [],
        "not in cache": [],
    }


def test_two_revisions_are_compared_without_the_workspace(two: Work) -> None:
    two.write("raw.csv", b"3")

    assert two.diff("v1", "v2") == {
        "added": [{"path": "images/c.png"}],
        "deleted": [{"path": "images/b.png"}],
        "modified": [{"path": "images/"}, {"path": "images/a.png"}, {"path": "raw.csv"}],
        "renamed": [],
    }


def test_one_revision_is_compared_with_the_workspace(two: Work) -> None:
    assert paths(two.diff("v1"))["modified"] == ["images/", "images/a.png", "raw.csv"]


def test_a_renamed_file_and_a_renamed_directory(two: Work) -> None:
    (two.root / "images/a.png").rename(two.root / "images/z.png")
    assert two.diff()["renamed"] == [{"path": {"old": "images/a.png", "new": "images/z.png"}}]

    (two.root / "images/z.png").rename(two.root / "images/a.png")
    (two.root / "images").rename(two.root / "pics")
    two.remove("images.datavc")
    two.add("pics")
    found = two.diff()

    assert [entry["path"] for entry in found["renamed"]] == [
        {"old": "images/", "new": "pics/"},
        {"old": "images/a.png", "new": "pics/a.png"},
        {"old": "images/c.png", "new": "pics/c.png"},
    ]
    assert found["added"] == found["deleted"] == []


def test_digests_are_shown_on_request(two: Work) -> None:
    result = diff(two.repo(), DiffOptions("v1", "v2", show_hash=True))
    shown = result.to_json()

    assert shown["added"] == [{"path": "images/c.png", "hash": two.digest(b"c")}]
    assert {
        "path": "raw.csv",
        "hash": {"old": two.digest(b"1"), "new": two.digest(b"2")},
    } in shown["modified"]


def test_targets_narrow_it_down(two: Work) -> None:
    assert paths(two.diff("v1", "v2", "raw.csv")) == {
        "added": [],
        "deleted": [],
        "modified": ["raw.csv"],
        "renamed": [],
    }
    inside = paths(two.diff("v1", "v2", "images/a.png"))
    assert inside["modified"] == ["images/", "images/a.png"] and inside["added"] == []
    assert paths(two.diff("v1", "v2", "*.csv"))["modified"] == ["raw.csv"]
    assert paths(two.diff("v1", "v2", "images/*.png"))["added"] == ["images/c.png"]


def test_a_target_that_names_nothing_is_an_error(two: Work) -> None:
    for target in ("raw.cvs", "images/zzz"):
        with pytest.raises(DatavcError, match=target):
            two.diff("v1", "v2", target)


def test_a_revision_that_does_not_exist_is_an_error(two: Work) -> None:
    with pytest.raises(DatavcError, match="nowhere"):
        two.diff("nowhere")


def test_before_the_first_commit_all_is_added(work: Work) -> None:
    work.lay({"raw.csv": b"1", "images/a.png": b"a"})
    work.add("raw.csv", "images")

    assert paths(work.diff())["added"] == ["images/", "images/a.png", "raw.csv"]


def test_what_was_never_fetched_is_no_difference(two: Work, tmp_path) -> None:
    two.remote(tmp_path / "remote")
    two.push()
    clone = two.clone(tmp_path / "clone")

    fresh = clone.diff()
    assert {**fresh, "not in cache": []} == {
        kind: [] for kind in ("added", "deleted", "modified", "renamed", "not in cache")
    }
    assert paths(fresh)["not in cache"] == ["images/", "raw.csv"]
    clone.pull("images/a.png")
    found = clone.diff()
    assert found["deleted"] == found["modified"] == []
    clone.write("images/a.png", b"AA")
    assert paths(clone.diff())["modified"] == ["images/", "images/a.png"]
    assert clone.diff()["deleted"] == []


def test_a_list_of_files_that_is_gone_is_said(two: Work) -> None:
    two.write("images/a.png", b"AA")
    two.lose(two.pointed("images.datavc"))

    result = diff(two.repo(), DiffOptions())

    assert [entry.path for entry in result.modified] == ["images/"]
    assert any("images" in warning for warning in result.warnings)


def test_a_kind_that_changed_is_a_modification(two: Work) -> None:
    two.remove("images")
    two.write("images", b"a file now")

    found = paths(two.diff())

    assert "images/" in found["modified"] or "images" in found["modified"]
    assert found["deleted"] == ["images/a.png", "images/c.png"]


def test_an_executable_bit_is_a_modification(two: Work) -> None:
    (two.root / "images/a.png").chmod(0o755)

    assert paths(two.diff())["modified"] == ["images/", "images/a.png"]


def test_exit_codes_tables_and_json(two: Work) -> None:
    builder = RepoBuilder(two.root, init=False)
    assert builder.run("diff", "--exit-code").code == 0

    told = builder.run("diff", "v1", "v2", "--json", "--exit-code", check=False)
    table = builder.run("diff", "v1", "v2", "--md").stdout.splitlines()

    assert told.code == 7
    assert json.loads(told.stdout) == two.diff("v1", "v2")
    assert builder.run("diff", "v1", "v2").code == 0
    assert table[0] == "| Status   | Path         |"
    assert table[1] == "|----------|--------------|"
    assert "| added    | images/c.png |" in table
