import os

import pytest

from datavc.core.errors import DatavcError
from datavc.repo import hooks, stamp
from datavc.repo.git import Git
from datavc.repo.layout import IGNORED_HERE
from datavc.repo.repo import Repo
from datavc.store.lock import repository_lock
from datavc.verbs import advancing, hook, install
from datavc.verbs.add import add
from datavc.verbs.init import InitOptions, init
from tests.support.repo import RepoBuilder

NO_HOOKS = ("-c", "core.hooksPath=/dev/null")


class Project:
    """A repository whose Git runs no hooks: tests say when one is run."""

    def __init__(self, root):
        self.builder = RepoBuilder(root, init=False)
        self.write, self.read = self.builder.write, self.builder.read
        self.git("init", "-q", "-b", "main")
        init(str(root), InitOptions())

    def git(self, *args, check=True):
        return self.builder.git(*NO_HOOKS, *args, check=check)

    @property
    def root(self):
        return str(self.builder.root)

    def repo(self):
        return Repo.open(self.root, {})

    def version(self, files):
        for path, text in files.items():
            self.write(path, text)
        repo = self.repo()
        add(repo, [os.path.join(self.root, path.split("/")[0]) for path in files])
        self.git("add", "-A")
        self.git("commit", "-qm", "version")
        stamp.write(repo.git)

    def run(self, name="post-checkout", args=("a", "b", "1"), updates=()):
        return hook.run(self.root, name, args, updates)


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path / "work")
    made.version({"f": "one", "d/x": "one"})
    made.version({"f": "two", "d/x": "two", "d/y": "new"})
    return made


def test_data_follows_the_pointers_that_git_moved(project):
    project.git("checkout", "-q", "HEAD~1")

    done = project.run()

    assert done == hook.HookResult(files=3)
    assert project.builder.tree("d") == {"x": b"one"}
    assert project.read("f") == b"one"
    assert project.run() == hook.HookResult()


def test_only_outputs_whose_pointer_moved_are_touched(project):
    os.unlink(os.path.join(project.root, "f"))
    project.git("checkout", "-q", "HEAD~1", "--", "d.datavc")

    project.run()

    assert project.builder.tree("d") == {"x": b"one"}
    assert not os.path.exists(os.path.join(project.root, "f"))


def test_data_comes_back_with_git_after_a_hook_was_killed(project, monkeypatch):
    project.git("checkout", "-q", "HEAD~1")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(advancing, "note", killed)
        project.run()
    assert project.builder.tree("d") == {"x": b"one"}

    project.git("checkout", "-q", "main")
    project.run()

    assert project.builder.tree("d") == {"x": b"two", "y": b"new"}
    assert project.read("f") == b"two"


def killed(*_):
    """Stand in for the end of the process."""
    raise KeyboardInterrupt


def test_without_a_stamp_all_pointers_are_followed(project):
    stamp.remove(Git(project.root))
    os.unlink(os.path.join(project.root, "f"))

    project.run()

    assert project.read("f") == b"two"


def test_data_whose_pointer_is_gone_goes_too(project):
    project.git("rm", "-q", "f.datavc")

    project.run("post-index-change", ("1", "0"))

    assert not os.path.exists(os.path.join(project.root, "f"))
    assert project.read("d/y") == b"new"


def test_work_that_is_saved_nowhere_stays_and_is_named(project):
    project.write("f", "precious")
    project.git("checkout", "-q", "HEAD~1")

    done = project.run()

    assert project.read("f") == b"precious"
    assert len(done.lines) == 1
    assert done.lines[0].startswith("f: ")
    assert done.exit_code == 0


def test_unmerged_pointers_are_left_alone(project):
    project.git("checkout", "-q", "-b", "other", "HEAD~1")
    project.run()
    project.version({"f": "three"})
    project.git("merge", "-q", "main", check=False)

    done = project.run("post-index-change", ("1", "0"))

    assert project.read("f") == b"three"
    assert not [line for line in done.lines if line.startswith("f:")]


def test_missing_data_is_one_line_with_the_way_to_get_it(project):
    objects = os.path.join(project.root, ".datavc", "cache", "objects")
    project.builder.start("chmod", "-R", "u+w", objects)
    project.builder.start("rm", "-r", objects)
    project.git("checkout", "-q", "HEAD~1")

    done = project.run()

    assert any("datavc pull" in line for line in done.lines)
    assert done.exit_code == 0


def test_a_broken_pointer_stops_no_other(project):
    project.git("checkout", "-q", "HEAD~1")
    project.write("f.datavc", "<<<<<<< nonsense")

    project.run()

    assert project.builder.tree("d") == {"x": b"one"}
    assert project.read("f") == b"two"


def test_a_datavc_at_work_is_not_waited_for_long(project, monkeypatch):
    monkeypatch.setitem(hook.PATIENCE, "core.lock_timeout", "0.1")
    project.git("checkout", "-q", "HEAD~1")

    with repository_lock(project.repo().layout.lock, 1.0, hook.SILENT):
        done = project.run()

    assert done.lines
    assert done.exit_code == 0
    project.run()
    assert project.read("f") == b"one"


def test_every_project_of_the_repository_follows(project):
    inner = os.path.join(project.root, "in ner")
    project.write("in ner/.datavc/config.toml", "")
    project.write("in ner/.datavc/.gitignore", "".join(f"{line}\n" for line in IGNORED_HERE))
    for text in ("one", "two"):
        project.builder.write("in ner/g", text)
        add(Repo.open(inner, {}), [os.path.join(inner, "g")])
        project.git("add", "-A")
        project.git("commit", "-qm", text)
    stamp.write(Git(project.root))
    project.git("checkout", "-q", "HEAD~1")

    assert project.run().files == 1
    assert project.read("in ner/g") == b"one"


def test_a_push_sends_the_data_of_its_commits(project, tmp_path):
    folder = tmp_path / "remote"
    project.write(
        ".datavc/config.local.toml", f'[core]\nremote = "r"\n[remote.r]\nurl = "{folder}"\n'
    )
    head = project.git("rev-parse", "HEAD").stdout.strip()
    update = f"refs/heads/main {head} refs/heads/main {'0' * 40}\n"

    done = project.run("pre-push", ("origin", "url"), [update])

    assert done.exit_code == 0
    assert done.files == 5  # f and d/x are equal, twice
    assert project.run("pre-push", ("origin", "url"), [update]).files == 0


def test_a_push_without_the_data_is_stopped(project, tmp_path):
    project.write(".datavc/config.local.toml", f'[remote.r]\nurl = "{tmp_path / "remote"}"\n')
    head = project.git("rev-parse", "HEAD").stdout.strip()
    update = f"refs/heads/main {head} refs/heads/main {'0' * 40}\n"

    with pytest.raises(DatavcError, match="remote"):
        project.run("pre-push", ("origin", "url"), [update])


def test_without_any_remote_a_push_goes_on_and_says_so(project):
    head = project.git("rev-parse", "HEAD").stdout.strip()
    update = f"refs/heads/main {head} refs/heads/main {'0' * 40}\n"

    done = project.run("pre-push", ("origin", "url"), [update])

    assert done.exit_code == 0
    assert "datavc remote add" in done.lines[0]


def test_hooks_we_do_not_know_do_nothing(project):
    assert project.run("pre-commit", ()) == hook.HookResult()


def test_install_agrees_to_remotes_of_the_clone_and_uninstall_takes_hooks_out(project, tmp_path):
    project.write(".datavc/config.toml", f'[remote.r]\nurl = "{tmp_path / "remote"}"\n')
    hooks.uninstall(Git(project.root))

    planned = install.install(project.repo(), dry_run=True)
    done = install.install(project.repo())
    again = install.install(project.repo())

    assert planned.agreed == done.agreed
    assert "r" in done.agreed[0]
    assert planned.hooks.written == done.hooks.written == hooks.NAMES
    assert (again.agreed, again.hooks.written) == ((), ())
    assert install.uninstall(project.repo(), dry_run=True).hooks.removed == hooks.NAMES
    assert install.uninstall(project.repo()).to_json()["removed"] == hooks.NAMES
    assert not hooks.status(Git(project.root)).installed


def test_an_edit_after_an_add_is_not_taken_back_by_the_commit(project):
    project.write("f", "three")
    add(project.repo(), [os.path.join(project.root, "f")])
    project.write("f", "one")  # bytes that the cache has
    project.git("add", "-A")
    project.git("commit", "-qm", "three")

    project.run("post-commit", ())

    assert project.read("f") == b"one"
