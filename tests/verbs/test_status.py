import json

import pytest

from datavc.core.errors import DatavcError
from datavc.verbs.sync_options import SyncOptions
from tests.support.repo import RepoBuilder
from tests.support.work import Work

V1 = {"raw.csv": b"1,2\n", "images/a.png": b"a", "images/b.png": b"b"}


@pytest.fixture
def tracked(work: Work) -> Work:
    """A project with a file and a directory, committed as v1."""
    work.version(V1, "v1")
    return work


def test_nothing_to_report_is_an_empty_object(tracked: Work) -> None:
    assert tracked.status() == {}
    assert tracked.status(granular=True) == {}


def test_changes_of_the_workspace_are_uncommitted(tracked: Work) -> None:
    tracked.lay({"raw.csv": b"3", "images/a.png": b"A", "images/c.png": b"c"})
    tracked.remove("images/b.png")

    assert tracked.status() == {"uncommitted": {"modified": ["images/", "raw.csv"]}}
    assert tracked.status(granular=True) == {
        "uncommitted": {
            "added": ["images/c.png"],
            "modified": ["images/", "images/a.png", "raw.csv"],
            "deleted": ["images/b.png"],
        }
    }


def test_changes_of_pointers_are_committed_ones(tracked: Work) -> None:
    tracked.lay({"raw.csv": b"3", "images/a.png": b"A", "images/c.png": b"c"})
    tracked.remove("images/b.png")
    tracked.add("images")

    assert tracked.status(granular=True) == {
        "committed": {
            "added": ["images/c.png"],
            "modified": ["images/", "images/a.png"],
            "deleted": ["images/b.png"],
        },
        "uncommitted": {"modified": ["raw.csv"]},
    }


def test_a_renamed_file_is_told_with_both_names(tracked: Work) -> None:
    (tracked.root / "images/a.png").rename(tracked.root / "images/z.png")

    assert tracked.status(granular=True) == {
        "uncommitted": {
            "modified": ["images/"],
            "renamed": [{"old": "images/a.png", "new": "images/z.png"}],
        }
    }


def test_a_fresh_clone_is_not_fetched_and_nothing_is_called_deleted(
    tracked: Work, tmp_path
) -> None:
    clone = tracked.clone(tmp_path / "clone")

    expected = {"not_in_cache": ["images/", "raw.csv"], "not_fetched": ["images/", "raw.csv"]}
    assert clone.status() == expected
    assert clone.status(granular=True) == expected


def test_what_was_here_and_is_gone_is_deleted(tracked: Work) -> None:
    tracked.remove("raw.csv", "images")

    assert tracked.status(granular=True) == {
        "uncommitted": {"deleted": ["images/", "images/a.png", "images/b.png", "raw.csv"]}
    }


def test_deleted_and_never_fetched_are_told_apart_within_a_directory(
    tracked: Work, tmp_path
) -> None:
    tracked.remote(tmp_path / "remote")
    tracked.push()
    clone = tracked.clone(tmp_path / "clone")
    clone.pull("images/a.png")

    assert clone.status("images", granular=True) == {
        "not_in_cache": ["images/", "images/b.png"],
        "not_fetched": ["images/b.png"],
    }
    clone.remove("images/a.png")
    assert clone.status("images", granular=True) == {
        "not_in_cache": ["images/", "images/b.png"],
        "not_fetched": ["images/b.png"],
        "uncommitted": {"modified": ["images/"], "deleted": ["images/a.png"]},
    }
    clone.remove("images")
    assert clone.status("images", granular=True) == {
        "not_in_cache": ["images/", "images/b.png"],
        "not_fetched": ["images/b.png"],
        "uncommitted": {"deleted": ["images/", "images/a.png"]},
    }


def test_a_target_inside_a_directory_says_nothing_of_its_neighbours(
    tracked: Work, tmp_path
) -> None:
    tracked.remote(tmp_path / "remote")
    tracked.push()
    clone = tracked.clone(tmp_path / "clone")
    clone.pull("images/a.png")
    clone.write("images/a.png", b"A")

    assert clone.status("images/a.png", granular=True) == {
        "uncommitted": {"modified": ["images/", "images/a.png"]}
    }


def test_losing_the_local_state_errs_on_the_side_of_not_fetched(tracked: Work) -> None:
    tracked.remove("images/a.png", ".datavc/state")

    found = tracked.status("images", granular=True)

    assert found == {"not_fetched": ["images/a.png"]}


def test_objects_that_the_cache_lacks_are_named(tracked: Work) -> None:
    tracked.lose(tracked.digest(b"a"), tracked.digest(b"1,2\n"))

    assert tracked.status() == {"not_in_cache": ["images/", "raw.csv"]}
    assert tracked.status(granular=True) == {
        "not_in_cache": ["images/", "images/a.png", "raw.csv"]
    }


def test_without_a_remote_the_workspace_brings_lost_objects_back(tracked: Work) -> None:
    project = RepoBuilder(tracked.root, init=False)
    tracked.lose(tracked.digest(b"a"), tracked.digest(b"1,2\n"))

    assert "Not in the cache (`datavc fsck` takes back" in project.run("status").stdout
    project.run("fsck")
    assert tracked.status() == {}


def test_a_change_in_a_directory_whose_list_is_gone_is_unknown(tracked: Work) -> None:
    tracked.write("images/a.png", b"A")
    tracked.lose()

    found = tracked.status("images", granular=True)

    assert found == {"not_in_cache": ["images/"], "uncommitted": {"unknown": ["images/"]}}


def test_unchanged_outputs_are_listed_on_request(tracked: Work) -> None:
    tracked.write("raw.csv", b"3")

    found = tracked.status(unchanged=True)

    assert found["unchanged"] == ["images/"]


def test_untracked_files_are_known_to_neither(tracked: Work) -> None:
    tracked.lay({"stray.txt": b"", "notes/x": b"", "new.csv": b"9"})
    tracked.add("new.csv")

    found = tracked.status(untracked=True)

    assert found["untracked"] == ["notes/x", "stray.txt"]


def test_a_repository_without_commits_has_everything_to_commit(work: Work) -> None:
    work.lay(V1)
    work.add("raw.csv", "images")

    assert work.status(granular=True) == {
        "committed": {"added": ["images/", "images/a.png", "images/b.png", "raw.csv"]}
    }


def test_a_pointer_that_was_taken_away_is_a_committed_deletion(tracked: Work) -> None:
    tracked.remove("raw.csv.datavc")

    assert tracked.status()["committed"] == {"deleted": ["raw.csv"]}


def test_a_pointer_with_conflict_markers_is_named_and_stops_nothing(tracked: Work) -> None:
    text = tracked.read("raw.csv.datavc")
    tracked.write("raw.csv.datavc", b"<<<<<<< ours\n" + text + b"=======\n>>>>>>> theirs\n")
    tracked.write("images/a.png", b"A")

    assert tracked.status() == {"uncommitted": {"modified": ["images/"]}}
    assert any("raw.csv.datavc" in warning for warning in tracked.warnings())
    with pytest.raises(DatavcError, match=r"raw\.csv\.datavc"):
        tracked.status("raw.csv")


def test_data_that_git_tracks_too_is_warned_of(tracked: Work) -> None:
    tracked.git("add", "-f", "images/a.png")

    assert any("images/a.png" in line and "git rm" in line for line in tracked.warnings())


def test_a_revision_stands_in_for_the_last_commit(tracked: Work) -> None:
    tracked.version({"raw.csv": b"3"}, "v2")

    assert tracked.status() == {}
    assert tracked.status(rev="v1") == {"committed": {"modified": ["raw.csv"]}}


def test_an_executable_bit_is_a_change(tracked: Work) -> None:
    (tracked.root / "images/a.png").chmod(0o755)
    (tracked.root / "raw.csv").chmod(0o755)

    assert tracked.status(granular=True) == {
        "uncommitted": {"modified": ["images/", "images/a.png", "raw.csv"]}
    }


def test_a_directory_in_place_of_a_file_is_a_change_and_back(tracked: Work) -> None:
    tracked.remove("raw.csv", "images")
    tracked.lay({"raw.csv/x": b"1", "images": b"2"})

    assert tracked.status() == {"uncommitted": {"modified": ["images/", "raw.csv"]}}


def test_a_target_that_names_nothing_is_an_error(tracked: Work) -> None:
    for target in ("raw.cvs", "images/zzz"):
        with pytest.raises(DatavcError, match=target):
            tracked.status(target)


def test_the_cloud_is_asked_what_it_lacks(tracked: Work, tmp_path) -> None:
    remote = tracked.remote(tmp_path / "remote")

    assert tracked.status(cloud=True) == {"not_in_remote": ["images/", "raw.csv"]}
    tracked.push()
    assert tracked.status(cloud=True) == {}
    digest = tracked.digest(b"a")
    (remote / "objects" / digest.replace(":", "/")[:9] / digest[9:]).unlink()
    assert tracked.status(cloud=True) == {"not_in_remote": ["images/"]}
    assert tracked.status(cloud=True, granular=True) == {"not_in_remote": ["images/a.png"]}


def test_a_clone_without_data_learns_what_the_remote_has_lost(tracked: Work, tmp_path) -> None:
    remote = tracked.remote(tmp_path / "remote")
    tracked.push()
    clone = tracked.clone(tmp_path / "clone")

    assert "not_in_remote" not in clone.status(cloud=True)
    digest = tracked.digest(b"a")
    (remote / "objects" / digest.replace(":", "/")[:9] / digest[9:]).unlink()
    assert clone.status(cloud=True, granular=True)["not_in_remote"] == ["images/a.png"]


def test_the_cloud_answers_for_a_revision(tracked: Work, tmp_path) -> None:
    tracked.remote(tmp_path / "remote")
    tracked.push()
    tracked.version({"raw.csv": b"3"}, "v2")

    assert "not_in_remote" not in tracked.status(cloud=True, rev="v1")
    assert tracked.status(cloud=True)["not_in_remote"] == ["raw.csv"]


def test_what_is_never_sent_is_not_missing_there(tracked: Work, tmp_path) -> None:
    tracked.remote(tmp_path / "remote")
    tracked.push("images")
    tracked.write("raw.csv.datavc", tracked.read("raw.csv.datavc") + b"push: false\n")

    assert "not_in_remote" not in tracked.status(cloud=True)


def test_an_output_goes_by_its_own_remote(tracked: Work, tmp_path) -> None:
    tracked.remote(tmp_path / "remote")
    tracked.remote(tmp_path / "other", "other", default=False)
    tracked.write("raw.csv.datavc", tracked.read("raw.csv.datavc") + b"remote: other\n")
    tracked.push("images")

    assert tracked.status(cloud=True)["not_in_remote"] == ["raw.csv"]
    asked = tracked.status(cloud=True, sync=SyncOptions(remote="r"))
    assert "not_in_remote" not in asked


def test_exit_codes_and_silence(tracked: Work) -> None:
    builder = RepoBuilder(tracked.root, init=False)
    assert builder.run("status", "--exit-code", "-q", check=False).code == 0
    tracked.write("raw.csv", b"3")

    told = builder.run("status", "--json", "--exit-code", check=False)
    quiet = builder.run("data", "status", "-q", check=False)

    assert told.code == 7
    assert json.loads(told.stdout) == {"uncommitted": {"modified": ["raw.csv"]}}
    assert (quiet.code, quiet.stdout, quiet.stderr) == (1, "", "")
    assert builder.run("status").code == 0


def test_names_that_are_not_utf_8_are_escaped_in_json(tracked: Work) -> None:
    tracked.write("images/\udcff.png", b"odd")

    told = RepoBuilder(tracked.root, init=False).run("status", "--json", "--granular")

    assert json.loads(told.stdout)["uncommitted"]["added"] == ["images/\udcff.png"]
