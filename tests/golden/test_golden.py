"""Bytes of every format version that was ever written: they parse for ever, and to the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from datavc.core import tree as trees
from datavc.core.outputs import Pointer
from datavc.core.paths import RepoPath
from datavc.core.tree import EMPTY_DIRECTORY, EXECUTABLE, FILE, LINK, Segment
from datavc.formats import pointer, tree

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", ["file", "directory", "all-keys", "written-by-hand"])
def test_a_pointer_parses_and_is_rewritten_as_it_is(name: str) -> None:
    text = (HERE / f"pointer-1-{name}.datavc").read_text()

    value = pointer.parse(text.encode(), name)

    assert pointer.rewrite(text, value) == text


@pytest.mark.parametrize("name", ["file", "directory", "all-keys"])
def test_a_canonical_pointer_is_rendered_the_same(name: str) -> None:
    text = (HERE / f"pointer-1-{name}.datavc").read_text()

    assert pointer.render(pointer.parse(text.encode(), name)) == text


def test_a_pointer_written_by_hand_means_what_it_meant() -> None:
    data = (HERE / "pointer-1-written-by-hand.datavc").read_bytes()

    found = pointer.parse(data, "p")

    assert found == Pointer(
        "it's here",
        "directory",
        found.digest,
        desc="Two lines, folded into one.",
        labels=("a", "b"),
        meta={"no": "no", "ratio": 1000.0},
    )


@pytest.mark.parametrize("name", ["leaf", "empty"])
def test_a_leaf_is_encoded_the_same(name: str) -> None:
    data = (HERE / f"tree-1-{name}.jsonl").read_bytes()

    assert tree.encode_leaf(tree.decode_leaf(data, name)) == data


def test_a_leaf_means_what_it_meant() -> None:
    found = tree.decode_leaf((HERE / "tree-1-leaf.jsonl").read_bytes(), "leaf")

    assert [(entry.path, entry.size, entry.flags) for entry in found] == [
        ("a", 12, EXECUTABLE),
        ("a.csv", 0, FILE),
        ("b/empty", 0, EMPTY_DIRECTORY),
        ("b/link", 0, LINK),
        ("b/odd", 0, LINK),
        ("b/x\udcff", (1 << 63) - 1, FILE),
        ('naïve "\\\b\f\n\r\t\x01\x7f\u2028😀/x', 7, FILE),
    ]
    assert found[4].content == "x\udc80y"


def test_a_root_is_encoded_the_same_and_means_what_it_meant() -> None:
    data = (HERE / "tree-1-root.jsonl").read_bytes()

    segments = tree.decode_root(data, "root")

    assert tree.encode_root(segments) == data
    assert segments[1] == Segment(RepoPath("b\udcfe"), segments[1].digest, 1, 0)


def test_segments_begin_at_the_same_names_for_ever() -> None:
    names = [f"{number:06}" for number in range(20_000)]

    found = [name for name in names if trees.begins_segment(name)]

    assert found == [
        "000104",
        "003008",
        "010426",
        "011319",
        "011446",
        "015861",
        "019540",
        "019967",
    ]
