from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from datavc.core.errors import FormatError
from datavc.core.outputs import Pointer
from datavc.formats import pointer
from tests.support.values import pointers

DIGEST = "blake3:" + "9f" * 32
OTHER = "sha256:" + "0a" * 32
IMAGES = Pointer("images", "directory", DIGEST, 104857600, 2000)
TEXT = f"""\
datavc: 1
path: images
kind: directory
digest: {DIGEST}
size: 104857600
files: 2000
"""
COMMENTED = f"""\
# What the model is trained on.
files: 2000            # as of May
datavc: 1
path: 'images'

owner: vision team     # a key of ours
kind: directory
digest: {DIGEST}
review:
  - {{by: ann, on: 2026-05-01}}
  # not yet by bob
# The labels decide who is told.
labels:
- a
- b

# The end.
"""


@given(pointers())
def test_a_pointer_survives_its_text(value: Pointer) -> None:
    text = pointer.render(value)

    assert pointer.parse(text.encode(), "p") == value
    assert pointer.rewrite(text, value) == text


@given(pointers())
def test_another_reader_of_yaml_reads_the_same(value: Pointer) -> None:
    text = pointer.render(value)
    if "\\ud" in text:
        return  # escapes of bytes that are not UTF-8, which are ours alone

    found = yaml.safe_load(text)

    assert found["path"] == value.path
    assert found["digest"] == value.digest
    for key in ("size", "remote", "desc", "type"):
        assert found.get(key) == getattr(value, key)
    assert found.get("labels", []) == list(value.labels)


@given(pointers(), pointers())
def test_a_rewrite_says_the_new_and_keeps_the_rest(old: Pointer, new: Pointer) -> None:
    text = f"# head\n{pointer.render(old)}# middle\nowner: me # note\nmore:\n  - 1\n# tail\n"

    changed = pointer.rewrite(text, new)

    assert pointer.parse(changed.encode(), "p") == new
    for line in ("# head\n", "# middle\n", "owner: me # note\nmore:\n  - 1\n# tail\n"):
        assert line in changed
    assert pointer.rewrite(changed, old) == pointer.rewrite(pointer.rewrite(changed, old), old)


@given(st.binary(max_size=60), st.integers(0, len(TEXT)), st.integers(0, 20))
def test_a_mutated_pointer_gives_an_error_or_a_pointer(new: bytes, at: int, length: int) -> None:
    data = TEXT.encode()
    try:
        found = pointer.parse(data[:at] + new + data[at + length :], "p")
    except FormatError as error:
        assert error.message.startswith("p: ")
    else:
        assert pointer.parse(pointer.render(found).encode(), "p") == found


def test_what_a_directory_records() -> None:
    assert pointer.render(IMAGES) == TEXT
    assert pointer.parse(TEXT.encode(), "p") == IMAGES


def test_only_the_line_that_changed_is_rewritten() -> None:
    changed = pointer.rewrite(COMMENTED, read(COMMENTED)._replace(digest=OTHER, files=2001))

    old, new = COMMENTED.splitlines(), changed.splitlines()
    assert len(old) == len(new)
    assert [b for a, b in zip(old, new, strict=True) if a != b] == [
        "files: 2001            # as of May",
        f"digest: {OTHER}",
    ]


def test_new_keys_come_in_order_and_defaults_go() -> None:
    text = pointer.rewrite(COMMENTED, read(COMMENTED)._replace(push=False, labels=(), size=5))

    assert "size: 5\n" in text and "push: false\n" in text and "labels:" not in text
    assert text.index("digest:") < text.index("size:") < text.index("review:")
    assert text.endswith("# The labels decide who is told.\n\n# The end.\n")


def test_a_default_that_was_written_out_stays() -> None:
    text = TEXT + "push: true\n"

    assert pointer.rewrite(text, IMAGES) == text


def test_windows_line_ends_stay() -> None:
    text = TEXT.replace("\n", "\r\n")

    changed = pointer.rewrite(text, read(text)._replace(push=False, size=1))

    assert changed == TEXT.replace("104857600", "1").replace("\n", "\r\n") + "push: false\r\n"


def test_a_document_mark_and_a_byte_order_mark_are_no_matter() -> None:
    assert read("\ufeff---\n" + TEXT) == IMAGES


def test_yaml_beyond_single_lines_is_understood() -> None:
    text = TEXT + "desc: >\n  two\n  lines\nlabels: [a, 'b']\nmeta: {k: no, n: 1e3}\n"

    found = read(text)

    assert found.desc == "two lines\n"
    assert found.labels == ("a", "b")
    assert found.meta == {"k": "no", "n": 1000.0}


def test_a_word_that_yaml_once_took_for_a_switch_is_text() -> None:
    assert read(TEXT.replace("images", "no")).path == "no"


def read(text: str) -> Pointer:
    return pointer.parse(text.encode(), "images.datavc")


def deep(levels: int) -> str:
    return TEXT + "meta: {a: " + "[" * levels + "]" * levels + "}\n"


BAD = {
    "empty": ("", "empty"),
    "comments only": ("# nothing\n", "empty"),
    "not YAML": ("\x00\x01", "control character"),
    "prose": ("hello there\n", "line 1: not of the form"),
    "JSON": ('{"datavc": 1}', "line 1: not of the form"),
    "list": ("- a\n", "line 1: not of the form"),
    "newer": ("datavc: 2\nthing: x\n", "line 1: written by a newer datavc"),
    "newer, last line": ("path: [1]\ndatavc: 7\n", "line 2: written by a newer datavc"),
    "format as text": (TEXT.replace(": 1\n", ": '1'\n", 1), "line 1: datavc must be"),
    "format as switch": (TEXT.replace(": 1\n", ": true\n", 1), "line 1: datavc must be"),
    "no format": (TEXT.replace("datavc: 1\n", ""), "datavc is missing"),
    "no path": (TEXT.replace("path: images\n", ""), "path is missing"),
    "no kind": (TEXT.replace("kind: directory\n", ""), "kind is missing"),
    "no digest": (TEXT.replace(f"digest: {DIGEST}\n", ""), "digest is missing"),
    "path is a number": (TEXT.replace("images", "12"), "line 2: path must be text"),
    "path outside": (TEXT.replace("images", "../x"), "line 2: path: unsafe path"),
    "path of two": (TEXT.replace("images", "a/b"), "line 2: path: unsafe path"),
    "absolute path": (TEXT.replace("images", "/etc"), "line 2: path: unsafe path"),
    "path is Git's": (TEXT.replace("images", ".Git"), "line 2: path: unsafe path"),
    "path is empty": (TEXT.replace("images", '""'), "line 2: path: unsafe path"),
    "unknown kind": (TEXT.replace("directory", "folder"), "line 3: kind must be"),
    "unknown digest": (TEXT.replace("blake3", "md4"), "line 4: digest is not a digest"),
    "digest with a path": (TEXT.replace(DIGEST, "blake3:../x"), "line 4: digest is not"),
    "negative size": (TEXT.replace("104857600", "-1"), "line 5: size must be"),
    "absurd size": (TEXT.replace("104857600", "9" * 25), "line 5: size must be"),
    "endless size": (TEXT.replace("104857600", "9" * 5000), "line 5: size must be"),
    "size as float": (TEXT.replace("104857600", "1.5"), "line 5: size must be"),
    "size as switch": (TEXT.replace("104857600", "true"), "line 5: size must be"),
    "no value": (TEXT.replace(" 2000", ""), "line 6: files must be"),
    "switch as text": (TEXT + "push: 'no'\n", "line 7: push must be true or false"),
    "switch of old": (TEXT + "push: no\n", "line 7: push must be true or false"),
    "labels as text": (TEXT + "labels: a\n", "line 7: labels must be a list"),
    "labels of numbers": (TEXT + "labels: [1]\n", "line 7: labels must be a list"),
    "meta as list": (TEXT + "meta: [1]\n", "line 7: meta must be a map"),
    "executable directory": (TEXT + "executable: true\n", "executable is for a file"),
    "key twice": (TEXT + "path: b\n", "line 7: path stands here twice"),
    "key twice inside": (TEXT + "meta:\n  a: 1\n  a: 2\n", "line 9: 'a' stands here twice"),
    "key twice in JSON": (TEXT + 'meta: {"a": 1, "a": 2}\n', "line 7: 'a' stands here twice"),
    "anchor": (TEXT + "desc: &a b\n", "line 7: an anchor is not allowed"),
    "alias": (TEXT + "meta: {a: *b}\n", "line 7: an alias is not allowed"),
    "tag": (TEXT + "desc: !!python/name:os.system x\n", "line 7: a tag is not allowed"),
    "merge key": (TEXT + "meta:\n  <<: {a: 1}\n", "line 8: a merge key is not allowed"),
    "two documents": (TEXT + "---\n" + TEXT, "line 7: not of the form"),
    "deep": (deep(100_000), "line 7: more than 64 levels"),
    "deep lists": (TEXT + "meta:\n" + "- " * 100_000, "line 8: more than 64 levels"),
    "endless": ("a" * (1 << 21), "too many"),
    "escape sequence": (TEXT + "desc: \x1b[2J\n", "line 7: control character"),
    "conflict": (
        f"datavc: 1\n<<<<<<< HEAD\ndigest: {DIGEST}\n=======\ndigest: {OTHER}\n>>>>>>> b\n",
        "line 2: has a merge conflict",
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_bad_pointer_is_refused_with_file_and_line(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        pointer.parse(text.encode(), "images.datavc")

    assert caught.value.message.startswith("images.datavc: ")
    assert message in caught.value.message
    assert caught.value.hint


def test_bytes_that_are_not_utf8_are_named_by_their_line() -> None:
    with pytest.raises(FormatError, match="images.datavc: line 2: not UTF-8"):
        pointer.parse(TEXT.encode().replace(b"images", b"\xff"), "images.datavc")


def test_deep_but_allowed_values_are_read() -> None:
    assert read(deep(60)).meta.keys() == {"a"}
