import os
import subprocess
import sys

import pytest

from datavc.core.errors import BusyError, DatavcError, FormatError, NotARepository
from datavc.repo import git as door
from datavc.repo.git import Git
from datavc.repo.git_history import RevisionScope
from tests.support.raw_git import POINTER, commit, run, write


def test_a_folder_outside_git_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(NotARepository) as caught:
        Git(str(tmp_path))

    assert "git init" in caught.value.hint


def test_a_broken_git_file_is_refused(tmp_path):
    (tmp_path / ".git").write_text("nonsense\n")

    with pytest.raises(NotARepository, match="is not a Git repository"):
        Git(str(tmp_path))


def test_a_repository_without_commits_answers_everything(work):
    write(work, "a.datavc")
    run(work, "add", "a.datavc")
    write(work, "b.datavc")
    git = Git(work)

    assert git.head() is None
    assert git.branch() == "main"
    assert git.listing().records == ["a.datavc", "b.datavc"]
    assert git.records_unlike_head() == {"a.datavc": None, "b.datavc": None}
    assert list(git.index_blobs()) == ["a.datavc"]
    assert git.unmerged() == set()
    assert git.commits(RevisionScope(all_commits=True, all_branches=True, all_tags=True)) == []
    assert git.implicit_commits(0) == []
    with pytest.raises(DatavcError, match="no such revision: 'HEAD'"):
        git.resolve("HEAD")


def test_a_detached_head_has_no_branch(work):
    first = commit(work)
    run(work, "checkout", "-q", "--detach")

    git = Git(work)

    assert (git.head(), git.branch()) == (first, None)


ODD = ["new\nline", os.fsdecode(b"latin\xe9"), "-dash", "sp ace", ":(top)x", "st*r", 'quo"te', "é"]


@pytest.mark.skipif(sys.platform == "darwin", reason="APFS holds UTF-8 names only")
def test_odd_names_come_back_as_they_are(work):
    for name in ODD:
        write(work, f"{name}.datavc")
        write(work, f"{name}.txt", "data")
    git = Git(work)
    expected = sorted(f"{name}.datavc" for name in ODD)

    assert git.listing().records == expected
    assert set(git.untracked()) == {f"{n}.{end}" for n in ODD for end in ("datavc", "txt")}
    head = commit(work)
    assert sorted(git.tree_blobs(head)) == expected == sorted(git.index_blobs())
    for name in ODD:
        assert git.tracked([f"{name}.txt"]) == {f"{name}.txt"}
        assert git.read_file(head, f"{name}.txt") == b"data"
    write(work, ".gitignore", "*.log\n")
    assert git.ignored([f"{n}.log" for n in ODD] + ODD) == {f"{n}.log" for n in ODD}
    for name in ODD:
        write(work, f"{name}.txt", "changed")
    git.stage([f"{name}.txt" for name in ODD])
    assert run(work, "diff", "--name-only") == ""


def test_a_project_in_a_subdirectory_sees_only_itself(work):
    for name in (
        "top.datavc",
        "sub/dir/.datavc/config.toml",
        "sub/dir/x/a.datavc",
        "sub/dirt.datavc",
    ):
        write(work, name)
    git = Git(os.path.join(work, "sub", "dir"))

    assert git.prefix == "sub/dir"
    assert git.listing().records == ["x/a.datavc"]
    head = commit(work)
    assert list(git.tree_blobs(head)) == ["x/a.datavc"] == list(git.index_blobs())
    assert [file.path for file in git.tree_paths(head, "x")] == ["x/a.datavc"]
    assert git.read_file(head, "x/a.datavc") == POINTER.encode()
    assert git.tracked([""]) == {".datavc/config.toml", "x/a.datavc"}
    write(work, "sub/dir/x/a.datavc", "datavc: 2\n")
    write(work, "top.datavc", "datavc: 2\n")
    assert list(git.records_unlike_head()) == ["x/a.datavc"]


def test_pointers_of_nested_projects_and_below_datavc_are_not_ours(work):
    for name in ("a.datavc", "in/.datavc/config.toml", "in/deep/b.datavc", ".datavc/c.datavc"):
        write(work, name)
    git = Git(work)

    assert git.listing().records == ["a.datavc"] == list(git.records_unlike_head())
    head = commit(work)
    assert list(git.tree_blobs(head)) == ["a.datavc"] == list(git.index_blobs())


def test_what_differs_from_head_comes_with_the_blob_of_head(work):
    for name in (
        "same.datavc",
        "edited.datavc",
        "staged.datavc",
        "gone.datavc",
        "unstaged.datavc",
    ):
        write(work, name)
    head = commit(work)
    git = Git(work)
    blob = git.tree_blobs(head)["same.datavc"]
    assert git.records_unlike_head() == {}

    write(work, "edited.datavc", "datavc: 2\n")
    write(work, "staged.datavc", "datavc: 2\n")
    run(work, "add", "staged.datavc")
    run(work, "rm", "-q", "gone.datavc")
    run(work, "rm", "-q", "--cached", "unstaged.datavc")
    write(work, "new.datavc")
    write(work, "added.datavc")
    run(work, "add", "added.datavc")

    assert git.records_unlike_head() == {
        **dict.fromkeys(
            ("edited.datavc", "gone.datavc", "staged.datavc", "unstaged.datavc"), blob
        ),
        **dict.fromkeys(("added.datavc", "new.datavc")),
    }


def test_many_paths_are_looked_up_in_one_list(work):
    for number in range(100):
        write(work, f"d{number}/f", "x")
    commit(work)
    git = Git(work)

    assert len(git.tracked([f"d{number}" for number in range(100)])) == 100
    assert git.tracked([f"d{number}" for number in range(50, 150)]) == {
        f"d{number}/f" for number in range(50, 100)
    }


def test_conflicts_are_unmerged_and_not_in_the_index(work):
    write(work, "a.datavc", "one\n")
    commit(work)
    run(work, "checkout", "-qb", "other")
    write(work, "a.datavc", "two\n")
    commit(work)
    run(work, "checkout", "-q", "main")
    write(work, "a.datavc", "three\n")
    commit(work)
    with pytest.raises(subprocess.CalledProcessError):
        run(work, "merge", "-q", "other")
    git = Git(work)

    assert git.unmerged() == {"a.datavc"}
    assert git.index_blobs() == {}
    assert git.listing().records == ["a.datavc"]
    assert list(git.records_unlike_head()) == ["a.datavc"]


def test_blobs_are_read_together_and_missing_ones_left_out(work):
    contents = {f"{number}.txt": f"line\n{number}\n\n" for number in range(50)} | {"empty": ""}
    for name, text in contents.items():
        write(work, name, text)
    head = commit(work)
    git = Git(work)
    files = git.tree_paths(head, "")
    ids = {file.path: file.blob for file in files}

    read = git.read_blobs([*ids.values(), "0" * 40, head])

    assert {name: read[ids[name]].decode() for name in contents} == contents
    assert {file.path: file.size for file in files}["7.txt"] == len("line\n7\n\n")
    assert len(read) == len(set(ids.values()))
    assert git.read_blobs([]) == {}


def test_a_blob_that_is_too_large_is_refused(work, monkeypatch):
    write(work, "a.txt", "x" * 100)
    head = commit(work)
    monkeypatch.setattr(door, "BLOB_LIMIT", 99)

    with pytest.raises(FormatError, match="too large"):
        Git(work).read_file(head, "a.txt")


def test_large_answers_and_large_questions_do_not_block(work):
    write(work, "a.txt", "x" * 3_000_000)
    head = commit(work)
    git = Git(work)

    assert len(git.read_file(head, "a.txt")) == 3_000_000
    assert git.ignored([f"folder/{number}" for number in range(50_000)]) == set()


def test_a_submodule_is_a_repository_of_its_own(work, tmp_path):
    commit(work)
    run(tmp_path, "init", "-qb", "main", "outer")
    run(tmp_path / "outer", "submodule", "--quiet", "add", work, "inner")
    folder = str(tmp_path / "outer" / "inner")
    write(folder, "a.datavc")
    git = Git(folder)

    assert git.work_tree == folder
    assert git.git_dir == str(tmp_path / "outer" / ".git" / "modules" / "inner")
    assert git.listing().records == ["a.datavc"]
    assert git.hooks_dir() == os.path.join(git.git_dir, "hooks")
    assert git.implicit_commits(0) == [git.head()]


def test_hooks_folder_follows_the_setting_but_not_our_own_guard(work):
    git = Git(work)

    run(work, "config", "core.hooksPath", "my/hooks")
    assert git.hooks_dir() == os.path.join(work, "my", "hooks")
    run(work, "config", "core.hooksPath", "/elsewhere")
    assert git.hooks_dir() == "/elsewhere"


def test_settings_are_written_read_and_removed_without_a_trace(work):
    git = Git(work)
    with open(os.path.join(git.git_dir, "config"), "rb") as stream:
        before = stream.read()
    value = "-x 'a b' \"c\" # ; %O\\"

    git.settings.set("merge.datavc.driver", value)
    git.settings.set("merge.datavc.name", "datavc")

    assert git.settings.get("merge.datavc.driver") == value
    git.settings.unset("merge.datavc.driver")
    git.settings.unset("merge.datavc.name")
    git.settings.unset("merge.datavc.name")
    assert git.settings.get("merge.datavc.driver") is None
    with open(os.path.join(git.git_dir, "config"), "rb") as stream:
        assert stream.read() == before
    with pytest.raises(ValueError, match=r"core\.editor"):
        git.settings.set("core.editor", "evil")


def test_variables_of_a_hook_do_not_lead_elsewhere(work, tmp_path, monkeypatch):
    write(work, "a.datavc")
    head = commit(work)
    run(tmp_path, "init", "-q", "decoy")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "decoy" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "temporary-index"))
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")
    git = Git(work)

    assert git.head() == head
    assert git.listing().records == ["a.datavc"] == list(git.index_blobs())
    assert git.commits(RevisionScope(all_commits=True)) == [head]
    write(work, "b.datavc")
    git.stage(["b.datavc"])
    assert not (tmp_path / "temporary-index").exists()
    assert list(git.index_blobs()) == ["a.datavc", "b.datavc"]


def test_hooks_and_fsmonitor_of_a_clone_are_not_run(work):
    commit(work)
    marker = os.path.join(work, "ran")
    write(work, ".git/hooks/post-index-change", f"#!/bin/sh\ntouch '{marker}'\n")
    os.chmod(os.path.join(work, ".git/hooks/post-index-change"), 0o755)
    run(work, "config", "core.fsmonitor", f"touch '{marker}'; false")
    write(work, "a.datavc")
    git = Git(work)

    git.stage(["a.datavc"])
    git.records_unlike_head()
    git.untracked()

    assert not os.path.exists(marker)


def test_git_below_the_repository_or_at_a_relative_place_is_not_started(work, monkeypatch):
    write(work, "bin/git", "#!/bin/sh\nexit 99\n")
    os.chmod(os.path.join(work, "bin/git"), 0o755)
    monkeypatch.setenv("PATH", f"bin:.:{work}/bin::{os.environ['PATH']}")
    monkeypatch.chdir(work)

    assert Git(work).branch() == "main"


def test_gitpython_does_not_start_one_either(work):
    marker = os.path.join(work, "ran")
    write(work, "git", f"#!/bin/sh\ntouch '{marker}'\nexec /usr/bin/git \"$@\"\n")
    os.chmod(os.path.join(work, "git"), 0o755)
    code = f"from datavc.repo.git import Git; print(len(Git({work!r}).worktrees()))"
    env = {**os.environ, "PATH": f".:{work}:{os.environ['PATH']}"}

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=work, env=env, capture_output=True, check=True
    )

    assert done.stdout == b"1\n"
    assert not os.path.exists(marker)


def test_without_git_one_sentence_says_so(work, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(DatavcError, match="Git is not installed"):
        Git(work).head()


def test_staging_records_removals_and_refuses_ignored_files(work):
    write(work, "a.datavc")
    commit(work)
    os.unlink(os.path.join(work, "a.datavc"))
    write(work, ".gitignore", "*.log\n")
    write(work, "x.log", "")
    git = Git(work)

    git.stage(["a.datavc"])

    assert git.index_blobs() == {}
    with pytest.raises(DatavcError, match="`git add` failed"):
        git.stage(["x.log"])
    write(work, ".git/index.lock", "")
    with pytest.raises(BusyError):
        git.stage([".gitignore"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_somebody_else_is_refused_in_one_sentence(work):
    commit(work)
    for folder in (work, os.path.join(work, ".git")):
        os.chown(folder, 12345, 12345)
    git = Git(work)

    for question in (git.head, git.listing, git.worktrees, lambda: git.resolve("HEAD")):
        with pytest.raises(DatavcError, match="does not trust") as caught:
            question()
        assert "safe.directory" in caught.value.hint
