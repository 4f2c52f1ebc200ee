"""add: bytes first, names last; nothing is lost and nothing is guessed."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path

import pytest

from datavc.core import tree
from datavc.core.errors import PathError
from datavc.repo import walk
from datavc.store import trees
from tests.support.repo import RepoBuilder
from tests.support.work import Work


def pointer(repo: RepoBuilder, path: str) -> dict[str, str]:
    lines = repo.read(path + ".datavc").decode().splitlines()
    return dict(line.split(": ", 1) for line in lines)


def objects(repo: RepoBuilder) -> list[Path]:
    return sorted((repo.root / ".datavc/cache/objects").glob("*/*/*"))


def test_a_file_becomes_an_object_a_pointer_and_an_ignore_line(repo: RepoBuilder) -> None:
    repo.write("data/raw.csv", b"1,2\n")

    done = repo.run("add", "data/raw.csv")

    assert "1 file added" in done.stdout
    found = pointer(repo, "data/raw.csv")
    assert found["path"] == "raw.csv" and found["kind"] == "file" and found["size"] == "4"
    assert repo.read("data/.gitignore") == b"/raw.csv\n"
    (stored,) = objects(repo)
    assert stored.read_bytes() == b"1,2\n"
    assert stored.stat().st_mode & 0o777 == 0o444
    assert found["digest"] == "blake3:" + stored.parent.name + stored.name


def test_executables_links_and_empty_directories_come_back(repo: RepoBuilder) -> None:
    repo.write("d/run.sh", "#!/bin/sh\n").chmod(0o755)
    repo.write("d/empty", b"")
    (repo.root / "d/hollow").mkdir()
    (repo.root / "d/link").symlink_to("run.sh")
    (repo.root / "d/dangling").symlink_to("nowhere")
    repo.run("add", "d")

    repo.start("rm", "-rf", "d")
    repo.run("checkout")

    assert os.access(repo.root / "d/run.sh", os.X_OK)
    assert repo.read("d/empty") == b""
    assert (repo.root / "d/hollow").is_dir()
    assert os.readlink(repo.root / "d/link") == "run.sh"
    assert os.readlink(repo.root / "d/dangling") == "nowhere"
    assert json.loads(repo.run("status", "--json", "--granular").stdout).get("uncommitted") is None


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda f: os.mkfifo(f), "pipe"),
        (lambda f: socket.socket(socket.AF_UNIX).bind(str(f)), "socket"),
        (lambda f: f.symlink_to("/etc/passwd"), "link"),
        (lambda f: f.symlink_to("../../outside"), "link"),
    ],
)
def test_what_cannot_be_versioned_is_refused_by_name(
    repo: RepoBuilder, make: object, word: str
) -> None:
    repo.write("d/good", b"x")
    os.chdir(repo.root / "d")
    make(Path("odd"))  # type: ignore[operator]
    os.chdir("/")

    done = repo.run("add", "d", check=False)

    assert done.code == 1
    assert "d/odd" in done.stderr and word in done.stderr
    assert not (repo.root / "d.datavc").exists()


def test_one_bad_target_changes_nothing(repo: RepoBuilder) -> None:
    repo.write("good", b"1")
    repo.commit("empty")

    done = repo.run("add", "good.txt", "good", check=False)

    assert done.code == 1 and "good.txt" in done.stderr
    assert not (repo.root / "good.datavc").exists()
    assert repo.git("status", "--porcelain").stdout == ""


def test_data_that_git_tracks_is_refused_with_the_way_out(repo: RepoBuilder) -> None:
    repo.write("d/x", b"1")
    repo.commit("x")

    done = repo.run("add", "d", check=False)

    assert done.code == 1
    assert "git rm -r --cached d" in done.stderr


@pytest.mark.parametrize(
    "path", [".git/config", ".datavc/config.toml", "../x", "/etc/passwd", "."]
)
def test_places_that_are_nobodys_data_are_refused(repo: RepoBuilder, path: str) -> None:
    (repo.root.parent / "x").write_bytes(b"1")

    done = repo.run("add", path, check=False)

    assert done.code == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_a_path_inside_a_tracked_directory_updates_that_path_alone(repo: RepoBuilder) -> None:
    repo.write("d/one", b"1")
    repo.write("d/two", b"2")
    repo.run("add", "d")
    repo.commit("v1")
    repo.write("d/one", b"1+")
    repo.write("d/two", b"2+")

    repo.run("add", "d/one")

    found = json.loads(repo.run("status", "--json", "--granular").stdout)
    assert found["committed"]["modified"] == ["d/", "d/one"]
    assert found["uncommitted"]["modified"] == ["d/", "d/two"]


def test_a_removed_path_inside_a_tracked_directory_is_recorded_as_removed(
    repo: RepoBuilder,
) -> None:
    repo.write("d/one", b"1")
    repo.write("d/two", b"2")
    repo.run("add", "d")
    repo.commit("v1")
    (repo.root / "d/one").unlink()

    repo.run("add", "d/one")

    found = json.loads(repo.run("status", "--json", "--granular").stdout)
    assert found == {"committed": {"modified": ["d/"], "deleted": ["d/one"]}}


def test_what_was_never_fetched_is_kept_and_counted(repo: RepoBuilder, tmp_path: Path) -> None:
    repo.write("d/a", b"a")
    repo.write("d/b", b"b")
    repo.run("add", "d")
    repo.run("remote", "add", "-d", "r", str(tmp_path / "remote"))
    repo.commit("v1")
    repo.run("push")
    clone = repo.clone(tmp_path / "clone")
    clone.run("install")
    clone.run("pull", "d/a")
    clone.write("d/c", b"c")

    said = clone.run("add", "d")

    assert "1 file never fetched" in said.stdout
    clone.run("pull")
    assert clone.tree("d") == {"a": b"a", "b": b"b", "c": b"c"}
    (clone.root / "d/b").unlink()
    clone.run("add", "d")
    (clone.root / "d/c").unlink()
    clone.run("add", "--prune", "d")
    assert pointer(clone, "d")["files"] == "1"


def test_nothing_is_read_again_when_nothing_changed(repo: RepoBuilder) -> None:
    for number in range(50):
        repo.write(f"d/{number}", bytes([number]))
    repo.run("add", "d")
    before = pointer(repo, "d")

    done = repo.run("add", "d")

    assert done.stdout.startswith("Nothing changed")
    assert pointer(repo, "d") == before


def test_an_object_that_the_cache_lost_is_stored_again(repo: RepoBuilder) -> None:
    repo.write("d/x", b"precious")
    repo.run("add", "d")
    for file in objects(repo):
        file.unlink()

    repo.run("add", "d")

    assert any(file.read_bytes() == b"precious" for file in objects(repo))


def test_notes_of_people_stand_in_the_pointer_and_survive(repo: RepoBuilder) -> None:
    repo.write("x.csv", b"1")
    repo.run("add", "--desc", "raw rows", "--label", "a", "--meta", "from=lab", "x.csv")
    text = repo.read("x.csv.datavc").decode()
    repo.write("x.csv.datavc", "# mine\n" + text + "unknown: kept\n")
    repo.write("x.csv", b"22")

    repo.run("add", "x.csv")

    after = repo.read("x.csv.datavc").decode()
    assert after.startswith("# mine\n") and "unknown: kept" in after
    assert "desc: raw rows" in after and "size: 2\n" in after


def test_a_dry_run_says_and_does_nothing(repo: RepoBuilder) -> None:
    repo.write("d/x", b"1")

    done = repo.run("add", "--dry-run", "d")

    assert "Would record: 1 file added" in done.stdout
    assert not (repo.root / "d.datavc").exists()
    assert objects(repo) == []


def test_names_that_are_one_name_elsewhere_are_warned_of(repo: RepoBuilder) -> None:
    repo.write("d/A", b"1")
    repo.write("d/a", b"2")
    repo.write("d/caf\u00e9", b"3")
    repo.write("d/cafe\u0301", b"4")

    done = repo.run("add", "d")

    assert done.stderr.count("Warning:") == 2


def test_awkward_names_come_back_byte_for_byte(repo: RepoBuilder) -> None:
    names = [
        b"new\nline",
        b"tab\t",
        b"\xff\xfe",
        b"-x",
        b" lead",
        b"trail ",
        b"#a",
        b"!b",
        b"a*b?[c]",
        b"\xe2\x80\xae",
        b"'quote\"",
        b"\\back",
        b"\x1b[31m",
        "日本".encode(),
    ]
    folder = os.fsencode(repo.root / "d")
    os.mkdir(folder)
    for name in names:
        if name != b"\\back":
            with open(os.path.join(folder, name), "wb") as file:
                file.write(name)
    before = {name: open(os.path.join(folder, name), "rb").read() for name in os.listdir(folder)}  # noqa: SIM115
    repo.run("add", "d")

    repo.start("rm", "-rf", "d")
    repo.run("checkout")

    after = {name: open(os.path.join(folder, name), "rb").read() for name in os.listdir(folder)}  # noqa: SIM115
    assert after == before


@pytest.mark.parametrize("target", ["data", "data/cache/objects", "data/cache"])
def test_data_around_or_in_the_cache_is_refused(work: Work, target: str) -> None:
    work.settings["cache.dir"] = str(work.root / "data/cache")
    work.lay({"data/one": b"1", "other": b"2"})
    work.add("other")

    with pytest.raises(PathError, match="lie one in the other"):
        work.add(target)

    assert not (work.root / "data.datavc").exists()


def test_data_in_another_git_repository_is_refused_for_its_pointer_would_be_unseen(
    work: Work,
) -> None:
    work.lay({"sub/deep/one": b"1"})
    work.git("init", "-q", "sub")

    with pytest.raises(PathError, match="sub, which is a Git repository of its own"):
        work.add("sub/deep/one")

    assert not (work.root / "sub/deep/one.datavc").exists()


@pytest.mark.parametrize("which", ["root", "leaf"])
def test_a_list_that_was_damaged_where_it_lies_is_written_anew(
    work: Work, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    monkeypatch.setattr(tree, "SEGMENT_LIMIT", 2)
    monkeypatch.setattr(walk, "SEGMENT_LIMIT", 2)
    for name in "abcdef":
        work.write(f"d/{name}", name)
    digest = work.add("d").outputs[0].digest
    store = work.repo().objects
    time.sleep(0.01)
    work.status()
    assert work.repo().objects.whole.knows(digest)
    parts = trees.segments(store, digest)
    damaged = Path(store.path(digest if which == "root" else parts[0].digest))
    data = damaged.read_bytes()
    damaged.chmod(0o644)
    damaged.write_bytes(b"!" + data[1:])
    assert work.repo().objects.whole.knows(digest)

    work.write("d/f", "changed")
    now = work.add("d").outputs[0].digest
    assert len(list(trees.entries(work.repo().objects, now))) == 6
