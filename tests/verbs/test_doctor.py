"""doctor: one line a check, the way out of each, and nothing changed without --fix."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from datavc.core.progress import SILENT
from datavc.repo import hooks
from datavc.store import leftovers
from datavc.verbs.doctor import DoctorOptions, doctor
from datavc.verbs.health import Check
from tests.support.repo import RepoBuilder
from tests.support.work import Work


def look(work: Work, **options: bool) -> dict[str, list[Check]]:
    """Return the checks by name."""
    found: dict[str, list[Check]] = {}
    for check in doctor(str(work.root), work.settings, DoctorOptions(**options)).checks:
        found.setdefault(check.name, []).append(check)
    return found


def states(work: Work, name: str, **options: bool) -> list[str]:
    return [check.state for check in look(work, **options)[name]]


def snapshot(root: Path) -> dict[str, tuple[int, int]]:
    """Return what lies below `root` with size and time of change."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            status = os.lstat(os.path.join(folder, name))
            found[os.path.join(folder, name)] = (status.st_size, status.st_mtime_ns)
    return found


@pytest.fixture
def data(work: Work) -> Work:
    work.version({"file": b"one", "d/a": b"a"}, "v1")
    return work


def test_a_fresh_project_is_well(data: Work) -> None:
    result = doctor(str(data.root), {})

    assert [check for check in result.checks if check.state == "fail"] == []
    assert result.exit_code == 0
    assert {check.state for check in result.checks if check.name != "links"} == {"ok", "warn"}
    assert [c.name for c in result.checks if c.state == "warn" and c.name != "links"] == [
        "remotes"
    ]


def test_looking_changes_nothing(data: Work) -> None:
    before = snapshot(data.root / ".datavc"), snapshot(data.root / ".git/hooks")

    doctor(str(data.root), {})

    assert before == (snapshot(data.root / ".datavc"), snapshot(data.root / ".git/hooks"))


def test_versions_and_packages_are_told(data: Work) -> None:
    found = look(data)

    assert "Python 3" in found["datavc"][0].message
    assert "blake3" in found["packages"][0].message
    assert found["git program"][0].state == "ok"


def test_without_a_project_that_is_said(tmp_path: Path) -> None:
    result = doctor(str(tmp_path), {})

    assert result.exit_code == 1
    assert result.checks[-1].state == "fail"
    assert "datavc init" in result.checks[-1].hint


def test_a_wrong_setting_fails_and_names_its_file(data: Work) -> None:
    (data.root / ".datavc/config.toml").write_text("[core]\nnonsense = 1\n")

    result = doctor(str(data.root), {})

    assert result.exit_code == 1
    assert "config.toml" in result.checks[-1].message


def test_a_setting_without_effect_is_told(data: Work) -> None:
    (data.root / ".datavc/config.local.toml").write_text("[core]\nanalytics = false\n")

    assert "core.analytics" in look(data)["settings"][0].message


def test_links_are_tried_and_leave_nothing(data: Work) -> None:
    message = look(data)["links"][0].message

    assert "hardlink" in message and "symlink" in message and "copy" in message
    assert not [path for path in snapshot(data.root / ".datavc") if ".doctor-" in path]


def test_a_shared_cache_that_the_group_cannot_write_is_told(data: Work) -> None:
    data.settings["cache.shared"] = "group"
    assert states(data, "shared cache") == ["warn"]

    for folder in ("", "objects", "tmp", "leases"):
        (data.root / ".datavc/cache" / folder).chmod(0o2770)

    assert states(data, "shared cache") == ["ok"]


class TestHooks:
    """Whether data follows Git."""

    def test_missing_hooks_and_driver(self, data: Work) -> None:
        hooks.uninstall(data.repo().git)

        found = look(data)

        assert found["hooks"][0].state == "warn" and "datavc install" in found["hooks"][0].hint
        assert found["merge driver"][0].state == "warn"

    def test_stale_hooks_are_brought_up_to_date_by_fix(self, data: Work) -> None:
        stale = data.root / ".git/hooks/post-merge"
        stale.write_bytes(stale.read_bytes() + b"# older\n")

        assert states(data, "hooks") == ["warn"]
        assert stale.read_bytes().endswith(b"# older\n")
        assert states(data, "hooks", fix=True) == ["ok"]
        assert not stale.read_bytes().endswith(b"# older\n")

    def test_hooks_that_were_taken_out_stay_out_with_fix(self, data: Work) -> None:
        hooks.uninstall(data.repo().git)

        assert states(data, "hooks", fix=True) == ["warn"]
        assert not (data.root / ".git/hooks/post-merge").exists()

    def test_missing_attributes(self, data: Work) -> None:
        (data.root / ".gitattributes").write_text("")

        assert states(data, "attributes") == ["warn"]


class TestPointers:
    """What stands in the workspace."""

    def test_a_broken_pointer_fails(self, data: Work) -> None:
        data.write("broken.datavc", "<<<<<<< ours\n")

        check = look(data)["pointers"][0]

        assert check.state == "fail" and "broken.datavc" in check.message

    def test_data_that_git_tracks_too_is_told(self, data: Work) -> None:
        data.git("add", "-f", "file")

        check = look(data)["git"][0]

        assert check.state == "warn" and "git rm -r --cached file" in check.hint


class TestRemotes:
    """Whether they can be used."""

    def test_none_is_asked_without_cloud(self, data: Work) -> None:
        (data.root / ".datavc/config.local.toml").write_text(
            '[core]\nremote = "far"\n[remote.far]\nurl = "http://127.0.0.1:9"\nretries = 0\n'
        )

        assert states(data, "remote far") == ["ok"]
        assert states(data, "remote far", cloud=True) == ["fail"]

    def test_one_that_answers(self, data: Work, tmp_path: Path) -> None:
        data.remote(tmp_path / "storage", "storage")
        data.push()

        assert "answers" in look(data, cloud=True)["remote storage"][0].message

    def test_one_that_came_with_the_repository(self, data: Work) -> None:
        with open(data.root / ".datavc/config.toml", "a") as settings:
            settings.write('[remote.theirs]\nurl = "s3://bucket/prefix"\n')

        found = look(data, cloud=True)

        assert "datavc remote trust theirs" in found["remote theirs"][0].hint
        assert "datavc remote default theirs" in found["remotes"][0].hint

    def test_a_default_that_does_not_exist(self, data: Work) -> None:
        (data.root / ".datavc/config.local.toml").write_text(
            '[core]\nremote = "gone"\n[remote.there]\nurl = "/tmp"\n'
        )

        assert states(data, "remotes") == ["fail"]


class TestLeftovers:
    """What crashes left."""

    def test_leases_of_dead_writers(self, data: Work) -> None:
        stale = data.root / ".datavc/cache/leases/1-deaddeaddead"
        stale.write_text("")

        assert states(data, "leftovers") == ["warn"]
        assert stale.exists()
        assert states(data, "leftovers", fix=True) == ["ok", "ok"]
        assert not stale.exists()

    def test_young_temporary_files_are_somebodys(self, data: Work) -> None:
        (data.root / ".datavc/tmp").mkdir(exist_ok=True)
        (data.root / ".datavc/tmp/half").write_text("")

        assert states(data, "leftovers") == ["ok"]

    def test_old_ones_are_nobodys(self, data: Work, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(leftovers, "DAY_S", -60.0)
        (data.root / ".datavc/tmp").mkdir(exist_ok=True)
        half = data.root / ".datavc/tmp/half"
        half.write_text("")

        assert states(data, "leftovers") == ["warn"]
        look(data, fix=True)
        assert not half.exists()

    def test_those_of_today_are_counted_and_stay(self, data: Work) -> None:
        (data.root / ".datavc/tmp").mkdir(exist_ok=True)
        half = data.root / ".datavc/tmp/half"
        half.write_bytes(bytes(1 << 20))

        message = look(data, fix=True)["leftovers"][0].message

        assert "1, 1.0 MiB, from today" in message
        assert half.exists()

    def test_the_folder_of_a_writer_that_died_today_is_told_with_its_lease(
        self, data: Work
    ) -> None:
        (data.root / ".datavc/cache/leases/1-deaddeaddead").write_text("")
        (data.root / ".datavc/cache/tmp/1-deaddeaddead").mkdir(parents=True)
        (data.root / ".datavc/cache/tmp/1-deaddeaddead/1").write_bytes(bytes(1 << 20))

        message = look(data)["leftovers"][0].message

        assert "leases/1-deaddeaddead; 1, 1.0 MiB, from today" in message

    def test_a_lock_whose_holder_was_killed_is_free(self, data: Work) -> None:
        (data.root / ".datavc/state/lock").write_text("process 7 on host (datavc add)")

        check = look(data)["lock"][0]

        assert check.state == "ok"
        assert check.message == "free; process 7 on host (datavc add) ended without giving it back"

    def test_a_lock_that_is_held(self, data: Work) -> None:
        with data.repo().lock(SILENT):
            check = look(data)["lock"][0]

        assert check.state == "warn" and f"process {os.getpid()} on " in check.message

    def test_a_lock_of_git(self, data: Work) -> None:
        (data.root / ".git/index.lock").touch()

        assert ".git/index.lock" in look(data)["git lock"][0].message

    def test_objects_that_are_gone(self, data: Work) -> None:
        assert states(data, "data") == ["ok"]
        shutil.rmtree(data.root / ".datavc/cache/objects")

        check = look(data)["data"][0]

        assert check.state == "warn"
        assert "lacks 2 objects that were here, such as that of d/" in check.message

    def test_what_was_never_fetched_is_not_lost(self, data: Work, tmp_path: Path) -> None:
        assert states(data.clone(tmp_path / "clone"), "data") == ["ok"]

    def test_a_damaged_operation(self, data: Work) -> None:
        name = data.repo().journal.ids()[0]
        (data.root / f".datavc/ops/{name}.jsonl").write_text("")

        assert name in look(data)["undo"][0].message


def test_the_command_prints_a_line_a_check(repo: RepoBuilder, tmp_path: Path) -> None:
    repo.write("broken.datavc", "nonsense")
    lines = repo.run("doctor", check=False)
    listed = json.loads(repo.run("doctor", "--json", check=False).stdout)["checks"]
    outside = RepoBuilder(tmp_path / "outside", init=False).run("doctor", check=False)

    assert lines.code == 1
    assert len(lines.stdout.splitlines()) == len(listed)
    assert any(line.startswith("fail  pointers") for line in lines.stdout.splitlines())
    assert {"name", "state", "message", "hint"} == listed[0].keys()
    assert outside.code == 1 and "fail  project" in outside.stdout
