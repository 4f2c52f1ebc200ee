from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datavc.core.errors import FormatError, PathError
from datavc.core.outputs import Pointer
from datavc.core.paths import RepoPath
from datavc.repo import pointers
from tests.support.values import NAMES

POINTER = Pointer("raw.csv", "file", "blake3:" + "9f" * 32, 12)  # type: ignore[arg-type]
ROOT = RepoPath("")


def names(*found: str, folder: str = "", is_dir: bool = False) -> pointers.Names:
    return {RepoPath(folder): [(name, is_dir) for name in found]}


def test_a_new_pointer_is_canonical_and_an_old_one_keeps_its_comments() -> None:
    text = pointers.text_of(POINTER, None)

    assert pointers.text_of(POINTER, text + "# mine\n") == text + "# mine\n"
    assert pointers.pointer_path(RepoPath("data/raw.csv")) == "data/raw.csv.datavc"


def test_a_pointer_that_is_none_is_not_rewritten() -> None:
    with pytest.raises(FormatError, match="^raw.csv.datavc: line 1: "):
        pointers.text_of(POINTER, "hello\n")


def test_a_pointer_is_written_and_removed(tmp_path: Path) -> None:
    file, path = tmp_path / "raw.csv.datavc", RepoPath("raw.csv.datavc")

    pointers.write_text(str(tmp_path), path, "datavc: 1\n")
    file.chmod(0o640)
    pointers.write_text(str(tmp_path), path, "datavc: 2\n")

    assert file.read_text() == "datavc: 2\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["raw.csv.datavc"]
    assert pointers.remove(str(tmp_path), path)
    assert not pointers.remove(str(tmp_path), path)


@pytest.mark.parametrize("place", ["link.datavc", "way/x.datavc", "folder.datavc"])
def test_nothing_is_written_through_what_is_in_the_way(tmp_path: Path, place: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "folder.datavc").mkdir(parents=True)
    outside.mkdir()
    (outside / "file").write_text("kept")
    (root / "link.datavc").symlink_to("../outside/file")
    (root / "way").symlink_to("../outside")

    with pytest.raises(PathError):
        pointers.write_text(str(root), RepoPath(place), "x")
    with pytest.raises(PathError):
        pointers.remove(str(root), RepoPath(place))

    assert os.listdir(outside) == ["file"]
    assert (outside / "file").read_text() == "kept"


def test_an_ignore_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("kept\n")
    (tmp_path / ".gitignore").symlink_to("elsewhere")

    for change in (pointers.add_ignore_lines, pointers.remove_ignore_lines):
        with pytest.raises(PathError, match="is a symbolic link"):
            change(str(tmp_path), names("kept"))

    assert (tmp_path / "elsewhere").read_text() == "kept\n"


def test_lines_come_and_go_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / ".gitignore"
    mine = b"# mine\n*.pyc\n\xff\n/raw.csv.old"
    file.write_bytes(mine)

    assert pointers.add_ignore_lines(str(tmp_path), names("raw.csv", "b.csv")) == [".gitignore"]
    assert file.read_bytes() == mine + b"\n/raw.csv\n/b.csv\n"
    assert pointers.add_ignore_lines(str(tmp_path), names("b.csv")) == []
    assert pointers.remove_ignore_lines(str(tmp_path), names("raw.csv")) == [".gitignore"]
    assert pointers.remove_ignore_lines(str(tmp_path), names("raw.csv")) == []
    assert file.read_bytes() == mine + b"\n/b.csv\n"


def test_an_ignore_file_with_nothing_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    ours = names("images", folder="data", is_dir=True)

    assert pointers.add_ignore_lines(str(tmp_path), ours) == ["data/.gitignore"]
    assert (tmp_path / "data/.gitignore").read_text() == "/images/\n"
    assert pointers.remove_ignore_lines(str(tmp_path), ours) == ["data/.gitignore"]
    assert not (tmp_path / "data/.gitignore").exists()


def test_a_directory_that_a_shorter_line_ignores_gets_no_other(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("/images\n")

    assert pointers.add_ignore_lines(str(tmp_path), names("images", is_dir=True)) == []


def test_windows_line_ends_are_followed(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(b"*.pyc\r\n")

    pointers.add_ignore_lines(str(tmp_path), names("a"))

    assert (tmp_path / ".gitignore").read_bytes() == b"*.pyc\r\n/a\r\n"


def test_a_name_with_a_line_break_is_refused() -> None:
    with pytest.raises(PathError, match="line break"):
        pointers.ignore_line("a\nb", is_dir=False)


ODD = [
    "a",
    "#a",
    "!a",
    "a*",
    "a?b",
    "[ab]",
    "a\\",
    "a\\*",
    "a ",
    "a  ",
    " a",
    "a\r",
    "a\t",
    "é",
    "-",
]


@pytest.mark.parametrize("is_dir", [False, True])
def test_git_ignores_exactly_the_odd_names_that_are_meant(tmp_path: Path, is_dir: bool) -> None:
    others = ["b", "ab", "aXb", "a b", "x", "other#a", "[ab"]
    check_with_git(tmp_path, ODD, others, is_dir=is_dir)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.sets(NAMES.filter(lambda name: "\n" not in name), min_size=8, max_size=20))
def test_git_ignores_exactly_what_is_meant(
    tmp_path_factory: pytest.TempPathFactory, found: set[str]
) -> None:
    half = sorted(found)[::2]
    others = [name for name in found if name not in half and name != ".gitignore"]
    check_with_git(tmp_path_factory.mktemp("names"), half, others, is_dir=False)


def check_with_git(root: Path, meant: list[str], others: list[str], *, is_dir: bool) -> None:
    subprocess.run(["git", "init", "-q", root], check=True)
    for name in [*meant, *others]:
        if is_dir:
            (root / name).mkdir()
            (root / name / "x").touch()
        else:
            (root / name).touch()

    pointers.add_ignore_lines(str(root), {ROOT: [(name, is_dir) for name in meant]})

    asked = ["git", "-C", root, "ls-files", "-zo", "--exclude-standard", "--directory"]
    seen = subprocess.run(asked, capture_output=True, check=True).stdout.split(b"\0")[:-1]
    shown = {os.fsdecode(name.removesuffix(b"/")) for name in seen}
    assert shown == {*others, ".gitignore"}
