import pytest

from datavc.repo import hooks, stamp
from datavc.repo.git import Git
from tests.support.repo import RepoBuilder


def steps(*commands):
    return [command.split(" ") for command in commands]


@pytest.mark.parametrize(
    ("commands", "brought"),
    [
        (steps("checkout -q other"), ["o3"]),
        (steps("switch -q --detach HEAD~1"), ["v2"]),
        (steps("checkout -q HEAD~1 -- a.datavc"), ["v2"]),
        (steps("restore --source HEAD~1 a.datavc"), ["v2"]),
        (
            steps("restore --source HEAD~1 a.datavc", "restore --source HEAD a.datavc"),
            ["v2", "v3"],
        ),
        (steps("reset -q --hard HEAD~1"), ["v2"]),
        (steps("reset -q --keep HEAD~2"), ["v1"]),
        (steps("reset -q --merge HEAD~2"), ["v1"]),
        (steps("reset -q --mixed HEAD~1"), []),
        (steps("checkout -q -b same"), []),
        (steps("status", "update-index --refresh", "log -1", "diff HEAD~1"), []),
        (steps("read-tree -m -u HEAD HEAD~1"), ["v2"]),
        (steps("revert --no-edit HEAD"), ["v2"]),
        (steps("revert --no-edit HEAD HEAD~1"), ["v1"]),
        (steps("checkout -q main~2", "cherry-pick main~1"), ["v1", "v2"]),
        (steps("checkout -q main~2", "cherry-pick main~2..main"), ["v1", "v3"]),
        (steps("checkout -q main~2", "merge -q main"), ["v1", "v3"]),
        (steps("checkout -q main~2", "merge -q --no-ff --no-edit main"), ["v1", "v3"]),
        (steps("rm -q a.datavc"), [""]),
    ],
    ids=lambda value: (
        "; ".join(" ".join(c) for c in value) if value and type(value[0]) is list else ""
    ),
)
def test_data_follows_once_at_the_end(history, commands, brought):
    for command in commands:
        history.git(*command)

    assert history.noted("brought") == brought


def test_nothing_starts_where_no_pointer_changed(history):
    history.git("status")
    history.git("checkout", "-q", "-b", "more")
    history.commit("text", "free-3")
    history.git("checkout", "-q", "main")
    history.git("checkout", "-q", "more")
    history.git("reset", "-q", "--hard", "main")
    history.git("stash", check=False)

    assert history.noted("started") == []


def test_data_follows_a_stash_and_its_return(history):
    history.repo.write("a.datavc", "v4\n")
    (history.log / "data").write_text("v4\n")

    history.git("stash", "-q")
    assert history.noted("brought") == ["v3"]
    history.git("stash", "pop", "-q")
    assert history.noted("brought") == ["v3", "v4"]


def test_data_follows_a_staged_stash(history):
    history.repo.write("a.datavc", "v4\n")
    (history.log / "data").write_text("v4\n")
    history.git("add", "a.datavc")

    history.git("stash", "-q")
    history.git("stash", "apply", "-q", "--index")

    assert history.noted("brought") == ["v3", "v4"]


def test_data_follows_a_rebase_once_at_its_end(history):
    history.git("checkout", "-q", "-b", "topic", "main~2")
    for number in range(3):
        history.commit("x", f"topic-{number}")
    history.forget()

    history.git("rebase", "-q", "main")

    assert history.noted("brought") == ["v3"]


def test_data_follows_a_rebase_that_only_moves_forward(history):
    history.git("checkout", "-q", "-b", "behind", "main~2")
    history.forget()

    history.git("rebase", "-q", "main")

    assert history.noted("brought") == ["v3"]


def test_a_conflict_in_a_rebase_is_waited_out(history):
    history.git("checkout", "-q", "other")
    history.forget()

    assert history.git("rebase", "main", check=False).code
    assert history.noted("brought") == []
    history.repo.write("a.datavc", "mine\n")
    history.git("add", "a.datavc")
    history.git("-c", "core.editor=true", "rebase", "--continue", check=False)
    history.repo.write("a.datavc", "mine too\n")
    history.git("add", "a.datavc")
    history.git("-c", "core.editor=true", "rebase", "--continue")

    assert history.noted("brought") == ["mine too"]


def test_an_aborted_rebase_ends_where_it_began(history):
    history.git("checkout", "-q", "other")
    history.forget()

    history.git("rebase", "main", check=False)
    history.git("rebase", "--abort")

    assert history.noted("brought") == []
    assert (history.log / "data").read_text() == "o3\n"


def test_unmerged_pointers_wait_for_the_merge(history):
    assert history.git("merge", "-q", "other", check=False).code
    assert history.noted("brought") == []
    history.repo.write("a.datavc", "both\n")
    history.git("add", "a.datavc")
    history.git("commit", "-qm", "merged")

    assert history.noted("brought") == ["both"]


def test_data_follows_patches_once(history, tmp_path):
    history.git("format-patch", "-q", "-o", str(tmp_path / "patches"), "main~2..main")
    history.git("checkout", "-q", "-b", "patched", "main~2")
    history.forget()

    history.git("am", "-q", *sorted(str(file) for file in (tmp_path / "patches").iterdir()))

    assert history.noted("brought") == ["v3"]


def test_data_follows_a_pull(history, tmp_path, monkeypatch):
    history.git("clone", "-q", "-b", "main", str(history.repo.root), str(tmp_path / "clone"))
    clone = RepoBuilder(tmp_path / "clone", init=False)
    door = Git(str(clone.root))
    hooks.install(door)
    stamp.write(door)
    history.commit("v4")
    (history.log / "data").write_text("v3\n")

    clone.git("pull", "-q")

    assert history.noted("brought")[-1:] == ["v4"]


def test_a_new_worktree_is_followed_with_a_stamp_of_its_own(history, tmp_path):
    tree = tmp_path / "tree"

    history.git("worktree", "add", "-q", "--detach", str(tree), "HEAD~1")

    assert history.noted("brought") == ["v2"]
    assert (history.repo.root / ".git/worktrees/tree/datavc-stamp").exists()
    RepoBuilder(tree, init=False).git("checkout", "-q", "main~2")
    assert history.noted("brought") == ["v2", "v1"]


def test_the_hook_of_a_submodule_is_its_own(history, tmp_path):
    outer = RepoBuilder(tmp_path / "outer", init=False)
    outer.git("init", "-q")
    outer.git("submodule", "--quiet", "add", str(history.repo.root), "inner")
    inner = RepoBuilder(outer.root / "inner", init=False)
    door = Git(str(inner.root))

    installed = hooks.install(door)
    stamp.write(door)
    inner.git("checkout", "-q", "HEAD~1")

    assert installed.folder == str(outer.root / ".git/modules/inner/hooks")
    assert history.noted("brought") == ["v2"]


def test_a_project_in_a_subdirectory_is_followed(followed):
    followed.commit("one", "sub/dir/b.datavc")
    followed.repo.write("sub/dir/.datavc/config.toml", "")
    followed.commit("two", "sub/dir/b.datavc")
    door = Git(str(followed.repo.root / "sub/dir"))
    hooks.install(door)
    stamp.write(door)
    followed.forget()

    followed.git("checkout", "-q", "HEAD~1", cwd="sub")

    assert len(followed.noted("started")) == 1
    assert (followed.repo.root / "sub/dir/.gitattributes").read_text().count("merge=datavc") == 2
    followed.git("checkout", "-q", "main")
    assert door.projects() == [str(followed.repo.root), door.root]


def test_a_push_is_handed_the_updates_and_stopped_by_a_failure(history, tmp_path):
    history.git("init", "-q", "--bare", str(tmp_path / "bare"))
    history.git("remote", "add", "origin", str(tmp_path / "bare"))
    head = history.git("rev-parse", "HEAD").stdout.strip()

    history.git("push", "-q", "origin", "main")

    assert history.noted("started") == [f"hook pre-push origin {tmp_path / 'bare'}"]
    assert history.noted("pushed") == [f"refs/heads/main {head} refs/heads/main {'0' * 40}"]
    (history.log / "push-code").write_text("6")
    assert history.git("push", "-q", "origin", "other", check=False).code
    assert history.git("ls-remote", "--heads", "origin").stdout.split()[1:] == ["refs/heads/main"]


def test_a_hook_whose_datavc_is_gone_says_one_line_and_stops_nothing(history):
    history.program.unlink()

    done = history.git("checkout", "-q", "other")

    assert done.code == 0
    assert [line for line in done.stderr.splitlines() if "datavc" in line] == [
        f"datavc is no longer at {history.program}: data did not follow; `datavc install` mends it"
    ]


def test_a_hook_that_fails_does_not_fail_git(history):
    history.program.write_text("#!/bin/sh\nexit 9\n")

    assert history.git("checkout", "-q", "other").code == 0


def test_git_called_by_datavc_in_a_hook_starts_no_other(history):
    history.program.write_text(
        f"#!/bin/sh\necho x >> '{history.log}/started'\ngit reset -q --hard v\n"
    )
    history.git("tag", "v", "other")

    history.git("checkout", "-q", "HEAD~1")

    assert history.noted("started") == ["x"]


def test_a_repository_without_pointers_never_starts_datavc(history, tmp_path):
    other = RepoBuilder(tmp_path / "elsewhere", init=False)
    other.git("init", "-q")
    other.git("config", "core.hooksPath", str(history.repo.root / ".git/hooks"))
    other.write("a.txt", "1")
    other.commit("one")
    other.write("a.txt", "2")
    other.commit("two")

    other.git("checkout", "-q", "HEAD~1")
    other.git("checkout", "-q", "HEAD", "--", "a.txt")

    assert history.noted("started") == []
