"""cat: verified bytes of a tracked file, of now and of before."""

from __future__ import annotations

import os
import subprocess

import pytest

from datavc.core.errors import DataError, DatavcError, PathError
from datavc.verbs import cat as verb
from datavc.verbs.cat import cat
from tests.support.repo import PROGRAM, RepoBuilder
from tests.support.work import Work


def show(work: Work, path: str, rev: str | None = None) -> bytes:
    return b"".join(cat(work.repo(), path, rev=rev))


@pytest.fixture
def versions(work: Work) -> Work:
    """Return a project with two versions of a directory and a file, and a file of Git's."""
    work.write("d/sub/one", b"1\0\xff")
    (work.root / "d/link").symlink_to("sub/one")
    (work.root / "d/circle").symlink_to("circle")
    work.write("x.csv", "x1")
    work.write("code.py", "print(1)\n")
    work.add("d", "x.csv")
    work.commit("v1")
    work.write("d/sub/one", "second")
    work.write("x.csv", "x2")
    work.write("code.py", "print(2)\n")
    work.add("d", "x.csv")
    work.commit("v2")
    return work


def test_the_recorded_version_is_printed_whatever_lies_there(versions: Work) -> None:
    versions.write("x.csv", "edited")
    versions.remove("d")

    assert show(versions, "x.csv") == b"x2"
    assert show(versions, "d/sub/one") == b"second"
    assert show(versions, "d/link") == b"second"
    assert show(versions, "code.py") == b"print(2)\n"


def test_a_revision_is_read_without_touching_the_workspace(versions: Work) -> None:
    before = versions.tree()

    assert show(versions, "x.csv", "v1") == b"x1"
    assert show(versions, "d/sub/one", "v1") == b"1\0\xff"
    assert show(versions, "code.py", "v1") == b"print(1)\n"
    assert show(versions, "x.csv.datavc", "v1").startswith(b"datavc: 1")
    assert versions.tree() == before


def test_large_files_come_in_pieces(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    data = os.urandom(verb.SMALL + 12345)
    work.write("big", data)
    work.add("big")

    pieces = list(cat(work.repo(), "big"))

    assert len(pieces) == 2 and b"".join(pieces) == data


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("d", "d is a folder"),
        ("d/sub", "d/sub is a folder"),
        ("d/nope", "d/nope names nothing in d"),
        ("x.csv/in", "x.csv is a file"),
        ("nope", "neither by datavc nor by Git"),
        ("d/circle", "circle"),
        ("../x", "outside the project"),
        (".", "is a folder"),
    ],
)
def test_what_is_no_file_is_refused(versions: Work, path: str, why: str) -> None:
    with pytest.raises(PathError, match=why):
        show(versions, path)


def test_an_unknown_revision_is_an_error(versions: Work) -> None:
    with pytest.raises(DatavcError, match="no such revision"):
        show(versions, "x.csv", "v9")


def test_bytes_that_are_not_here_name_the_command_that_gets_them(versions: Work) -> None:
    versions.lose(versions.digest(b"x2"), versions.digest(b"1\0\xff"))

    with pytest.raises(DataError, match="x.csv is not in the cache") as now:
        show(versions, "x.csv")
    with pytest.raises(DataError, match="d/sub/one") as before:
        show(versions, "d/sub/one", "v1")

    assert "`datavc fetch x.csv`" in now.value.hint
    assert "`datavc fetch --rev v1 d/sub/one`" in before.value.hint


@pytest.mark.parametrize("size", [10, verb.SMALL + 1])
def test_damaged_bytes_are_never_printed(work: Work, size: int) -> None:
    data = b"a" * size
    work.write("x", data)
    work.add("x")
    place = work.object(data)
    place.chmod(0o644)
    place.write_bytes(b"b" + data[1:])

    with pytest.raises(DataError, match="damaged"):
        cat(work.repo(), "x")

    assert not place.exists()


def test_the_command_is_binary_safe_and_minds_a_closed_pipe(repo: RepoBuilder) -> None:
    data = bytes(range(256)) * 8192
    repo.write("x", data)
    repo.run("add", "x")

    whole = subprocess.run([PROGRAM, "cat", "x"], cwd=repo.root, capture_output=True, check=True)
    shell = f"{PROGRAM} cat x | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}"
    cut = repo.start("bash", "-c", shell, check=False)

    assert whole.stdout == data
    assert cut.code == 141 and not cut.stderr
