import os
import stat
import subprocess
import sys

import pytest

from datavc.core.errors import DatavcError
from datavc.repo import hooks, stamp
from datavc.repo.git import Git
from tests.support.repo import RepoBuilder

STAND_IN = """#!/bin/sh
# Stands for datavc: notes each start, and each time data would have to be brought.
log={log}
[ "$1" = hook ] || exit 1
echo "$*" >> "$log/started"
case $2 in pre-push) cat > "$log/pushed"; exit "$(cat "$log/push-code")";; esac
top=$(git rev-parse --show-toplevel) && cd "$top" && wanted=$(cat a.datavc 2>/dev/null)
unmerged=$(git ls-files -u -- a.datavc)
if [ -z "$unmerged" ] && [ "$wanted" != "$(cat "$log/data" 2>/dev/null)" ]; then
  echo "$wanted" >> "$log/brought"
  echo "$wanted" > "$log/data"
fi
git ls-files -z -s --debug -- '*.datavc' '*datavc.lock' > "$(git rev-parse --git-dir)/datavc-stamp"
unlike=$(git rev-parse --git-dir)/datavc-unlike
git diff-files -z --name-only -- '*.datavc' '*datavc.lock' > "$unlike"
[ -s "$unlike" ] || rm "$unlike"
"""


class Followed:
    """A repository with hooks that call a stand-in, and what the stand-in noted."""

    def __init__(self, folder, monkeypatch):
        self.log = folder / "log it"
        self.log.mkdir()
        self.bin = folder / "b'in"
        self.bin.mkdir()
        (self.bin / "python").symlink_to(sys.executable)
        self.program = self.bin / "datavc"
        self.program.write_text(STAND_IN.format(log=f"'{self.log}'"))
        self.program.chmod(0o755)
        (self.log / "push-code").write_text("0")
        monkeypatch.setattr(sys, "executable", str(self.bin / "python"))
        self.repo = RepoBuilder(folder / "work", init=False)
        self.git = self.repo.git
        self.git("init", "-q")
        self.repo.write(".datavc/config.toml", "")
        self.repo.write(".gitattributes", "".join(f"{line}\n" for line in hooks.MERGED))
        self.commit("v1")
        self.door = Git(str(self.repo.root))

    def commit(self, text, name="a.datavc"):
        self.repo.write(name, text + "\n")
        return self.repo.commit(text)

    def install(self):
        installed = hooks.install(self.door)
        stamp.write(self.door)
        self.forget()
        return installed

    def forget(self):
        for name in ("started", "brought"):
            (self.log / name).unlink(missing_ok=True)
        file = self.repo.root / "a.datavc"
        (self.log / "data").write_text(file.read_text() if file.exists() else "")

    def noted(self, name):
        file = self.log / name
        return file.read_text().splitlines() if file.exists() else []

    def hook(self, name):
        return self.repo.root / ".git" / "hooks" / name


@pytest.fixture
def followed(tmp_path, monkeypatch):
    return Followed(tmp_path, monkeypatch)


@pytest.fixture
def history(followed):
    """Return a repository on `main` (v1, v2, v3) with `other` (v1, o2, o3) and hooks."""
    followed.git("checkout", "-qb", "other")
    followed.commit("x", "free-1")
    followed.commit("x", "free-2")
    followed.commit("o2")
    followed.commit("o3")
    followed.git("checkout", "-q", "main")
    followed.commit("v2")
    followed.commit("v3")
    followed.install()
    return followed


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


FOREIGN = '#!/bin/sh\necho "$0 $*" >> "{log}/foreign"\ncat >> "{log}/foreign"\nexit {code}\n'


def foreign_hook(followed, name, *, code=0, text=FOREIGN):
    file = followed.hook(name)
    file.parent.mkdir(exist_ok=True)
    file.write_text(text.format(log=followed.log, code=code))
    file.chmod(0o751)
    return file


def snapshot_of(folder):
    return {
        file.name: (file.read_bytes(), stat.S_IMODE(file.lstat().st_mode), file.is_symlink())
        for file in folder.iterdir()
    }


def test_hooks_that_exist_run_before_ours_under_their_own_name(followed):
    followed.commit("v2")
    foreign_hook(followed, "post-checkout")

    installed = followed.install()
    followed.git("checkout", "-q", "HEAD~1")

    assert installed.chained == ("post-checkout",)
    assert followed.noted("foreign")[0].startswith(".git/hooks/post-checkout ")
    assert followed.noted("brought") == ["v1"]


def test_exit_code_and_input_of_hooks_that_exist_count_as_before(followed, tmp_path):
    followed.git("init", "-q", "--bare", str(tmp_path / "bare"))
    followed.git("remote", "add", "origin", str(tmp_path / "bare"))
    foreign_hook(followed, "pre-push", code=1)
    foreign_hook(
        followed, "post-checkout", code=3, text="#!/usr/bin/python3\nraise SystemExit({code})\n"
    )
    before = followed.git("checkout", "-q", "-b", "first", check=False).code
    followed.install()

    assert followed.git("push", "-q", "origin", "main", check=False).code
    assert followed.noted("started") == []
    assert followed.noted("foreign")[1].startswith("refs/heads/main ")
    assert followed.git("checkout", "-q", "-b", "next", check=False).code == before != 0


def test_a_reference_transaction_hook_can_still_refuse(followed):
    foreign_hook(followed, "reference-transaction", code=1)
    followed.install()

    assert followed.git("branch", "new", check=False).code
    assert any("refs/heads/new" in line for line in followed.noted("foreign"))


def test_uninstalling_puts_everything_back_byte_for_byte(followed):
    folder = followed.hook("x").parent
    foreign_hook(followed, "post-checkout")
    foreign_hook(followed, "pre-commit")
    foreign_hook(followed, "pre-push").chmod(0o644)
    (folder / "post-merge").symlink_to("../../hooks/gone")
    config = followed.repo.read(".git/config")
    before = {name: value for name, value in snapshot_links(folder).items()}

    followed.install()
    hooks.install(followed.door)
    assert hooks.status(followed.door).complete
    removed = hooks.uninstall(followed.door)

    assert snapshot_links(folder) == before
    assert followed.repo.read(".git/config") == config
    assert removed.restored == ("post-checkout", "post-merge", "pre-push")
    assert not followed.hook("../datavc-stamp").exists()
    assert hooks.uninstall(followed.door).removed == ()


def snapshot_links(folder):
    return {
        file.name: os.readlink(file)
        if file.is_symlink()
        else (file.read_bytes(), file.stat().st_mode)
        for file in folder.iterdir()
    }


def test_a_hook_that_replaced_ours_is_never_destroyed(followed):
    foreign_hook(followed, "post-merge", code=0)
    followed.install()
    followed.hook("post-merge").unlink()
    foreign_hook(followed, "post-merge", code=1)
    before = snapshot_of(followed.hook("x").parent)

    with pytest.raises(DatavcError, match="cannot keep the Git hook"):
        hooks.install(followed.door)

    assert snapshot_of(followed.hook("x").parent) == before


def test_a_hook_that_was_moved_aside_by_pre_commit_still_runs_and_leaves(followed):
    followed.commit("v2")
    foreign_hook(followed, "post-checkout", text="#!/bin/sh\necho old >> '{log}/foreign'\n")
    followed.install()
    followed.hook("post-checkout").rename(followed.hook("post-checkout.legacy"))
    foreign_hook(
        followed,
        "post-checkout",
        text='#!/bin/sh\n# pre-commit\necho new >> \'{log}/foreign\'\n"$0.legacy" "$@"\n',
    )
    tool = followed.hook("post-checkout").read_bytes()
    hooks.install(followed.door)

    followed.git("checkout", "-q", "HEAD~1")

    assert followed.noted("foreign") == ["new", "old"]
    assert followed.noted("brought") == ["v1"]
    hooks.uninstall(followed.door)
    assert followed.hook("post-checkout").read_bytes() == tool
    assert b"echo old" in followed.hook("post-checkout.legacy").read_bytes()


def test_pre_commit_installed_before_and_after_us_does_not_go_in_circles(followed):
    followed.commit("v2")
    call = '[ ! -x {hook}.legacy ] || {hook}.legacy "$@"'
    tool = f"#!/bin/sh\n# pre-commit\necho tool >> '{{log}}/foreign'\n{call}\n"
    text = tool.replace("{hook}", "'" + str(followed.hook("post-checkout")) + "'")
    foreign_hook(followed, "post-checkout", text=text)
    followed.install()
    followed.hook("post-checkout").rename(followed.hook("post-checkout.legacy"))
    foreign_hook(followed, "post-checkout", text=text)

    followed.git("checkout", "-q", "HEAD~1")

    assert followed.noted("foreign") == ["tool"]
    assert followed.noted("brought") == ["v1"]


def test_core_hookspath_is_respected_and_its_reach_is_said(followed, tmp_path):
    followed.commit("v2")
    followed.git("config", "core.hooksPath", str(tmp_path / "shared"))

    installed = followed.install()
    followed.git("checkout", "-q", "HEAD~1")

    assert installed.folder == str(tmp_path / "shared")
    assert "every repository" in installed.warnings[0]
    assert followed.noted("brought") == ["v1"]
    followed.git("config", "core.hooksPath", ".githooks")
    assert "leave them out of your commits" in hooks.install(followed.door).warnings[0]
    followed.git("config", "core.hooksPath", "/dev/null")
    with pytest.raises(DatavcError, match="cannot write Git's hooks in /dev/null"):
        hooks.install(followed.door)


def test_a_dry_run_tells_and_writes_nothing(followed):
    foreign_hook(followed, "post-checkout")
    followed.repo.write(".gitattributes", hooks.MERGED[0])
    before = snapshot_of(followed.hook("x").parent), followed.repo.read(".git/config")

    planned = hooks.install(followed.door, dry_run=True)

    assert planned.written == hooks.NAMES
    assert planned.chained == ("post-checkout",)
    assert planned.attributes == hooks.MERGED[1:]
    assert (snapshot_of(followed.hook("x").parent), followed.repo.read(".git/config")) == before
    assert followed.repo.read(".gitattributes").decode() == hooks.MERGED[0]


def test_installing_again_changes_nothing_and_a_stale_path_is_seen(followed):
    followed.repo.write(".gitattributes", "*.png binary")
    followed.install()

    again = hooks.install(followed.door)

    assert (again.written, again.chained, again.attributes, again.driver) == ((), (), (), False)
    assert followed.repo.read(".gitattributes").decode().splitlines() == [
        "*.png binary",
        *hooks.MERGED,
    ]
    hook = followed.hook("post-merge")
    hook.write_text(
        hook.read_text().replace("b'in", "elsewhere").replace("b'\"'\"'in", "elsewhere")
    )
    assert hooks.status(followed.door).outdated == ("post-merge",)
    followed.hook("pre-push").unlink()
    assert hooks.status(followed.door).missing == ("pre-push",)


def test_the_merge_driver_is_called_with_the_path(followed):
    note = f"echo \"$1 $5\" >> '{followed.log}/merged'"
    followed.program.write_text(f'#!/bin/sh\n[ $1 = hook ] && exit\n{note}\ncat "$4" > "$3"\n')
    odd = "it's a.datavc"
    followed.commit("base", odd)
    followed.git("checkout", "-qb", "other")
    followed.commit("theirs", odd)
    followed.git("checkout", "-q", "main")
    followed.commit("ours", odd)
    hooks.install(followed.door)

    followed.git("merge", "-q", "--no-edit", "other")

    assert followed.noted("merged") == [f"merge-driver {odd}"]
    assert followed.repo.read(odd) == b"theirs\n"


def test_the_record_of_the_index_tells_which_pointers_changed(followed):
    odd = 'new\nline "q".datavc'
    followed.commit("one", odd)
    followed.commit("one", "same.datavc")
    stamp.write(followed.door)
    before = stamp.read(followed.door)
    assert before.changed(stamp.take(followed.door)) == set()

    followed.commit("two", odd)
    followed.git("rm", "-q", "a.datavc")
    followed.commit("new", "b.datavc")

    after = stamp.take(followed.door)
    assert before.changed(after) == {odd, "a.datavc", "b.datavc"}
    followed.repo.write("b.datavc", "edited")
    assert "b.datavc" in after.changed(stamp.take(followed.door))


def test_the_script_is_plain_sh(followed):
    followed.install()

    subprocess.run(["sh", "-n", str(followed.hook("post-checkout"))], check=True)
