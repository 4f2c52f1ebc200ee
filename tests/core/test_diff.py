from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datavc.core import tree
from datavc.core.diff import Change, diff_entries, with_renames
from datavc.core.paths import RepoPath, sort_key
from datavc.core.tree import TreeEntry
from tests.support.values import TREES, without_clashes


def file(path: str, number: int = 0) -> TreeEntry:
    return TreeEntry(RepoPath(path), f"blake3:{number:064x}", 1, tree.FILE)


@st.composite
def two_trees(draw: st.DrawFn) -> tuple[list[TreeEntry], list[TreeEntry]]:
    """Two versions that share most of their entries."""
    both, old, new = draw(TREES), draw(TREES), draw(TREES)
    return without_clashes([*both, *old]), without_clashes([*both, *new])


def naive(old: list[TreeEntry], new: list[TreeEntry]) -> list[tuple[str, str]]:
    before = {entry.path: entry.identity for entry in old}
    after = {entry.path: entry.identity for entry in new}
    kinds = {path: "modified" for path in before if before[path] != after.get(path)}
    kinds |= {path: "deleted" for path in before.keys() - after.keys()}
    kinds |= {path: "added" for path in after.keys() - before.keys()}
    return sorted(kinds.items(), key=lambda item: sort_key(item[0]))


@given(two_trees())
def test_the_difference_is_that_of_two_dictionaries(
    trees: tuple[list[TreeEntry], list[TreeEntry]],
) -> None:
    old, new = trees

    found = list(diff_entries(old, new))

    assert [(change.path, change.kind) for change in found] == naive(old, new)
    for change in found:
        assert change.old == next((e for e in old if e.path == change.path), None)
        assert change.new == next((e for e in new if e.path == change.path), None)


@given(two_trees(), st.integers(1, 4))
def test_leaving_out_runs_that_both_share_changes_nothing(
    trees: tuple[list[TreeEntry], list[TreeEntry]], length: int
) -> None:
    old, new = trees

    def runs(entries: list[TreeEntry]) -> list[tuple[TreeEntry, ...]]:
        starts = [i for i, entry in enumerate(entries) if i == 0 or len(entry.path) % length == 0]
        ends = [*starts[1:], len(entries)]
        return [tuple(entries[a:b]) for a, b in zip(starts, ends, strict=False)]

    shared = set(runs(old)) & set(runs(new))
    rest = [[e for run in runs(side) if run not in shared for e in run] for side in (old, new)]

    assert list(diff_entries(*rest)) == list(diff_entries(old, new))


@given(two_trees())
def test_renames_account_for_every_path_once(
    trees: tuple[list[TreeEntry], list[TreeEntry]],
) -> None:
    old, new = trees

    found = with_renames(diff_entries(old, new))

    gone = {c.old.path for c in found if c.old and c.kind in ("deleted", "renamed")}
    come = {c.path for c in found if c.kind in ("added", "renamed")}
    assert gone == {e.path for e in old} - {e.path for e in new}
    assert come == {e.path for e in new} - {e.path for e in old}
    for change in found:
        if change.kind == "renamed":
            assert change.old and change.new and change.old.identity == change.new.identity


def test_equal_files_are_paired_in_order() -> None:
    old = [file("a", 1), file("b", 1), file("c", 2)]
    new = [file("x", 1), file("y", 1), file("z", 1)]

    found = with_renames(diff_entries(old, new))

    assert [(c.kind, c.old.path if c.old else "", c.path) for c in found] == [
        ("deleted", "c", "c"),
        ("renamed", "a", "x"),
        ("renamed", "b", "y"),
        ("added", "", "z"),
    ]


def test_an_executable_bit_alone_is_a_change() -> None:
    plain, executable = file("a"), file("a")._replace(flags=tree.EXECUTABLE)

    assert list(diff_entries([plain], [executable])) == [
        Change(plain.path, "modified", plain, executable)
    ]


def test_links_and_empty_directories_are_not_renamed() -> None:
    old = [TreeEntry(RepoPath("a"), "", 0, tree.EMPTY_DIRECTORY)]
    new = [TreeEntry(RepoPath("b"), "", 0, tree.EMPTY_DIRECTORY)]

    assert [c.kind for c in with_renames(diff_entries(old, new))] == ["deleted", "added"]
