"""list: Git's files and tracked data side by side, told without the data."""

from __future__ import annotations

import json

import pytest

from datavc.core.errors import DataError, PathError, UsageError
from datavc.verbs.list_files import ListedFile, ListOptions, list_files
from tests.support.repo import RepoBuilder
from tests.support.work import Work

KEYS = {"isout", "isdir", "isexec", "size", "md5", "digest", "path"}


def listed(work: Work, *places: str, here: str = "", **options: object) -> list[ListedFile]:
    return list_files(work.repo(here), places, ListOptions(**options)).files  # type: ignore[arg-type]


def names(work: Work, *places: str, **options: object) -> list[str]:
    return [found.path for found in listed(work, *places, **options)]  # type: ignore[arg-type]


@pytest.fixture
def mixed(work: Work) -> Work:
    """Return a project with data in folders and code of Git's."""
    work.write("images/a.png", "a")
    work.write("images/sub/b.png", "bb")
    work.write("data/raw.csv", "raw")
    work.write("src/run.py", "1").chmod(0o755)
    work.add("images", "data/raw.csv")
    work.commit("v1")
    work.write("images/c.png", "ccc")
    work.add("images")
    work.commit("v2")
    return work


def test_the_first_level_shows_outputs_and_folders(mixed: Work) -> None:
    found = {entry.path: entry for entry in listed(mixed)}

    assert [*found] == [
        ".datavcignore", ".gitattributes", ".gitignore", "data", "images", "images.datavc", "src"
    ]  # fmt: skip
    assert found["images"].isout and found["images"].isdir and found["images"].size == 6
    assert found["images"].digest == mixed.pointed("images.datavc")
    assert not found["data"].isout and found["data"].isdir and found["data"].size is None
    assert not found["images.datavc"].isout and found["images.datavc"].size


def test_recursive_lists_files_alone(mixed: Work) -> None:
    assert names(mixed, level=None, folders=False, tracked=True) == [
        "data/raw.csv", "images/a.png", "images/c.png", "images/sub/b.png"
    ]  # fmt: skip
    assert "src/run.py" in names(mixed, level=None, folders=False)


def test_a_level_cuts_off_what_lies_deeper(mixed: Work) -> None:
    assert names(mixed, level=2, folders=False, tracked=True) == [
        "data/raw.csv", "images/a.png", "images/c.png", "images/sub"
    ]  # fmt: skip
    assert names(mixed, "images", level=None) == ["a.png", "c.png", "sub", "sub/b.png"]


@pytest.mark.parametrize("places", [("images",), (".", "images"), ("data", "../images")])
def test_paths_are_seen_from_the_place_that_was_asked_for(
    mixed: Work, places: tuple[str, ...]
) -> None:
    assert names(mixed, *places) == ["a.png", "c.png", "sub"]


def test_a_folder_inside_and_a_single_file_are_places_too(mixed: Work) -> None:
    (inside,) = listed(mixed, "images/sub")
    (single,) = listed(mixed, "images/a.png")
    (output,) = listed(mixed, "raw.csv", here="data")
    (code,) = listed(mixed, "src")

    assert (inside.path, inside.size, inside.isout) == ("b.png", 2, True)
    assert (single.path, single.digest) == ("a.png", mixed.digest(b"a"))
    assert (output.path, output.isout) == ("raw.csv", True)
    assert (code.path, code.isexec, code.isout, code.digest) == ("run.py", True, False, None)


def test_a_revision_is_listed_from_git_and_the_cache(mixed: Work) -> None:
    mixed.remove("images", "src")

    assert names(mixed, "images", rev="v1") == ["a.png", "sub"]
    (code,) = listed(mixed, "src", rev="v1")
    assert (code.path, code.size, code.isexec) == ("run.py", 1, True)
    assert names(mixed, "images") == ["a.png", "c.png", "sub"]


def test_a_directory_whose_list_is_not_here_is_one_entry(mixed: Work) -> None:
    mixed.lose()

    found = list_files(mixed.repo(), (), ListOptions(level=None, folders=False))

    assert "images" in [entry.path for entry in found.files]
    assert any("datavc fetch images" in warning for warning in found.warnings)
    with pytest.raises(DataError, match="list of files in images") as caught:
        listed(mixed, "images", rev="v1")
    assert "--rev v1 images" in caught.value.hint


def test_other_repositories_and_unknown_paths_are_refused(mixed: Work) -> None:
    with pytest.raises(UsageError, match="only this repository"):
        listed(mixed, "https://example.invalid/repo")
    with pytest.raises(UsageError, match="no folder"):
        listed(mixed, "nope", "images")
    with pytest.raises(PathError, match="imagse is tracked neither") as caught:
        listed(mixed, "imagse")
    assert "images" in caught.value.hint
    (mixed.root / "stray").mkdir()
    with pytest.raises(PathError, match="nothing in stray"):
        listed(mixed, "stray")


def test_the_md5_of_data_that_came_with_one_is_shown_as_scripts_know_it() -> None:
    directory = ListedFile("d", True, True, False, 1, "md5:" + "0" * 32)  # type: ignore[arg-type]

    assert directory.to_json()["md5"] == "0" * 32 + ".dir"


def test_json_has_the_keys_that_scripts_read(repo: RepoBuilder) -> None:
    repo.write("images/a.png", "a")
    repo.run("add", "images")

    (found,) = json.loads(repo.run("list", ".", "images", "--json").stdout)

    assert set(found) >= KEYS
    assert found["path"] == "a.png" and found["isout"] and found["md5"] is None
    assert found["digest"].startswith("blake3:") and found["size"] == 1


def test_trees_and_columns_are_drawn(repo: RepoBuilder) -> None:
    repo.write("images/sub/a.png", "a")
    repo.write("images/z", "zz")
    repo.run("add", "images")

    tree = repo.run("ls", "-T", "images").stdout
    sizes = repo.run("ls", "--dvc-only", "-R", "--size").stdout

    assert tree == "├── sub\n│   └── a.png\n└── z\n"
    assert sizes == "1 B  images/sub/a.png\n2 B  images/z\n"
