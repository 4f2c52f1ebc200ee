from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from datavc.core.errors import PathError
from datavc.repo import ignore

PIECES = [
    "a",
    "b",
    "c",
    "*",
    "**",
    "?",
    "[ab]",
    "a*",
    "*.c",
    "[!a]",
    "a\\*",
    " a",
    "b ",
    "\\ ",
    "x[",
]
NAMES = ["a", "b", "c", "ab", "a.c", "a*", " a", "b "]


def rules(root: Path, **files: str) -> ignore.IgnoreRules:
    for folder, text in files.items():
        place = root / folder.replace("_", "/").strip("/")
        place.mkdir(parents=True, exist_ok=True)
        (place / ".datavcignore").write_text(text)
    return ignore.load(str(root))


def test_without_patterns_nothing_is_ignored_and_no_matcher_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys; from datavc.repo import ignore; r = ignore.load(sys.argv[1]);"
        "assert not r.is_ignored('a/b', is_dir=False); assert 'pathspec' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_the_deciding_line_is_named(tmp_path: Path) -> None:
    found = rules(tmp_path, _="# temporary\n*.tmp\n!keep.tmp\n", a="b/\n")

    assert found.match("a/x.tmp", is_dir=False) == (".datavcignore", 2, "*.tmp", False)
    assert found.match("keep.tmp", is_dir=False) is None
    assert found.deciding("keep.tmp", is_dir=False) == (".datavcignore", 3, "!keep.tmp", True)
    assert found.match("a/b/c/d", is_dir=False) == ("a/.datavcignore", 1, "b/", False)
    assert found.match("a/b", is_dir=False) is None
    assert found.match("b/c", is_dir=False) is None


def test_nothing_below_an_ignored_folder_is_taken_back_in(tmp_path: Path) -> None:
    found = rules(tmp_path, _="a/\n!a/b\n", a="!b\n")

    assert found.match("a/b", is_dir=False) == (".datavcignore", 1, "a/", False)


def test_a_walk_goes_on_inside_a_folder_that_a_rule_names(tmp_path: Path) -> None:
    found = rules(tmp_path, _="data/\n*.tmp\n")

    assert not found.is_ignored("data/x", is_dir=False)
    assert found.is_ignored("data/x.tmp", is_dir=False)
    assert found.is_ignored("data", is_dir=True)


@pytest.mark.parametrize("name", [".git", ".datavc"])
def test_the_folders_of_git_and_datavc_are_always_ignored(tmp_path: Path, name: str) -> None:
    found = rules(tmp_path, _="!.git\n!.datavc\n")

    assert found.is_ignored(f"a/{name}", is_dir=True)
    assert found.match(f"a/{name}/config", is_dir=False) == ("", 0, name, False)


def test_patterns_keep_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / ".datavcignore").write_bytes(b"x\xff*\n")

    assert ignore.load(str(tmp_path)).is_ignored("x\udcff1", is_dir=False)


def test_a_line_that_is_no_pattern_is_passed_over(tmp_path: Path) -> None:
    found = rules(tmp_path, _="!\n/\n[\na\n")

    assert found.match("a", is_dir=False) == (".datavcignore", 4, "a", False)


def test_windows_line_ends_are_no_part_of_a_pattern(tmp_path: Path) -> None:
    (tmp_path / ".datavcignore").write_bytes(b"a\r\nb\r\n")

    assert ignore.load(str(tmp_path)).is_ignored("b", is_dir=False)


def test_a_file_of_patterns_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".datavcignore").symlink_to("/etc/passwd")

    with pytest.raises(PathError, match=r"\.datavcignore cannot be read"):
        ignore.load(str(tmp_path)).is_ignored("a", is_dir=False)


def test_more_folders_than_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ignore, "REMEMBERED", 2)
    found = rules(tmp_path, _="*.a\n", a="*.b\n", a_b="*.c\n")

    for _ in range(2):
        assert [found.is_ignored(f"a/b/x.{end}", is_dir=False) for end in "abcd"] == [
            True,
            True,
            True,
            False,
        ]
        assert not found.is_ignored("c/d/e/x.b", is_dir=False)


def pattern(chance: random.Random) -> str:
    text = "/".join(chance.choice(PIECES) for _ in range(chance.choice([1, 1, 1, 2, 2, 3])))
    text = ("/" if chance.random() < 0.25 else "") + text
    text += "/" if chance.random() < 0.3 else ""
    return ("!" if chance.random() < 0.25 else "") + text


@pytest.mark.parametrize("seed", range(12))
def test_git_decides_the_same(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for _ in range(40):
        path = tmp_path.joinpath(*(chance.choice(NAMES) for _ in range(chance.randint(1, 4))))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        except OSError:
            continue  # a file is in the way
    found = [path for path in tmp_path.rglob("*") if ".git" not in path.parts]
    folders = sorted(path for path in found if path.is_dir())
    for folder in [tmp_path, *chance.sample(folders, min(3, len(folders)))]:
        text = "\n".join(pattern(chance) for _ in range(4)) + "\n"
        for name in (".gitignore", ".datavcignore"):
            (folder / name).write_text(text)

    names = [str(path.relative_to(tmp_path)) for path in found]
    decided = git_decides(tmp_path, names)

    ours = ignore.load(str(tmp_path))
    for path, name in zip(found, names, strict=True):
        assert ours.match(name, is_dir=path.is_dir()) == decided[name], name


def git_decides(root: Path, names: list[str]) -> dict[str, tuple[str, int, str, bool] | None]:
    asked = ["git", "-C", root, "check-ignore", "--no-index", "-vnz", "--stdin"]
    given = "\0".join(names).encode()
    answer = subprocess.run(asked, input=given, capture_output=True, check=False).stdout.decode()
    cells = answer.split("\0")[:-1]
    decided: dict[str, tuple[str, int, str, bool] | None] = {}
    for source, line, text, name in zip(*[iter(cells)] * 4, strict=True):
        file = source.replace(".gitignore", ".datavcignore")
        ignored = source and not text.startswith("!")
        decided[name] = (file, int(line), text, False) if ignored else None
    return decided
