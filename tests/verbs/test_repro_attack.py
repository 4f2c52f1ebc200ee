"""What a hostile repository or remote, or an odd stage, tries: refused, or without effect."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from datavc.core.errors import FormatError
from datavc.core.paths import RepoPath
from datavc.formats import lockfile
from datavc.pipeline import runcache
from tests.support.pipeline import Pipelines, copies, noting


@pytest.fixture
def work(tmp_path: Path) -> Pipelines:
    """A project with an input; nothing ran yet."""
    work = Pipelines(tmp_path / "work")
    work.write("in", "one\n")
    return work


# outputs


@pytest.mark.parametrize(
    "name",
    [
        "datavc.yaml",
        "sub/datavc.yaml",
        "datavc.lock",
        ".gitignore",
        "sub/.gitignore",
        ".GitIgnore",
        ".gitattributes",
        ".datavcignore",
        "data.datavc",
    ],
)
def test_no_stage_makes_what_git_or_datavc_read(work: Pipelines, name: str) -> None:
    work.write("sub/keep", "x\n")
    work.define({"one": copies("one", ["in"], name)})

    assert f"{name} is read by Git or datavc" in work.refused()


def test_no_output_holds_a_stage_file(work: Pipelines) -> None:
    work.define({"one": {"cmd": "mkdir -p sub", "outs": ["sub"]}})
    work.define({"two": {"cmd": "true", "outs": ["../made"]}}, folder="sub")

    assert "sub/datavc.yaml" in work.refused()
    assert (work.root / "sub/datavc.yaml").exists()


def test_a_restored_directory_holds_nothing_else(work: Pipelines) -> None:
    cmd = noting("one", "mkdir -p d; cat in > d/f")
    work.define(
        {
            "one": {"cmd": cmd, "deps": ["in"], "outs": ["d"]},
            "two": copies("two", ["d/f"], "end"),
        }
    )
    work.repro()
    work.write("d/mine", "my own\n")

    ran = work.repro()

    assert ran.actions == {"one": "restore", "two": "skip"}
    assert ran.ran == []
    assert sorted(path.name for path in (work.root / "d").iterdir()) == ["f"]
    assert work.repro().actions == {"one": "skip", "two": "skip"}
    work.do("undo")
    assert work.read("d/mine") == b"my own\n"


# commands


def test_a_command_with_a_nul_is_refused(work: Pipelines) -> None:
    work.define({"one": {"cmd": "echo \0", "outs": ["x"]}})

    assert "datavc.yaml:" in work.refused()


def test_a_stage_that_brings_stages_up_to_date_is_told_so_at_once(work: Pipelines) -> None:
    inner = noting("one", f"cat in > made; {sys.executable} -m datavc repro two")
    work.define(
        {
            "one": {"cmd": inner, "deps": ["in"], "outs": ["made"]},
            "two": copies("two", ["in"], "other"),
        }
    )

    ran = work.repro(code=1)

    assert ran.actions == {"one": "failed", "two": "blocked"}
    log = next((work.root / ".datavc/logs").rglob("one-*.log")).read_text()
    assert "the stage one" in log
    assert "Waiting" not in log


# parameters


def test_a_folder_in_place_of_parameters_is_named(work: Pipelines) -> None:
    (work.root / "params.yaml").mkdir()
    work.define({"one": copies("one", ["in"], "made", params=["lr"])})

    assert "params.yaml cannot be read: Is a directory" in work.refused()
    assert "params.yaml" in work.do("status", code=0).stderr


# locks


def locked(work: Pipelines, old: str, new: str) -> None:
    text = work.read("datavc.lock").decode()
    assert old in text
    work.write("datavc.lock", text.replace(old, new))


@pytest.mark.parametrize("text", [r"\ud800", r"\uDCFF", r"x\udbff\u0041"])
def test_half_a_character_in_a_lock_is_refused(work: Pipelines, text: str) -> None:
    work.define({"one": copies("one", ["in"], "a"), "two": copies("two", ["in"], "b")})
    work.repro("one")
    locked(work, '"env": {}', f'"env": {{"{text}": ""}}')

    assert "datavc.lock" in work.refused("two")


def test_a_size_that_no_file_has_is_refused(work: Pipelines) -> None:
    work.define({"one": copies("one", ["in"], "made")})
    work.repro()
    locked(work, '"size": 4', f'"size": {1 << 63}')

    assert "'size' of a wrong kind" in work.refused()


@pytest.mark.parametrize("stages", ["{}", '{"one": {"cmd": "x"}, "two": {"cmd": "x"}}'])
def test_a_line_of_a_journal_that_tells_of_no_single_stage_is_refused(stages: str) -> None:
    line = f'{{"datavc": 1, "stages": {stages}}}'.encode()

    with pytest.raises(FormatError, match="stages"):
        lockfile.parse_entry(line, RepoPath("datavc.lock"))


def a_run(**more: object) -> tuple[str, bytes]:
    text = b'{"datavc": 1, "stages": {"one": {"cmd": "x"}}}'
    entry = lockfile.parse(text, RepoPath("datavc.lock"))["one"]
    run = runcache.CachedRun("one", entry, 1.0)
    said = json.loads(runcache.render(run)) | more
    return run.key, json.dumps(said).encode()


def test_an_entry_that_nothing_was_done_to_is_read() -> None:
    key, data = a_run()

    assert runcache.parse(data, key).seconds == 1.0


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1, "nan", None])
def test_a_run_that_took_no_possible_time_is_refused(seconds: object) -> None:
    key, data = a_run(seconds=seconds)

    with pytest.raises(FormatError, match="damaged"):
        runcache.parse(data, key)


def test_a_run_that_took_longer_than_a_number_can_say_is_refused() -> None:
    key, data = a_run(seconds=10**400)

    with pytest.raises(FormatError, match="damaged"):
        runcache.parse(data, key)


def test_a_run_of_a_stage_with_half_a_character_is_refused() -> None:
    key, data = a_run(lock={"datavc": 1, "stages": {"\ud800": {"cmd": "x"}}})

    with pytest.raises(FormatError, match="damaged"):
        runcache.parse(data, key)
