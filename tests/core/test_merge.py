from hypothesis import given
from hypothesis import strategies as st

from datavc.core.merge import Merged, merge_trees
from datavc.core.paths import RepoPath, sort_key
from datavc.core.tree import EMPTY_DIRECTORY, EXECUTABLE, FILE, LINK, TreeEntry


def file(path, content="1", flags=FILE):
    return TreeEntry(RepoPath(path), f"blake3:{content * 64}", 1, flags)


def folder(path):
    return TreeEntry(RepoPath(path), "", 0, EMPTY_DIRECTORY)


def paths_of(conflicts):
    return [conflict.path for conflict in conflicts]


def test_changes_on_both_sides_that_do_not_touch_are_all_taken():
    base = [file("changed"), file("gone"), file("same"), file("theirs")]
    ours = [file("added-here"), file("changed"), file("same"), file("theirs")]
    theirs = [
        file("added-there"),
        file("changed", "2"),
        file("gone"),
        file("same"),
        file("theirs", "3"),
    ]

    merged = merge_trees(base, ours, theirs)

    assert merged.conflicts == ()
    assert merged.entries == (
        file("added-here"),
        file("added-there"),
        file("changed", "2"),
        file("same"),
        file("theirs", "3"),
    )


def test_what_both_did_alike_is_taken_once():
    base = [file("both-gone"), file("x")]

    merged = merge_trees(base, [file("new"), file("x", "2")], [file("new"), file("x", "2")])

    assert merged == Merged((file("new"), file("x", "2")), ())


def test_a_path_changed_to_two_things_is_a_conflict():
    base = [file("edited"), file("gone-here"), file("gone-there")]
    ours = [file("added", "2"), file("edited", "2"), file("gone-there", "2")]
    theirs = [file("added", "3"), file("edited", "3"), file("gone-here", "3")]

    conflicts = merge_trees(base, ours, theirs).conflicts

    assert paths_of(conflicts) == ["added", "edited", "gone-here", "gone-there"]
    assert conflicts[1][1:] == (file("edited"), file("edited", "2"), file("edited", "3"))
    assert conflicts[2].ours is None


def test_the_executable_bit_and_a_links_target_count():
    link, other = (TreeEntry(RepoPath("l"), target, 0, LINK) for target in ("a", "b"))

    merged = merge_trees(
        [file("f"), link], [file("f", flags=EXECUTABLE), link], [file("f"), other]
    )

    assert merged.entries == (file("f", flags=EXECUTABLE), other)


def test_a_file_on_one_side_and_a_folder_on_the_other_is_a_conflict():
    merged = merge_trees([], [file("a")], [file("a/b")])

    assert paths_of(merged.conflicts) == ["a"]


def test_an_empty_directory_gives_way_to_what_the_other_side_put_there():
    emptied = merge_trees([file("d/x")], [folder("d")], [file("d/x"), file("d/y")])
    filled = merge_trees([folder("d")], [file("d/x")], [folder("d")])

    assert emptied == Merged((file("d/y"),), ())
    assert filled == Merged((file("d/x"),), ())


NAMES = st.sampled_from(["a", "b", "c/d", "c/e", "f/g/h", "é", "z"])
TREES = st.dictionaries(NAMES, st.sampled_from("0123")).map(
    lambda tree: [file(path, tree[path]) for path in sorted(tree, key=sort_key)]
)


@given(TREES, TREES)
def test_a_side_that_did_nothing_leaves_the_other(base, other):
    assert merge_trees(base, other, base) == Merged(tuple(other), ())
    assert merge_trees(base, base, other) == Merged(tuple(other), ())
    assert merge_trees(base, other, other) == Merged(tuple(other), ())


@given(TREES, TREES, TREES)
def test_sides_may_be_exchanged_and_every_path_is_settled_or_named(base, ours, theirs):
    one, other = merge_trees(base, ours, theirs), merge_trees(base, theirs, ours)

    assert paths_of(one.conflicts) == paths_of(other.conflicts)
    settled = {*one.entries} & {*other.entries}
    assert settled >= {e for e in one.entries if e.path not in paths_of(one.conflicts)}
    assert [e.path for e in one.entries] == sorted((e.path for e in one.entries), key=sort_key)
    assert settled <= {*ours, *theirs}
