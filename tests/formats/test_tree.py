from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from datavc.core.errors import FormatError
from datavc.core.paths import RepoPath
from datavc.core.tree import SEGMENT_LIMIT, Segment, TreeEntry
from datavc.formats import tree
from tests.support.values import TREES, digests

D = "blake3:" + "0" * 64
E = D.encode()
LEAF, ROOT = tree.LEAF_HEADER, tree.ROOT_HEADER


@given(TREES)
def test_entries_survive_and_are_written_in_one_way(entries: list[TreeEntry]) -> None:
    data = tree.encode_leaf(entries)

    assert tree.decode_leaf(data, "tree") == entries
    assert not tree.is_root(data)


@given(TREES.filter(lambda entries: len(entries) > 1), st.data())
def test_segments_survive(entries: list[TreeEntry], data: st.DataObject) -> None:
    segments = tuple(
        Segment(e.path, data.draw(digests()), data.draw(st.integers(1, SEGMENT_LIMIT)), e.size)
        for e in entries
    )

    encoded = tree.encode_root(segments)

    assert tree.decode_root(encoded, "tree") == segments
    assert tree.is_root(encoded)


@given(st.binary(max_size=200))
@example(b"")
def test_other_bytes_are_refused_without_a_traceback(body: bytes) -> None:
    for data in (body, LEAF + body):
        try:
            entries = tree.decode_leaf(data, "tree")
        except FormatError:
            continue
        assert tree.encode_leaf(entries) == data


@given(TREES, st.data())
def test_a_damaged_leaf_is_refused_or_another_valid_one(
    entries: list[TreeEntry], data: st.DataObject
) -> None:
    good = tree.encode_leaf(entries)
    at = data.draw(st.integers(0, len(good) - 1))
    bad = good[:at] + data.draw(st.binary(max_size=2)) + good[at + data.draw(st.integers(0, 2)) :]
    try:
        found = tree.decode_leaf(bad, "tree")
    except FormatError:
        return
    assert tree.encode_leaf(found) == bad


BAD_LEAVES = {
    "no tree": b"hello\n",
    "data that is JSON": b"{}",
    "no header": b'["a","",0,4]\n',
    "header without its line end": LEAF[:-1],
    "root": ROOT,
    "blank line": LEAF + b"\n",
    "no last line end": LEAF + b'["a","",0,4]',
    "space": LEAF + b'["a", "",0,4]\n',
    "number as text": LEAF + b'["a","","0",4]\n',
    "number as float": LEAF + b'["a","",0.0,4]\n',
    "number as switch": LEAF + b'["a","",false,4]\n',
    "too few": LEAF + b'["a","",0]\n',
    "too many": LEAF + b'["a","",0,4,0]\n',
    "two on a line": LEAF + b'["a","",0,4]["b","",0,4]\n',
    "object": LEAF + b'{"a":1}\n',
    "deep": LEAF + b"[" * 100_000,
    "huge number": LEAF + b'["a","%s",%s,0]\n' % (E, b"9" * 5000),
    "negative size": LEAF + b'["a","%s",-1,0]\n' % E,
    "size beyond 63 bits": LEAF + b'["a","%s",9223372036854775808,0]\n' % E,
    "escaped needlessly": LEAF + b'["\\u0061","",0,4]\n',
    "lone surrogate": LEAF + b'["\\udcff","",0,4]\n',
    "not UTF-8": LEAF + b'["\xff","",0,4]\n',
    "base64 of UTF-8": LEAF + b'[["YQ=="],"",0,4]\n',
    "base64 without padding": LEAF + b'[["/w"],"",0,4]\n',
    "base64 of a hostile path": LEAF + b'[["Li4v/w=="],"",0,4]\n',
    "empty list": LEAF + b'[[],"",0,4]\n',
    "two in a list": LEAF + b'[["/w==","/w=="],"",0,4]\n',
    "unknown flags": LEAF + b'["a","%s",0,8]\n' % E,
    "flags together": LEAF + b'["a","%s",0,5]\n' % E,
    "no digest": LEAF + b'["a","",0,0]\n',
    "unknown algorithm": LEAF + b'["a","md4:%s",0,0]\n' % (b"0" * 32),
    "sized link": LEAF + b'["a","b",1,2]\n',
    "link outside": LEAF + b'["a","../b",0,2]\n',
    "absolute link": LEAF + b'["a","/etc/passwd",0,2]\n',
    "absolute": LEAF + b'["/a","",0,4]\n',
    "parent": LEAF + b'["../a","",0,4]\n',
    "parent inside": LEAF + b'["a/../../b","",0,4]\n',
    "git": LEAF + b'[".git/hooks/post-checkout","%s",1,1]\n' % E,
    "git in other letters": LEAF + b'["x/.GiT/config","%s",1,0]\n' % E,
    "NUL": LEAF + b'["a\\u0000b","",0,4]\n',
    "twice": LEAF + b'["a","",0,4]\n["a","",0,4]\n',
    "out of order": LEAF + b'["b","",0,4]\n["a","",0,4]\n',
    "a file and a folder": LEAF + b'["a","%s",0,0]\n["a-b","",0,4]\n["a/b","",0,4]\n' % E,
    "an empty folder with content": LEAF + b'["a/b","",0,4]\n["a/b/c","",0,4]\n',
}


@pytest.mark.parametrize("data", BAD_LEAVES.values(), ids=BAD_LEAVES)
def test_a_bad_leaf_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(FormatError, match="^tree x: "):
        tree.decode_leaf(data, "tree x")


ONE, TWO = b'["a","%s",1,1]\n' % E, b'["b","%s",1,1]\n' % E
BAD_ROOTS = {
    "leaf": LEAF,
    "nothing": ROOT,
    "one segment": ROOT + ONE,
    "out of order": ROOT + TWO + ONE,
    "twice": ROOT + ONE + ONE,
    "no entries": ROOT + ONE + b'["b","%s",0,1]\n' % E,
    "too many entries": ROOT + ONE + b'["b","%s",99999,1]\n' % E,
    "no digest": ROOT + ONE + b'["b","x",1,1]\n',
    "hostile": ROOT + b'["../a","%s",1,1]\n' % E + TWO,
    "negative": ROOT + ONE + b'["b","%s",1,-1]\n' % E,
}


@pytest.mark.parametrize("data", BAD_ROOTS.values(), ids=BAD_ROOTS)
def test_a_bad_root_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(FormatError, match="^tree x: "):
        tree.decode_root(data, "tree x")


@pytest.mark.parametrize("data", [b'["datavc tree",2]\n[1]\n', b'["datavc tree root",12]\n'])
def test_a_newer_format_says_so(data: bytes) -> None:
    with pytest.raises(FormatError, match="newer datavc") as caught:
        tree.decode_leaf(data, "tree")
    assert caught.value.hint == "update datavc"


def test_the_line_is_named() -> None:
    with pytest.raises(FormatError, match=r"^tree: line 3: .*'\.\.'"):
        tree.decode_leaf(LEAF + b'["a","",0,4]\n["b/../c","",0,4]\n', "tree")


def test_more_entries_than_a_segment_holds_are_refused_unread() -> None:
    with pytest.raises(FormatError, match=f"more than {SEGMENT_LIMIT} lines"):
        tree.decode_leaf(LEAF + b"\n" * (SEGMENT_LIMIT + 1), "tree")


def test_an_empty_directory_is_a_leaf_without_entries() -> None:
    assert tree.encode_leaf([]) == LEAF
    assert tree.decode_leaf(LEAF, "tree") == []


def test_names_that_are_not_utf8_keep_their_bytes() -> None:
    entries = [
        TreeEntry(RepoPath("a\udcff"), D, 1, 0),
        TreeEntry(RepoPath("b"), "x\udc80", 0, 2),
    ]

    data = tree.encode_leaf(entries)

    assert data == LEAF + b'[["Yf8="],"%s",1,0]\n["b",["eIA="],0,2]\n' % E
    assert tree.decode_leaf(data, "tree") == entries
