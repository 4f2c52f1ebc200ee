import os

import pytest

from datavc.core.digest import Digest
from datavc.core.lock import LockEntry
from datavc.core.outputs import Pointer
from datavc.core.paths import RepoPath
from datavc.core.tree import TreeEntry
from datavc.formats import lockfile
from datavc.formats import pointer as codec
from datavc.repo.repo import Repo
from datavc.store import trees
from datavc.verbs.merge import merge_driver
from tests.support.repo import RepoBuilder


def digest(letter):
    return Digest(f"blake3:{letter * 64}")


@pytest.fixture
def merging(tmp_path):
    """Return a function that merges three pointer texts, and the repository."""
    builder = RepoBuilder(tmp_path / "work", init=False)
    builder.git("init", "-q")
    builder.write(".datavc/config.toml", "")
    repo = Repo.open(str(builder.root), {})

    def merge(base, ours, theirs, path="d.datavc"):
        files = [tmp_path / name for name in ("base", "ours", "theirs")]
        for file, text in zip(files, (base, ours, theirs), strict=True):
            file.write_text(text)
        outcome = merge_driver(repo, *map(str, files), path)
        return outcome, files[1].read_text()

    return repo, merge


def directory(repo, files, **notes):
    entries = [
        TreeEntry(RepoPath(name), digest(letter), 1, 0) for name, letter in sorted(files.items())
    ]
    with repo.objects.writer() as writer:
        found = trees.write(writer, entries)
    return codec.render(Pointer("d", "directory", found.digest, found.size, found.files, **notes))


def files_of(repo, text):
    pointer = codec.parse(text.encode(), "d.datavc")
    found = {
        entry.path: entry.content[-1] for entry in trees.entries(repo.objects, pointer.digest)
    }
    assert pointer.files == pointer.size == len(found)
    return found


def test_directories_merge_by_their_files(merging):
    repo, merge = merging
    base = directory(repo, {"a": "1", "b": "1", "c": "1"})

    outcome, text = merge(
        base,
        "# kept\n" + directory(repo, {"a": "2", "b": "1", "c": "1"}),
        directory(repo, {"b": "3", "c": "1", "d": "4", "a": "1"}) + "mine: too\n",
    )

    assert outcome.exit_code == 0
    assert files_of(repo, text) == {"a": "2", "b": "3", "c": "1", "d": "4"}
    assert "# kept\n" in text
    assert "mine: too\n" in text


def test_two_directories_that_were_added_apart_merge(merging):
    repo, merge = merging

    outcome, text = merge("", directory(repo, {"a": "1"}), directory(repo, {"b": "1"}))

    assert outcome.clean
    assert files_of(repo, text) == {"a": "1", "b": "1"}


def test_a_file_that_both_changed_leaves_markers_and_its_name(merging):
    repo, merge = merging
    base, ours, theirs = (directory(repo, {"a": n, "b": "1"}) for n in "123")

    outcome, text = merge(base, ours, theirs)

    assert outcome.exit_code == 1
    assert outcome.conflicts == ("d/a",)
    assert "both sides changed d/a" in outcome.message
    assert text.count("<<<<<<<") == 1


def test_a_tree_that_is_not_here_names_fetch(merging):
    repo, merge = merging
    gone = codec.render(Pointer("d", "directory", digest("f"), 1, 1))

    outcome, text = merge(directory(repo, {"a": "1"}), directory(repo, {"a": "2"}), gone)

    assert outcome.exit_code == 1
    assert "not in the cache" in outcome.message
    assert "datavc fetch" in outcome.hint
    assert "<<<<<<<" in text


def test_data_changed_on_one_side_and_notes_on_the_other_merge(merging):
    _, merge = merging
    base, theirs = (codec.render(Pointer("f", "file", digest(n), 5)) for n in "12")
    ours = codec.render(Pointer("f", "file", digest("1"), 5, desc="new"))

    outcome, text = merge(base, ours, theirs, "f.datavc")

    assert outcome.clean
    assert text == codec.render(Pointer("f", "file", digest("2"), 5, desc="new"))


def test_a_single_file_that_both_changed_is_a_conflict(merging):
    _, merge = merging
    versions = [codec.render(Pointer("f", "file", digest(n), 5)) for n in "123"]

    outcome, text = merge(*versions, "f.datavc")

    assert not outcome.clean
    assert outcome.message == "both sides changed f"
    assert digest("2") in text and digest("3") in text


def test_what_is_no_pointer_is_merged_as_text_and_reported(merging):
    repo, merge = merging

    outcome, _ = merge("a\n", "a\nb\n", "a\n")
    notes, text = merge("a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\n", "notes.txt")
    lock, _ = merge("a\n", "a\nb\n", "a\n", "datavc.lock")

    assert not outcome.clean
    assert outcome.message
    assert notes.clean
    assert not lock.clean
    assert "datavc.lock" in lock.message
    assert text == "A\nb\nc\nD\n"
    assert os.path.isdir(repo.root)


def locked(**commands):
    entries = {name: LockEntry((cmd,)) for name, cmd in commands.items()}
    return lockfile.render(entries, RepoPath("datavc.lock")).decode()


def branch_that_ran(repo, name, **commands):
    repo.git("checkout", "-q", "-b", name, "main")
    repo.write("datavc.lock", locked(**commands))
    repo.commit(name)


def test_git_merges_locks_of_two_branches_stage_by_stage(repo):
    repo.run("install")
    repo.write("datavc.lock", locked(clean="1", train="1"))
    repo.commit("start")
    branch_that_ran(repo, "one", clean="2", train="1")
    branch_that_ran(repo, "other", clean="1", report="1", train="2")

    repo.git("merge", "-q", "--no-edit", "one")

    assert repo.read("datavc.lock").decode() == locked(clean="2", report="1", train="2")


def test_git_stops_at_a_stage_that_both_branches_ran(repo):
    repo.run("install")
    repo.write("datavc.lock", locked(clean="1", train="1"))
    repo.commit("start")
    branch_that_ran(repo, "one", clean="2", train="2")
    branch_that_ran(repo, "other", clean="1", train="3")

    done = repo.git("merge", "-q", "--no-edit", "one", check=False)

    text = repo.read("datavc.lock").decode()
    assert done.code != 0
    assert "both sides changed stage train" in done.stderr + done.stdout
    assert '<<<<<<< ours: stage "train"' in text
    assert text.count('"cmd": "2"') == 2
    assert repo.git("diff", "--name-only", "--diff-filter=U").stdout == "datavc.lock\n"
    status = repo.run("status", check=False)
    assert "datavc.lock:4: holds the markers of a conflict" in status.stdout + status.stderr
