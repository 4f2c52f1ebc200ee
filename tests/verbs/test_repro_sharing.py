"""Results and data that come from elsewhere: the cache, the run cache, remotes, Git's history."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.support.pipeline import Pipelines, copies, noting
from tests.support.servers import S3Bucket

STAGES = {
    "first": copies("first", ["data"], "mid"),
    "second": copies("second", ["mid", "plain"], "end", params=["lr"]),
}


@pytest.fixture
def work(tmp_path) -> Pipelines:
    """Two stages up to date, on tracked data and a file of Git's; all committed and pushed."""
    work = Pipelines(tmp_path / "work")
    work.lay(
        {"data": "one\n", "plain": "p\n", "params.yaml": "lr: 1\n", ".gitignore": "/ran.log\n"}
    )
    work.define(STAGES)
    work.add("data")
    work.remote(tmp_path / "remote")
    work.repro()
    work.commit("v1")
    work.do("push", "--run-cache")
    return work


def cloned(work: Pipelines) -> Pipelines:
    """Return a fresh clone that has fetched nothing."""
    work.clone(work.root.parent / "clone")
    return Pipelines(work.root.parent / "clone", fresh=False)


# without committing


def test_no_commit_leaves_outputs_out_of_the_cache_until_commit(work):
    work.write("plain", "other\n")
    found = work.repro("--no-commit")
    kept = work.object(b"one\nother\n").exists()
    same = work.repro("--no-commit")
    status = work.status()
    work.do("commit", "--force")

    assert found.ran == ["second"]
    assert not kept
    assert same.ran == []
    assert "stages" not in status
    assert work.object(b"one\nother\n").exists()
    assert work.repro().ran == []
    assert "not_in_cache" not in work.status()


def test_commit_takes_stages_as_they_lie_there_without_running(work):
    work.write("end", "by hand\n")
    work.write("plain", "by hand too\n")

    work.do("commit", "--force", "second")

    found = work.repro()
    assert found.actions == {"first": "skip", "second": "skip"}
    assert work.read("end") == b"by hand\n"
    assert work.object(b"by hand\n").exists()


def test_commit_without_a_yes_changes_nothing(work):
    work.write("end", "by hand\n")
    lock = work.read("datavc.lock")

    done = work.do("commit", "second", code=1)

    assert "--force" in done.stderr
    assert work.read("datavc.lock") == lock


# data that somebody edited


def test_an_edited_data_source_is_used_as_it_lies_saved_and_said(work):
    pointer = work.read("data.datavc")
    work.write("data", "edited\n")

    found = work.repro()

    assert found.ran == ["first", "second"]
    assert work.read("end") == b"edited\np\n"
    assert work.read("data.datavc") == pointer
    assert "`datavc add data`" in found.done.stderr
    assert work.object(b"edited\n").exists()
    assert "data" not in work.repro().done.stderr


# fresh clones


def test_a_clone_pulls_what_is_missing_and_runs_nothing(work):
    clone = cloned(work)

    found = clone.repro("--pull")

    assert found.ran == []
    assert set(found.actions.values()) <= {"skip", "restore"}
    assert clone.read("end") == b"one\np\n"
    assert clone.status() == work.status()


def test_a_clone_that_allows_missing_data_has_nothing_to_do(work):
    clone = cloned(work)

    found = clone.repro("--allow-missing")
    refused = clone.refused()

    assert set(found.actions.values()) == {"skip"}
    assert not (clone.root / "data").exists()
    assert "first needs data, which is not there" in refused
    assert "datavc pull data" in refused


def test_a_clone_that_allows_missing_data_runs_what_changed_with_what_it_needs(work):
    clone = cloned(work)
    clone.write("params.yaml", "lr: 2\n")

    told = clone.repro("--allow-missing", "--dry-run", code=1)
    found = clone.repro("--allow-missing", "--pull")

    assert told.actions == {"first": "skip", "second": "failed"}
    assert found.ran == ["second"]
    assert clone.read("end") == b"one\np\n"


def test_a_clone_whose_data_moved_on_is_not_taken_for_up_to_date(work):
    work.write("data", "two\n")
    work.add("data")
    work.commit("v2")
    clone = cloned(work)

    found = clone.repro("--allow-missing", code=1)

    assert found.ran == []
    assert "first needs data" in found.done.stderr


def test_results_of_another_machine_are_taken_from_the_remote(work):
    clone = cloned(work)
    clone.do("pull")
    clone.remove("datavc.lock")

    found = clone.repro()

    assert found.ran == []
    assert found.actions == {"first": "restore", "second": "restore"}
    assert clone.read("datavc.lock") == work.read("datavc.lock")


def test_results_come_with_a_fetch_of_the_run_cache_too(work):
    clone = cloned(work)
    clone.do("fetch", "--run-cache")
    shutil.rmtree(work.root.parent / "remote")
    clone.write("data", "one\n")
    clone.remove("datavc.lock")

    found = clone.repro()

    assert found.ran == []
    assert clone.read("end") == b"one\np\n"


def test_results_go_to_an_object_store_and_come_back(tmp_path, s3_bucket: S3Bucket):
    work = Pipelines(tmp_path / "work")
    said = "".join(f'{key} = "{value}"\n' for key, value in s3_bucket.server.options().items())
    config = f'[core]\nremote = "s3"\n[remote.s3]\nurl = "{s3_bucket.url}"\n{said}'
    work.write(".datavc/config.local.toml", config)
    work.write("in", "one\n")
    folder = {"cmd": noting("b", "mkdir -p d; cp mid d/x"), "deps": ["mid"], "outs": ["d"]}
    work.define({"a": copies("a", ["in"], "mid"), "b": folder})
    work.repro()
    work.do("push", "--run-cache")
    shutil.rmtree(work.root / ".datavc/cache")
    work.remove("datavc.lock", "mid", "d")

    found = work.repro()

    assert found.ran == []
    assert found.actions == {"a": "restore", "b": "restore"}
    assert work.tree("d") == {"x": b"one\n"}


def test_a_run_whose_results_are_gone_is_said_and_the_stage_runs(work):
    work.remove("end")
    digest = work.lock()["second"].outs[0].digest
    work.lose(digest)
    shutil.rmtree(work.root.parent / "remote/objects")
    work.remove("datavc.lock")

    found = work.repro()

    assert found.ran == ["second"]
    assert "results are gone" in found.done.stderr or "is known, but" in found.done.stderr


def test_a_remote_that_is_away_is_said_once_and_costs_no_run(work):
    shutil.rmtree(work.root.parent / "remote")
    (work.root.parent / "remote").write_text("no folder")
    work.write("data", "two\n")

    found = work.repro()

    assert found.ran == ["first", "second"]
    assert found.done.stderr.count("remote") <= 3


def test_no_run_cache_runs_what_is_known(work):
    work.remove("datavc.lock")

    assert work.repro("--no-run-cache").ran == ["first", "second"]


def test_a_damaged_object_of_a_known_run_is_never_restored(work):
    """The result of old is made again, the wrong bytes are set aside."""
    shutil.rmtree(work.root.parent / "remote")
    (work.root.parent / "remote").mkdir()
    work.write("plain", "other\n")
    work.repro()
    work.write("plain", "p\n")
    file = work.object(b"one\np\n")
    file.chmod(0o644)
    file.write_bytes(b"wro\np\n")

    found = work.repro()

    assert work.read("end") == b"one\np\n"
    assert found.ran == ["second"]


def test_a_damaged_entry_of_the_run_cache_is_no_hit(work):
    runs = [path for path in (work.root / ".datavc/cache/runs").rglob("*") if path.is_file()]
    for path in runs:
        path.write_bytes(
            path.read_bytes().replace(b"one", b"two").replace(b"blake3:1", b"blake3:")
        )
        path.write_bytes(path.read_bytes()[:-9])
    shutil.rmtree(work.root.parent / "remote")
    (work.root.parent / "remote").mkdir()
    work.remove("datavc.lock")

    assert work.repro().ran == ["first", "second"]


def test_always_changed_and_persisted_results_are_not_remembered(work):
    work.define(
        {
            "always": copies("always", ["plain"], "a", always_changed=True),
            "keeps": {**copies("keeps", ["plain"], "k"), "outs": [{"k": {"persist": True}}]},
            "bare": {"cmd": noting("bare", "true")},
        }
    )
    work.repro()
    again = work.repro()
    work.remove("datavc.lock")
    lost = work.repro()

    assert again.ran == ["always", "bare"]
    assert sorted(lost.ran) == ["always", "bare", "keeps"]


# collection


def test_gc_keeps_the_results_of_runs_that_are_in_scope(work):
    for value in ("2", "3"):
        work.write("plain", value)
        work.repro()
    work.do("push", "--run-cache")
    work.do("-c", "gc.grace=0", "gc", "--workspace", "--expire-undo", "--force")
    shutil.rmtree(work.root.parent / "remote")
    (work.root.parent / "remote").mkdir()
    work.write("plain", "p\n")

    found = work.repro()

    assert found.actions == {"first": "skip", "second": "restore"}
    assert work.read("end") == b"one\np\n"


def test_gc_drops_runs_that_nobody_asked_for_with_their_results(work):
    work.write("plain", "2")
    work.repro()
    work.commit("v2")
    work.do("push", "--run-cache")
    options = ("-c", "gc.grace=0", "-c", "repro.keep_runs=0s")
    work.do(*options, "gc", "--workspace", "--expire-undo", "--force")

    said = json.loads(work.do("run-cache", "info", "--json").stdout)

    assert not work.object(b"one\np\n").exists()
    assert work.object(b"one\n2").exists()
    assert all(entry["present"] for entry in said["entries"])
    assert work.repro().ran == []


def test_checkout_of_an_output_brings_it_back_alone(work):
    work.remove("mid", "end")

    work.do("checkout", "end")

    assert work.read("end") == b"one\np\n"
    assert not (work.root / "mid").exists()


def test_push_sends_outputs_and_leaves_out_what_is_not_to_be_sent(work):
    kept = {**STAGES["first"], "outs": [{"mid": {"push": False}}]}
    work.define({**STAGES, "first": kept})
    work.write("data", "new\n")
    work.add("data")
    work.repro()

    work.do("push")

    sent = {p.parent.name + p.name for p in (work.root.parent / "remote/objects").rglob("*")}
    assert work.digest(b"new\np\n").partition(":")[2] in sent
    assert work.do("status", "--cloud", "--json").code == 0


def test_a_file_edited_inside_tracked_data_is_saved_and_what_is_not_fetched_is_no_edit(work):
    work.lay({"dir/a": "a\n", "dir/b": "b\n", "dir/c": "c\n"})
    work.add("dir")
    work.define({"reads": copies("reads", ["dir/a", "plain"], "out")})
    work.repro()
    work.remove("dir/c")
    work.write("plain", "sparse\n")
    absent = work.repro()
    work.write("dir/a", "edited\n")

    edited = work.repro()

    assert "dir was used as it lies here" in edited.done.stderr
    assert work.object(b"edited\n").exists()
    assert absent.ran == edited.ran == ["reads"]
