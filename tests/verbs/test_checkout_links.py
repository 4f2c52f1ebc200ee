import os
from pathlib import Path

import pytest

from tests.support.work import Work

V1 = {"f": b"one", "d/a": b"a1", "d/b": b"b1", "d/sub/old": b"old"}
V2 = {"f": b"two", "d/a": b"a2", "d/b": b"b1", "d/new": b"new"}


@pytest.fixture
def two(work: Work) -> Work:
    """A project with tags v1 and v2, of which v2 lies there."""
    work.version(V1, "v1")
    work.remove("d/sub")
    work.version(V2, "v2")
    return work


def moved(work: Work, tag: str) -> None:
    work.git("checkout", "-q", tag)


def test_a_damaged_object_is_set_aside_and_never_served(two: Work) -> None:
    for kind in ("copy", "hardlink", "symlink", "reflink,copy"):
        two.settings = {"cache.type": kind}
        two.checkout()
        file = two.object(b"one")
        file.chmod(0o644)
        file.write_bytes(b"0ne")
        file.chmod(0o444)
        moved(two, "v1")

        done = two.checkout("f")

        assert done.exit_code == 4 and "f" in done.failures[0].path
        assert two.read("f") == b"two"
        assert not file.exists()
        quarantine = two.root / ".datavc/cache/quarantine"
        assert any(item.read_bytes() == b"0ne" for item in quarantine.iterdir())
        two.git("checkout", "-q", "v2")
        two.write("again", b"one")
        two.add("again")


@pytest.fixture
def links(work: Work) -> Work:
    work.lay({"d/plain": b"plain", "d/run": b"#!", "d/empty": b"", "f": b"file"})
    (work.root / "d/run").chmod(0o755)
    work.add("d", "f")
    work.commit("v1")
    work.remove("d", "f")
    return work


def inode(file: Path) -> int:
    return file.stat().st_ino


def test_hard_links_share_the_object_but_for_executables_and_empty_files(links: Work) -> None:
    links.settings = {"cache.type": "hardlink"}

    links.checkout()

    assert inode(links.root / "d/plain") == inode(links.object(b"plain"))
    assert inode(links.root / "f") == inode(links.object(b"file"))
    assert inode(links.root / "d/run") != inode(links.object(b"#!"))
    assert os.access(links.root / "d/run", os.X_OK)
    assert (links.root / "d/empty").stat().st_nlink == 1
    assert not (links.root / "d/plain").stat().st_mode & 0o222
    assert links.status() == {}


def test_symbolic_links_lead_to_the_object_but_for_executables(links: Work) -> None:
    links.settings = {"cache.type": "symlink"}

    links.checkout()

    assert os.readlink(links.root / "d/plain") == str(links.object(b"plain"))
    assert not (links.root / "d/run").is_symlink()
    assert os.access(links.root / "d/run", os.X_OK)
    assert links.status() == {}
    links.add("d")
    assert links.status() == {}


def test_copies_are_private(links: Work) -> None:
    links.settings = {"cache.type": "copy"}

    links.checkout()

    assert inode(links.root / "d/plain") != inode(links.object(b"plain"))
    links.builder.start("sh", "-c", "echo more >> d/plain")
    assert links.object(b"plain").read_bytes() == b"plain"


def test_an_edit_through_a_hard_link_is_noticed(links: Work) -> None:
    links.settings = {"cache.type": "hardlink"}
    links.checkout()
    file = links.root / "d/plain"
    file.chmod(0o644)
    file.write_bytes(b"PLAIN")
    file.chmod(0o444)

    assert links.status()["uncommitted"] == {"modified": ["d/"]}
    links.remove("d/plain")
    done = links.checkout()
    assert done.exit_code == 4
    assert not file.exists()


def test_a_link_type_is_changed_by_relinking(links: Work) -> None:
    links.checkout()

    for kind, linked in (("hardlink", True), ("copy", False), ("symlink", True)):
        links.settings = {"cache.type": kind}
        links.checkout("d", relink=True)
        assert (inode(links.root / "d/plain") == inode(links.object(b"plain"))) is linked
        assert inode(links.root / "f") != inode(links.object(b"file"))
        assert links.tree("d") == {"plain": b"plain", "run": b"#!", "empty": b""}
        assert links.status() == {}


def test_relinking_touches_no_unsaved_work(links: Work) -> None:
    links.checkout()
    links.write("d/plain", b"mine")
    links.settings = {"cache.type": "hardlink"}

    links.checkout(relink=True)

    assert links.read("d/plain") == b"mine"
    assert inode(links.root / "f") == inode(links.object(b"file"))
