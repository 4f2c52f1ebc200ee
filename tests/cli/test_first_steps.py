"""What somebody reads who uses datavc for the first time: what comes next, and the way back."""

from __future__ import annotations

import json

from tests.support.repo import RepoBuilder


def test_add_says_what_to_hand_to_git(repo: RepoBuilder) -> None:
    repo.write("data/raw table.csv", b"1")

    said = repo.run("add", "raw table.csv", cwd="data").stdout.splitlines()

    assert said[1] == "Next: `git add 'raw table.csv.datavc' .gitignore`, then `git commit`"
    assert len(repo.run("add", "data/raw table.csv").stdout.splitlines()) == 1


def test_what_is_named_for_git_is_all_that_git_needs(repo: RepoBuilder) -> None:
    repo.write("data/raw.csv", b"1")
    repo.write("images/a.png", b"a")

    said = repo.run("add", "data/raw.csv", "images").stdout.splitlines()[1]
    repo.start(*said.split("`")[1].split())
    repo.git("commit", "--quiet", "-m", "v1")

    assert repo.git("status", "--porcelain").stdout == ""


def test_notes_alone_are_no_unchanged_data(repo: RepoBuilder) -> None:
    repo.write("raw.csv", b"1")
    repo.run("add", "raw.csv")

    said = repo.run("add", "--label", "raw", "raw.csv").stdout

    assert said.startswith("Notes recorded, 1 B")


def test_a_dry_run_of_add_names_the_digest_that_add_records(repo: RepoBuilder) -> None:
    repo.write("raw.csv", b"1")

    foretold = json.loads(repo.run("add", "--dry-run", "--json", "raw.csv").stdout)
    done = json.loads(repo.run("add", "--json", "raw.csv").stdout)

    assert foretold["outputs"] == done["outputs"]


def test_status_names_data_that_was_never_fetched_once(repo: RepoBuilder) -> None:
    repo.write("raw.csv", b"1")
    repo.run("add", "raw.csv")
    repo.commit("v1")
    clone = repo.clone(repo.root.parent / "clone")

    said = clone.run("status").stdout

    assert said.splitlines() == ["Not fetched (`datavc pull` brings them):", "  raw.csv"]


def test_status_says_how_to_bring_back_what_is_gone(repo: RepoBuilder) -> None:
    repo.write("raw.csv", b"1")
    repo.run("add", "raw.csv")
    (repo.root / "raw.csv").unlink()

    assert "`datavc checkout` brings back what is gone" in repo.run("status").stdout


def test_a_name_that_is_nowhere_is_not_offered_to_add(repo: RepoBuilder) -> None:
    repo.write("raw.csv", b"1")
    repo.run("add", "raw.csv")

    for command in ("add", "status", "push", "cat"):
        assert "`datavc add nowhere" not in repo.run(command, "nowhere", check=False).stderr
    assert "check the spelling" in repo.run("add", "nowhere", check=False).stderr
    assert "did you mean raw.csv?" in repo.run("status", "rwa.csv", check=False).stderr


def test_a_pointer_in_conflict_is_no_up_to_date_data(repo: RepoBuilder) -> None:
    repo.write("raw.csv", b"1")
    repo.write("sound.csv", b"1")
    repo.run("add", "raw.csv", "sound.csv")
    repo.commit("v1")
    for branch, text in (("other", b"2"), ("main", b"3")):
        repo.git("checkout", "--quiet", *(["-b"] if branch == "other" else []), branch)
        repo.write("raw.csv", text)
        repo.run("add", "raw.csv")
        repo.commit(branch)
    merged = repo.git("merge", "other", check=False)

    way_out = "`git checkout --ours raw.csv.datavc` or `--theirs`, then `git add raw.csv.datavc`"
    assert way_out in merged.stderr + merged.stdout
    status = repo.run("status", "--exit-code", check=False)
    assert (status.code, way_out in status.stderr) == (7, True)
    assert "up to date, except for the warnings" in status.stdout

    repo.git("checkout", "--theirs", "raw.csv.datavc")
    repo.git("add", "raw.csv.datavc")
    repo.git("commit", "--quiet", "-m", "merged")
    repo.run("checkout")
    assert repo.read("raw.csv") == b"2"


def test_a_pointer_that_cannot_be_read_is_no_deleted_data(repo: RepoBuilder) -> None:
    repo.write("raw.csv", b"1")
    repo.run("add", "raw.csv")
    repo.commit("v1")
    repo.write("raw.csv.datavc", b"datavc: 1\n")

    said = repo.run("diff", "--exit-code", check=False)

    assert (said.code, "Deleted" in said.stdout) == (7, False)
    assert "raw.csv.datavc" in said.stderr


def test_data_whose_pointer_git_ignores_is_refused(repo: RepoBuilder) -> None:
    repo.write("data/raw.csv", b"1")
    repo.write(".gitignore", b"data/\n")

    refused = repo.run("add", "data/raw.csv", check=False)

    assert refused.code == 1
    assert "`git check-ignore -v data/raw.csv.datavc`" in refused.stderr
    assert not (repo.root / "data/raw.csv.datavc").exists()
    repo.run("add", "data")
    repo.git("add", "-A")
    assert "data.datavc" in repo.git("status", "--porcelain").stdout


def test_data_that_git_ignores_is_tracked(repo: RepoBuilder) -> None:
    repo.write("raw.csv", b"1")
    repo.write(".gitignore", b"*.csv\n")

    repo.run("add", "raw.csv")

    assert repo.run("status").stdout.endswith("  added:    raw.csv\n")
