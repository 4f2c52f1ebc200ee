"""du: sizes from pointers and lists of files; the data itself need not be here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datavc.core.errors import DataError, PathError
from datavc.verbs.du import DuOptions, DuResult, du
from tests.support.repo import RepoBuilder
from tests.support.work import Work


def measure(work: Work, target: str = "", *, here: str = "", **options: object) -> DuResult:
    return du(work.repo(here), target, DuOptions(**options))  # type: ignore[arg-type]


def rows(result: DuResult) -> dict[str, int]:
    return {row.path: row.bytes for row in result.entries}


@pytest.fixture
def data(work: Work) -> Work:
    work.version(
        {"file": b"12345", "d/a": b"1" * 10, "d/sub/b": b"2" * 20, "d/sub/c": b"2" * 20}, "v1"
    )
    return work


def test_all_that_is_tracked(data: Work) -> None:
    result = measure(data)

    assert rows(result) == {"d": 50, "file": 5}
    assert result.total == (".", 55, 4)


def test_a_directory_and_a_folder_in_it(data: Work) -> None:
    assert rows(measure(data, "d")) == {"d/a": 10, "d/sub": 40}
    assert measure(data, "d").total == ("d", 50, 3)
    assert rows(measure(data, "d/sub")) == {"d/sub/b": 20, "d/sub/c": 20}


@pytest.mark.parametrize(("path", "size"), [("file", 5), ("d/a", 10), ("d/sub/b", 20)])
def test_a_file(data: Work, path: str, size: int) -> None:
    result = measure(data, path)

    assert result.entries == ()
    assert result.total == (path, size, 1)


def test_folders_that_git_tracks_are_summed(work: Work) -> None:
    work.lay({"x/one/data": b"1", "x/two": b"22"})
    work.add("x/one/data", "x/two")

    assert rows(measure(work, "x")) == {"x/one": 1, "x/two": 2}
    assert measure(work, here="x").total == ("x", 3, 2)


def test_another_version(data: Work) -> None:
    data.version({"file": b"1"}, "v2")

    assert measure(data, "file").total.bytes == 1
    assert measure(data, "file", rev="v1").total.bytes == 5


def test_the_files_need_not_be_here(data: Work) -> None:
    data.remove("d", "file")
    data.lose(data.digest(b"12345"), data.digest(b"1" * 10))

    assert measure(data).total.bytes == 55
    assert measure(data, "d/a").total.bytes == 10


def test_not_even_lists_for_the_whole(data: Work) -> None:
    data.lose()

    assert measure(data).total.bytes == 55
    with pytest.raises(DataError, match="list of files in d") as error:
        measure(data, "d/sub")
    assert "datavc fetch d" in error.value.hint


def test_in_the_cache_shared_bytes_count_once(data: Work) -> None:
    result = measure(data, "d", cache=True)

    assert rows(result) == {"d/a": 10, "d/sub": 20}
    assert result.total == ("d", 30, 3)
    data.lose(data.digest(b"1" * 10))
    assert measure(data, "d", cache=True).total.bytes == 20


def test_bytes_that_two_outputs_share_count_once_in_the_total(work: Work) -> None:
    work.version({"one": b"same", "two": b"same"}, "v1")

    result = measure(work, cache=True)

    assert rows(result) == {"one": 4, "two": 4}
    assert result.total.bytes == 4


def test_an_empty_project_and_an_empty_directory(work: Work) -> None:
    assert measure(work).total == (".", 0, 0)
    (work.root / "hollow").mkdir()
    work.add("hollow")
    assert measure(work, "hollow").total == ("hollow", 0, 0)


@pytest.mark.parametrize("path", ["nothing", "d/nothing", "../outside"])
def test_a_path_that_names_nothing_is_an_error(data: Work, path: str) -> None:
    with pytest.raises(PathError):
        measure(data, path)


def test_a_pointer_without_size_is_measured_by_its_list(data: Work) -> None:
    pointer = Path(data.root, "d.datavc")
    lines = pointer.read_text().splitlines(keepends=True)
    pointer.write_text("".join(x for x in lines if not x.startswith(("size:", "files:"))))

    assert measure(data).total == (".", 55, 4)


def test_the_command_pads_sizes_and_ends_with_the_total(repo: RepoBuilder) -> None:
    repo.write("images/a.png", b"11")
    repo.write("images/b.png", b"1" * 1536)
    repo.run("add", "images")

    assert repo.run("du", "images").stdout == (
        "   2  images/a.png\n1.5k  images/b.png\n1.5k  images\n"
    )
    assert repo.run("du", ".", "images", "-s").stdout == "1.5k  images\n"
    assert json.loads(repo.run("du", "--json").stdout) == {
        "path": ".",
        "bytes": 1538,
        "files": 2,
        "entries": [{"path": "images", "bytes": 1538, "files": 2}],
    }
    assert repo.run("du", "images", "other", check=False).code == 2
