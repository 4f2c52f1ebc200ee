import os
import subprocess
import time

import pytest

from datavc.core.errors import DatavcError, UsageError
from datavc.repo.git import Git
from datavc.repo.git_history import RevisionScope
from tests.support.raw_git import commit, run, write


@pytest.mark.parametrize(
    "rev", ["nothing", "", "--all", "-n1", "--output=x", "HEAD\0", "HEAD:a", "a..b"]
)
def test_what_is_no_commit_is_refused_by_name(work, rev):
    commit(work)

    with pytest.raises(DatavcError, match="no such revision") as caught:
        Git(work).resolve(rev)

    assert repr(rev) in caught.value.message
    assert not os.path.exists(os.path.join(work, "x"))


def test_revisions_resolve_to_commits(work):
    first = commit(work)
    run(work, "tag", "-am", "release", "v1")

    git = Git(work)

    assert git.resolve("v1") == git.resolve("HEAD") == git.resolve(first[:8]) == first


def test_scopes_name_the_commits_they_say(work):
    old = commit(work, GIT_COMMITTER_DATE="2020-01-01T00:00:00Z")
    middle = commit(work)
    run(work, "tag", "light", old)
    run(work, "tag", "-am", "x", "annotated", middle)
    run(work, "tag", "-am", "x", "of-a-tag", "annotated")
    run(work, "tag", "of-a-blob", run(work, "hash-object", "-w", ".datavc/config.toml"))
    run(work, "checkout", "-qb", "other")
    tip = commit(work)
    run(work, "checkout", "-q", "main")
    git = Git(work)

    assert git.commits(RevisionScope()) == []
    assert set(git.commits(RevisionScope(all_branches=True))) == {middle, tip}
    assert set(git.commits(RevisionScope(all_tags=True))) == {old, middle}
    assert set(git.commits(RevisionScope(all_commits=True))) == {old, middle, tip}
    assert git.commits(RevisionScope(revs=("other", "main"))) == [tip, middle]
    assert git.commits(RevisionScope(revs=("other",), num=2)) == [tip, middle]
    assert git.commits(RevisionScope(revs=("other",), num=-1)) == [tip, middle, old]
    assert set(git.commits(RevisionScope(date="2021-01-01"))) == {middle, tip}
    with pytest.raises(UsageError, match="not a date"):
        git.commits(RevisionScope(date="yesterday"))


def test_git_itself_remembers_stashes_reflogs_worktrees_and_remotes(work, tmp_path):
    write(work, "a.datavc", "one\n")
    base = commit(work)
    left = commit(work, "left")
    run(work, "reset", "-q", "--hard", base)
    write(work, "a.datavc", "two\n")
    run(work, "add", "a.datavc")
    write(work, "untracked.datavc")
    run(work, "stash", "-qu")
    stash = run(work, "rev-parse", "stash", "stash^2", "stash^3").split()
    run(work, "worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    apart = commit(tmp_path / "tree", "apart")
    remote = commit(work, "remote")
    run(work, "update-ref", "refs/remotes/origin/main", remote)
    run(work, "reset", "-q", "--hard", base)
    git = Git(work)

    everything = git.implicit_commits(0)
    recent = git.implicit_commits(time.time() + 60)

    assert set(everything) == {base, left, apart, remote, *stash}
    assert set(recent) == {base, apart, remote, *stash}
    assert len(everything) == len(set(everything))
    assert set(Git(str(tmp_path / "tree")).implicit_commits(0)) == set(everything)


def test_what_an_unfinished_rebase_goes_back_to_is_remembered(work):
    write(work, "a.datavc", "one\n")
    commit(work)
    run(work, "checkout", "-qb", "other")
    write(work, "a.datavc", "two\n")
    tip = commit(work)
    run(work, "checkout", "-q", "main")
    write(work, "a.datavc", "three\n")
    commit(work)
    with pytest.raises(subprocess.CalledProcessError):
        run(work, "rebase", "-q", "main", "other")

    assert tip in Git(work).implicit_commits(time.time() + 60)


def test_indexes_of_other_worktrees_are_seen_from_each(work, tmp_path):
    commit(work)
    tree = str(tmp_path / "tree\nwith a line")
    run(work, "worktree", "add", "-q", "--detach", tree)
    write(tree, "staged.datavc")
    run(tree, "add", "staged.datavc")
    git, other = Git(work), Git(tree)

    assert git.worktrees() == other.worktrees() == [work, tree]
    assert [list(index) for index in git.other_indexes()] == [["staged.datavc"]]
    assert other.other_indexes() == [{}]
    assert other.common_dir == git.git_dir != other.git_dir
    assert other.hooks_dir() == git.hooks_dir() == os.path.join(work, ".git", "hooks")


def test_a_worktree_that_was_deleted_does_not_stop_us(work, tmp_path):
    commit(work)
    run(work, "worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    subprocess.run(["rm", "-r", str(tmp_path / "tree")], check=True)

    assert Git(work).worktrees() == [work]
    assert Git(work).other_indexes() == []


def test_a_push_brings_its_tip_and_what_changed_pointers_that_the_other_side_lacks(work):
    commits = []
    for text in ("one", "two", "three"):
        write(work, "a.datavc", text)
        commits.append(commit(work))
    first, second, third = commits
    write(work, "readme.md", "text")
    tip = commit(work)
    run(work, "update-ref", "refs/remotes/origin/main", second)
    zero = "0" * 40
    new, moved = (f"refs/heads/main {tip} refs/heads/main {old}\n" for old in (zero, first))
    git = Git(work)

    assert git.pushed_commits([moved]) == [tip, third, second]
    assert git.pushed_commits([new], "origin") == [tip, third]
    assert git.pushed_commits([new]) == [tip, third, second, first]
    assert git.pushed_commits([f"(delete) {zero} refs/heads/main {third}\n"]) == []
    assert git.pushed_commits([]) == []


def test_a_version_that_a_merge_took_back_is_pushed_all_the_same(work):
    write(work, "a.datavc", "one")
    first = commit(work)
    run(work, "checkout", "-qb", "side")
    write(work, "a.datavc", "side")
    side = commit(work)
    run(work, "checkout", "-q", "main")
    run(work, "merge", "-q", "--no-ff", "--no-edit", "-s", "ours", "side")

    pushed = Git(work).pushed_commits([f"x {run(work, 'rev-parse', 'HEAD')} y {first}"])

    assert side in pushed
