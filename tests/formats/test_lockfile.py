"""Locks: what is written is read again as it was, from any folder, and nothing else is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datavc.core.errors import FormatError
from datavc.core.lock import Locked, LockEntry
from datavc.core.paths import RepoPath
from datavc.formats import lockfile
from tests.support.values import JSON_VALUES, REPO_PATHS, digests

LOCK = RepoPath("datavc.lock")
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
WRITABLE = REPO_PATHS.filter(lambda path: path.isprintable() and path.encode(errors="ignore"))
PATHS = WRITABLE.filter(lambda path: not any("\ud800" <= c <= "\udfff" for c in path))
SIZES = st.none() | st.integers(0, 1 << 62)
DIGEST = "blake3:" + "0" * 64


def encodable(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


@st.composite
def files(draw: st.DrawFn, *, outs: bool) -> tuple[Locked, ...]:
    found = draw(st.lists(PATHS, max_size=3, unique=True))
    return tuple(
        sorted(
            Locked(
                path,
                draw(st.sampled_from(["file", "directory"])),
                draw(digests()),
                draw(SIZES),
                draw(SIZES),
                *(draw(st.tuples(*[st.booleans()] * 3)) if outs else ()),
                *((draw(st.none() | TEXTS),) if outs else ()),
            )
            for path in found
        )
    )


VALUES = JSON_VALUES.filter(encodable)
ENTRIES = st.builds(
    LockEntry,
    st.lists(TEXTS, max_size=3).map(tuple),
    st.just("") | PATHS,
    files(outs=False),
    st.dictionaries(PATHS, st.dictionaries(TEXTS, VALUES, max_size=3), max_size=2),
    st.dictionaries(TEXTS, TEXTS, max_size=2),
    files(outs=True),
)


@given(st.dictionaries(TEXTS, ENTRIES, max_size=3), st.just("") | PATHS)
def test_what_is_written_is_read_again_from_any_folder(lock, folder):
    where = RepoPath(f"{folder}/datavc.lock" if folder else "datavc.lock")

    data = lockfile.render(lock, where)

    assert lockfile.parse(data, where) == lock
    assert lockfile.render(lockfile.parse(data, where), where) == data


@given(TEXTS, ENTRIES)
def test_one_entry_is_one_line_and_read_again(name, entry):
    line = lockfile.render_entry(name, entry, LOCK)

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert lockfile.parse_entry(line, LOCK) == (name, entry)


def test_the_order_of_things_does_not_show():
    one = Locked(RepoPath("a"), "file", DIGEST)
    other = Locked(RepoPath("b"), "file", DIGEST)
    straight = LockEntry(("x",), "", (one, other), {LOCK: {"a": 1, "b": 2}}, {"A": "", "B": ""})
    turned = LockEntry(("x",), "", (other, one), {LOCK: {"b": 2, "a": 1}}, {"B": "", "A": ""})

    assert lockfile.render({"s": straight, "t": straight}, LOCK) == lockfile.render(
        {"t": turned, "s": turned}, LOCK
    )


def test_a_change_of_one_file_changes_one_line():
    def lock(size: int) -> list[bytes]:
        deps = tuple(Locked(RepoPath(f"d{n}"), "file", DIGEST, 1 if n else size) for n in range(5))
        entries = {name: LockEntry(("x",), "", deps) for name in "abc"}
        entries["b"] = entries["b"]._replace(deps=deps) if size == 1 else entries["b"]
        return lockfile.render(entries, LOCK).splitlines()

    differing = [pair for pair in zip(lock(1), lock(2), strict=True) if pair[0] != pair[1]]

    assert len(differing) == 3  # one a stage


def entry(**more: object) -> str:
    return json.dumps({"datavc": 1, "stages": {"s": {"cmd": "x", **more}}})


def out(**more: object) -> str:
    return entry(outs=[{"path": "a", "digest": DIGEST, **more}])


WRONG = {
    "nothing": ("", "datavc.lock:1: not a lock file"),
    "no map": ("[]", "the file must be a map"),
    "no number": ("{}", '"datavc": 1 is missing'),
    "true as the number": ('{"datavc": true}', "is missing"),
    "a newer format": ('{"datavc": 2}', "of format 2, which this version does not know"),
    "another key": ('{"datavc": 1, "x": 1}', "'x'"),
    "a key twice": ('{"datavc": 1, "stages": {"a": 1, "a": 2}}', "'a' stands twice"),
    "stages in a list": ('{"datavc": 1, "stages": []}', "stages must be a map"),
    "no command": ('{"datavc": 1, "stages": {"s": {}}}', "stage 's' \"cmd\" must be"),
    "a command of numbers": (entry(cmd=[1]), '"cmd" must be'),
    "another key of a stage": (entry(cdm="x"), "'cdm'"),
    "a folder outside": (entry(wdir="../x"), "datavc.lock"),
    "a folder of a wrong kind": (entry(wdir=1), '"wdir" must be text'),
    "variables in clear": (entry(env={"A": 1}), '"env" must hold digests'),
    "a file that is text": (entry(deps=["a"]), "a file must be a map"),
    "files in a map": (entry(deps={}), "must be lists"),
    "a file without a digest": (entry(deps=[{"path": "a"}]), 'without "path" or "digest"'),
    "no digest": (out(digest="blake3:0"), "no proper digest for a"),
    "a digest by path": (out(digest="../../x"), "no proper digest"),
    "a path outside": (out(path="../a"), "datavc.lock"),
    "an absolute path": (out(path="/a"), "datavc.lock"),
    "a path of Git's": (out(path=".git/a"), "datavc.lock"),
    "a path of ours": (out(path=".datavc/a"), "datavc.lock"),
    "an empty path": (out(path=""), "datavc.lock"),
    "half a surrogate": (out(path="\ud800"), "datavc.lock"),
    "a size below nothing": (out(size=-1), "'size' of a wrong kind"),
    "a size of true": (out(size=True), "'size' of a wrong kind"),
    "a flag of 1": (out(push=1), "'push' of a wrong kind"),
    "another kind": (out(kind="socket"), "unknown kind: 'socket'"),
    "another key of a file": (out(sise=1), "'sise'"),
    "parameters in a list": (entry(params=[]), '"params" must be a map'),
    "parameters outside": (entry(params={"../../p": {}}), "datavc.lock"),
    "too deep": ('{"datavc": ' + "[" * 100_000, "nested too deeply"),
    "a number without end": ('{"datavc": ' + "9" * 5000 + "}", "datavc.lock"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_lock_is_refused_with_the_way_out(case):
    text, said = WRONG[case]

    with pytest.raises(FormatError) as caught:
        lockfile.parse(text.encode("utf-8", "surrogatepass"), LOCK)

    assert said in caught.value.message
    assert "datavc.lock" in caught.value.message
    assert "git checkout" in caught.value.hint or "newer" in caught.value.message


def test_markers_of_a_conflict_are_named_by_line():
    text = lockfile.render({"s": LockEntry(("x",))}, LOCK).replace(b'  "s"', b'<<<<<<< a\n  "s"')

    with pytest.raises(FormatError) as caught:
        lockfile.parse(text, LOCK)

    assert "datavc.lock:4: holds the markers of a conflict" in caught.value.message
    assert "--theirs" in caught.value.hint


def test_what_is_larger_than_any_lock_is_not_parsed():
    with pytest.raises(FormatError, match="64 MiB"):
        lockfile.parse(b" " * (lockfile.LIMIT + 1), LOCK)
