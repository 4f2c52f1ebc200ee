import os
import stat
import subprocess

import pytest

from datavc.core.errors import DatavcError
from datavc.repo import hooks, stamp

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
