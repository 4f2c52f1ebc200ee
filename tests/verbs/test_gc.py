"""gc: only what nothing names, nobody still writes, and somebody else still has, goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datavc.core.errors import DatavcError, RemoteError, UsageError
from datavc.store.leases import Lease
from datavc.verbs.gc import gc
from datavc.verbs.gc_options import GcOptions, gc_scope, parse_age
from datavc.verbs.sync_options import RevisionScope
from tests.support.collecting import ONE, THREE, TWO, collect, freed, held, three_versions
from tests.support.repo import RepoBuilder
from tests.support.work import Work


@pytest.fixture
def versions(work: Work) -> Work:
    """Return a project with three committed versions of a file."""
    return three_versions(work)


class TestScope:
    """What is kept because it was asked for, or always."""

    def test_without_a_scope_nothing_is_done_and_the_scopes_are_shown(self, versions: Work):
        with pytest.raises(UsageError, match="must be told") as refusal:
            freed(versions, workspace=False)

        assert "-a" in refusal.value.hint and "--date" in refusal.value.hint
        assert held(versions) == [ONE, TWO, THREE]

    def test_the_workspace_alone(self, versions: Work):
        result = freed(versions)

        assert held(versions) == [THREE]
        assert (len(result.removed), result.bytes) == (2, 3000)

    @pytest.mark.parametrize(
        ("scope", "kept"),
        [
            (RevisionScope(all_tags=True), [ONE, TWO, THREE]),
            (RevisionScope(all_commits=True), [ONE, TWO, THREE]),
            (RevisionScope(all_branches=True), [THREE]),
            (RevisionScope(revs=("v1",)), [ONE, THREE]),
            (RevisionScope(revs=("HEAD",), num=2), [TWO, THREE]),
            (RevisionScope(revs=("HEAD",), num=-1), [ONE, TWO, THREE]),
            (RevisionScope(date="2020-01-01"), [ONE, TWO, THREE]),
            (RevisionScope(date="2999-01-01"), [THREE]),
        ],
    )
    def test_commits(self, versions: Work, scope: RevisionScope, kept: list[bytes]):
        freed(versions, workspace=False, scope=scope)

        assert held(versions) == kept

    def test_the_last_commit_stays_though_the_workspace_moved_on(self, versions: Work):
        versions.write("file", b"4")
        versions.add("file")

        freed(versions)

        assert held(versions) == [THREE]

    def test_another_branch_goes_unless_it_is_asked_for(self, versions: Work):
        versions.git("branch", "old", "v1")

        freed(versions, scope=RevisionScope(all_branches=True))

        assert held(versions) == [ONE, THREE]

    def test_what_the_index_holds_stays(self, work: Work):
        work.write("file", ONE)
        work.add("file")
        work.git("add", "-A")
        work.write("file", TWO)
        work.add("file")

        freed(work)

        assert held(work) == [ONE, TWO]

    def test_what_a_stash_holds_stays(self, versions: Work):
        versions.write("file", ONE + TWO)
        versions.add("file")
        versions.git("stash")

        freed(versions)

        assert versions.object(ONE + TWO).exists()

    def test_where_branches_stood_within_the_grace_period_counts(self, versions: Work):
        versions.settings["gc.grace"] = "1h"

        result = gc(versions.repo(), GcOptions(workspace=True, force=True, unpushed=True))

        assert held(versions) == [ONE, TWO, THREE]
        assert result.removed == []

    def test_what_undo_can_bring_back_stays(self, versions: Work):
        versions.write("file", b"4")
        versions.add("file")
        versions.git("checkout", "-q", "--", "file.datavc")
        versions.checkout()

        kept = freed(versions, expire_undo=False)
        stayed = versions.object(b"4").exists()
        gone = freed(versions)

        assert stayed and kept.operations == 0
        assert not versions.object(b"4").exists()
        assert gone.operations > 0
        assert versions.repo().journal.ids() == []

    def test_operations_expire_with_time(self, versions: Work):
        versions.settings["core.undo_days"] = "0"

        freed(versions, expire_undo=False)

        assert held(versions) == [THREE]
        assert versions.repo().journal.ids() == []

    def test_what_lies_in_the_workspace_stays_though_its_pointer_moved_on(self, versions: Work):
        versions.git("checkout", "-q", "v1")

        freed(versions)

        assert held(versions) == [ONE, THREE]

    def test_a_version_that_was_put_there_by_revision_stays(self, versions: Work):
        versions.checkout("file", rev="v1")

        freed(versions)

        assert held(versions) == [ONE, THREE]

    def test_directories_keep_their_lists_and_files(self, work: Work):
        work.version({"d/a": ONE, "d/b": TWO}, "v1")
        work.version({"d/b": THREE}, "v2")

        freed(work)

        assert held(work) == [ONE, THREE]
        assert work.repo().objects.missing([work.pointed("d.datavc")]) == set()
        assert work.status() == {}


class TestKept:
    """What stays although nothing names it."""

    def test_what_no_remote_has_stays_and_is_counted(self, versions: Work):
        result = collect(versions)

        assert held(versions) == [ONE, TWO, THREE]
        tally = result.kept["unpushed"]
        assert (tally.files, tally.bytes) == (2, 3000)

    def test_what_a_remote_has_goes_and_its_place_is_named(self, versions: Work, tmp_path: Path):
        versions.remote(tmp_path / "storage", "storage")
        versions.push(scope=RevisionScope(revs=("v1",)), workspace=False)

        result = collect(versions)

        assert held(versions) == [TWO, THREE]
        assert [(one.bytes, one.remote) for one in result.removed] == [(1000, "storage")]

    @pytest.mark.parametrize("damage", ["cut", "link"])
    def test_a_damaged_object_on_a_remote_is_no_copy(
        self, versions: Work, tmp_path: Path, damage: str
    ):
        storage = versions.remote(tmp_path / "storage", "storage")
        versions.push(scope=RevisionScope(revs=("v1",)), workspace=False)
        there = storage / versions.object(ONE).relative_to(versions.repo().objects.root)
        there.unlink()
        there.write_bytes(ONE[1:]) if damage == "cut" else there.symlink_to(versions.object(ONE))

        result = collect(versions)

        assert held(versions) == [ONE, TWO, THREE]
        assert [w for w in result.warnings if "storage has 1 damaged" in w] or damage == "link"

    def test_each_remote_is_asked_for_what_the_others_lack(self, versions: Work, tmp_path: Path):
        versions.remote(tmp_path / "a", "a")
        versions.remote(tmp_path / "b", "b", default=False)
        versions.push(scope=RevisionScope(revs=("v1",)), workspace=False, remote="a")
        versions.push(scope=RevisionScope(revs=("v2",)), workspace=False, remote="b")

        result = collect(versions)

        assert {one.remote for one in result.removed} == {"a", "b"}
        assert held(versions) == [THREE]

    def test_a_remote_that_cannot_be_asked_stops_it(self, versions: Work):
        with open(versions.root / ".datavc/config.local.toml", "a") as settings:
            settings.write('[remote.far]\nurl = "http://127.0.0.1:9"\nretries = 0\n')

        with pytest.raises(RemoteError, match="far"):
            collect(versions)

        assert held(versions) == [ONE, TWO, THREE]
        assert any("far" in text for text in freed(versions).warnings)
        assert held(versions) == [THREE]

    def test_the_cache_itself_is_no_other_place(self, versions: Work):
        versions.remote(versions.root / ".datavc/cache", "here")

        result = collect(versions)

        assert held(versions) == [ONE, TWO, THREE]
        assert any("is the cache itself" in text for text in result.warnings)

    def test_what_is_young_stays(self, versions: Work):
        result = freed(versions, newer_than_s=3600.0)

        assert held(versions) == [ONE, TWO, THREE]
        assert result.kept["young"].files == 2

    def test_what_a_running_writer_claimed_stays(self, versions: Work):
        lease = Lease(versions.repo().objects.root)
        lease.claim([versions.digest(ONE)])

        result = freed(versions)
        lease.release()

        assert held(versions) == [ONE, THREE]
        assert result.kept["leased"].files == 1

    def test_a_dry_run_says_the_same_and_does_nothing(self, versions: Work):
        would = freed(versions, dry_run=True)
        operations = versions.repo().journal.ids()

        assert held(versions) == [ONE, TWO, THREE] and operations
        did = freed(versions)
        assert sorted(would.removed) == sorted(did.removed)
        assert would.operations == did.operations == len(operations)


class TestConsent:
    """Nothing goes without somebody's word."""

    def test_without_a_terminal_it_needs_force(self, versions: Work):
        with pytest.raises(UsageError, match="no terminal"):
            freed(versions, force=False)

        assert held(versions) == [ONE, TWO, THREE]

    def test_a_no_keeps_everything(self, versions: Work):
        questions: list[str] = []

        result = freed(versions, force=False, ask=lambda text: bool(questions.append(text)))

        assert result.declined and held(versions) == [ONE, TWO, THREE]
        assert "2 objects" in questions[0] and "2 of them on no remote" in questions[0]
        assert versions.repo().journal.ids()

    def test_a_yes_removes(self, versions: Work):
        freed(versions, force=False, ask=lambda _: True)

        assert held(versions) == [THREE]


class TestUnknown:
    """What cannot be told is never guessed."""

    @pytest.mark.parametrize("where", ["workspace", "index"])
    def test_a_broken_pointer_stops_it(self, versions: Work, where: str):
        versions.write("broken.datavc", "<<<<<<< ours\n")
        if where == "index":
            versions.git("add", "broken.datavc")
            versions.remove("broken.datavc")

        with pytest.raises(DatavcError, match=r"broken\.datavc"):
            freed(versions)

        assert held(versions) == [ONE, TWO, THREE]

    def test_a_broken_pointer_of_an_old_commit_is_passed_over(self, versions: Work):
        versions.write("broken.datavc", "no pointer\n")
        versions.commit("broken")
        versions.remove("broken.datavc")
        versions.commit("mended")

        result = freed(versions, scope=RevisionScope(all_commits=True))

        assert any("broken.datavc" in text for text in result.warnings)

    def test_a_damaged_operation_stops_it(self, versions: Work):
        name = versions.repo().journal.ids()[0]
        (versions.root / f".datavc/ops/{name}.jsonl").write_text("{")

        with pytest.raises(DatavcError, match=name):
            freed(versions, expire_undo=False)

        assert held(versions) == [ONE, TWO, THREE]

    def test_with_unpushed_a_lost_list_of_the_workspace_stops_it(self, work: Work):
        work.version({"d/a": ONE}, "v1")
        work.lose(work.pointed("d.datavc"))

        with pytest.raises(DatavcError, match="list of files in d is not here"):
            freed(work)
        result = collect(work)

        assert held(work) == [ONE]
        assert any("list of files in d" in text for text in result.warnings)

    def test_a_lost_list_of_an_old_commit_is_said(self, work: Work):
        work.version({"d/a": ONE}, "v1")
        lost = work.pointed("d.datavc")
        work.version({"d/a": TWO}, "v2")
        work.lose(lost)

        result = freed(work, scope=RevisionScope(all_commits=True))

        assert any("older commits track d" in text for text in result.warnings)


def test_scopes_from_options() -> None:
    none = (False, False, False)

    assert gc_scope(none, (), None, None) is None
    assert gc_scope((True, False, False), (), None, None) == RevisionScope(all_branches=True)
    assert gc_scope(none, ("v1",), 3, None) == RevisionScope(revs=("v1",), num=3)
    with pytest.raises(UsageError):
        gc_scope(none, (), 3, None)


def test_ages() -> None:
    assert parse_age("30d") == 30 * 86400
    assert parse_age(None) == 0
    with pytest.raises(UsageError, match="--newer-than"):
        parse_age("soon")


def test_the_command_says_what_goes_and_where_it_still_is(repo: RepoBuilder) -> None:
    for content in (b"1", b"22"):
        repo.write("file", content)
        repo.run("add", "file")
        repo.commit("version")
    repo.run("remote", "add", "-d", "storage", str(repo.root.parent / "storage"))
    repo.run("push", "-A")
    quick = ("-c", "gc.grace=0", "gc", "-w", "--expire-undo")

    would = repo.run(*quick, "--dry-run")
    asked = repo.run(*quick, check=False)
    did = repo.run(*quick, "-f")
    again = json.loads(repo.run(*quick, "-f", "--json").stdout)

    assert "Would remove 1 object, 1 B (1 also on storage)" in would.stdout
    assert asked.code == 2 and "-f" in asked.stderr
    assert "Removed 1 object, 1 B (1 also on storage)" in did.stdout
    assert (again["files"], again["bytes"], again["failures"]) == (0, 0, [])
    assert again["kept"]["needed"] == {"files": 1, "bytes": 2}


def test_without_a_scope_the_command_is_wrong(repo: RepoBuilder) -> None:
    done = repo.run("gc", "-f", check=False)

    assert done.code == 2
    assert "-w keeps the data of the workspace" in done.stderr
