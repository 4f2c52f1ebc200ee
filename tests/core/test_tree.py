from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datavc.core import tree
from datavc.core.errors import FormatError, PathError
from datavc.core.paths import RepoPath
from datavc.core.tree import Seams, TreeEntry
from tests.support.values import TREES

DIGEST = "blake3:" + "0" * 64


def file(path: str, digest: str = DIGEST) -> TreeEntry:
    return TreeEntry(RepoPath(path), digest, 1, tree.FILE)


@given(TREES)
def test_what_a_tree_holds_passes_the_check(entries: list[TreeEntry]) -> None:
    for entry in entries:
        tree.check_entry(entry)


@given(TREES)
def test_cutting_keeps_every_entry_in_order(entries: list[TreeEntry]) -> None:
    segments = list(tree.cut(entries))

    assert [entry for segment in segments for entry in segment] == entries
    assert all(segments)
    assert all(tree.begins_segment(segment[0].path) for segment in segments[1:])


def test_a_changed_file_changes_one_segment() -> None:
    old = [file(f"{number:06}") for number in range(30_000)]
    new = [*old[:12_345], old[12_345]._replace(size=2), *old[12_346:]]

    pairs = list(zip(tree.cut(old), tree.cut(new), strict=True))

    assert len(pairs) > 2
    assert sum(one != other for one, other in pairs) == 1


def test_no_segment_is_longer_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [file(f"{number:06}") for number in range(20_000)]
    names = [entry for entry in names if not tree.begins_segment(entry.path)]
    many = [file(f"{letter}{entry.path}") for letter in "abc" for entry in names]

    assert max(map(len, tree.cut(many))) <= tree.SEGMENT_LIMIT


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("a", "b"),
        ("a/b", "../c"),
        ("a/b", ".."),
        ("a/b/c", "../../d/e"),
        ("a", "./b//c"),
        ("a", "é"),
    ],
)
def test_a_link_inside_the_tree_is_allowed(path: str, target: str) -> None:
    tree.check_link(RepoPath(path), target)


@pytest.mark.parametrize(
    ("path", "target"),
    [("a", ""), ("a", "/etc/passwd"), ("a", ".."), ("a", "../b"), ("a/b", "../../c"), ("a", "b\0")]
    + [("a", ".git/hooks"), ("a/b", "../.GIT/config"), ("a", "..\\b"), ("a", "x/" * 3000 + "x")],
)
def test_a_link_out_of_the_tree_is_refused(path: str, target: str) -> None:
    with pytest.raises(PathError):
        tree.check_link(RepoPath(path), target)


def test_a_link_through_another_link_cannot_climb_out() -> None:
    tree.check_link(RepoPath("x/y/up"), "../..")

    with pytest.raises(PathError):
        tree.check_link(RepoPath("x/y/out"), "up/../..")


@pytest.mark.parametrize(
    "entry",
    [("a", "", 0, 0), ("a", DIGEST, -1, 0), ("a", DIGEST, 1 << 63, 0), ("a", DIGEST, 0, 3)]
    + [("a", "b", 1, 2), ("a", "x", 0, 4), ("a", "", 1, 4), ("../a", DIGEST, 0, 0)],
)
def test_an_impossible_entry_is_refused(entry: tuple[str, str, int, int]) -> None:
    with pytest.raises((FormatError, PathError)):
        tree.check_entry(TreeEntry(RepoPath(entry[0]), *entry[1:]))


def test_a_file_that_is_a_folder_two_segments_later_is_refused() -> None:
    seams = Seams("tree")
    seams.check([file("Z"), file("a")])
    seams.check([file("a!"), file("a-1")])

    with pytest.raises(FormatError, match="both a file and a folder"):
        seams.check([file("a-2"), file("a/b")])


def test_segments_out_of_order_are_refused() -> None:
    seams = Seams("tree")
    seams.check([file("a"), file("c")])

    with pytest.raises(FormatError, match="out of order"):
        seams.check([file("b")])


@given(TREES, st.integers(1, 5))
def test_a_good_tree_passes_however_it_is_cut(entries: list[TreeEntry], length: int) -> None:
    seams = Seams("tree")
    for at in range(0, len(entries), length):
        seams.check(entries[at : at + length])


@given(
    st.sets(st.sampled_from(["a", "a!", "a-", "a/b", "a/b/c", "a.", "a0", "b"])), st.integers(1, 3)
)
def test_a_clash_is_found_wherever_it_is_cut(names: set[str], length: int) -> None:
    entries = [file(name) for name in sorted(names)]
    clashes = [name for name in names if any(other.startswith(name + "/") for other in names)]
    seams, found = Seams("tree"), False
    for at in range(0, len(entries), length):
        part = entries[at : at + length]
        if any(b.path.startswith(a.path + "/") for a in part for b in part):
            return  # within one segment the codec refuses it
        try:
            seams.check(part)
        except FormatError:
            found = True
            break
    assert found == bool(clashes)
