"""Strategies that make the values of core: paths, digests, entries, trees, pointers."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from datavc.core import paths
from datavc.core.digest import HEX_LENGTH, Digest
from datavc.core.errors import PathError
from datavc.core.outputs import Pointer
from datavc.core.paths import RepoPath
from datavc.core.tree import EMPTY_DIRECTORY, EXECUTABLE, FILE, LINK, TreeEntry

ANY_CHARACTER = st.characters(exclude_categories=("Cs",)) | st.characters(
    min_codepoint=0xDC80, max_codepoint=0xDCFF
)


def is_allowed(name: str) -> bool:
    try:
        paths.check_part(name)
    except PathError:
        return False
    # Escapes of bytes that together are UTF-8 name a file that has another spelling.
    data = paths.sort_key(name)
    return data.decode("utf-8", "surrogateescape") == name


NAMES = (
    st.sampled_from(["a", "b", "c", "a.b", "a-", "A", "é", "x y", "0", "a\udcff", "#!", "\n"])
    | st.text(ANY_CHARACTER, min_size=1, max_size=5)
).filter(is_allowed)

REPO_PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: RepoPath("/".join(names)))


@st.composite
def digests(draw: st.DrawFn) -> Digest:
    algorithm = draw(st.sampled_from(sorted(HEX_LENGTH)))
    number = draw(st.integers(0, 3) | st.integers(0, 16 ** HEX_LENGTH[algorithm] - 1))
    return Digest(f"{algorithm}:{number:0{HEX_LENGTH[algorithm]}x}")


@st.composite
def entries(draw: st.DrawFn) -> TreeEntry:
    path = draw(REPO_PATHS)
    flags = draw(st.sampled_from([FILE, FILE, EXECUTABLE, LINK, EMPTY_DIRECTORY]))
    if flags == LINK:
        return TreeEntry(path, draw(REPO_PATHS), 0, flags)
    if flags == EMPTY_DIRECTORY:
        return TreeEntry(path, "", 0, flags)
    return TreeEntry(path, draw(digests()), draw(st.integers(0, (1 << 63) - 1)), flags)


def without_clashes(found: Sequence[TreeEntry]) -> list[TreeEntry]:
    """Return the entries as a tree may hold them: sorted, and none that is a folder of others."""
    unique = {entry.path: entry for entry in found}
    folders = {path[:at] for path in unique for at in range(len(path)) if path[at] == "/"}
    kept = [entry for path, entry in unique.items() if path not in folders]
    return sorted(kept, key=lambda entry: paths.sort_key(entry.path))


TREES = st.lists(entries(), max_size=10).map(without_clashes)

TEXTS = st.text(ANY_CHARACTER, max_size=20) | st.sampled_from(
    ["", " ", "no", "null", "~", "1", "1e3", "0x1f", "2001-01-01", "a: b", "a #b", "- a", "[", "'"]
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 64), 1 << 64) | TEXTS,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(TEXTS, inside, max_size=3),
    max_leaves=8,
)


@st.composite
def pointers(draw: st.DrawFn) -> Pointer:
    counts = st.none() | st.integers(0, (1 << 63) - 1)
    is_file = draw(st.booleans())
    return Pointer(
        path=draw(NAMES),
        kind="file" if is_file else "directory",
        digest=draw(digests()),
        size=draw(counts),
        files=None if is_file else draw(counts),
        executable=is_file and draw(st.booleans()),
        cache=draw(st.booleans()),
        push=draw(st.booleans()),
        remote=draw(st.none() | TEXTS),
        desc=draw(st.none() | TEXTS),
        type=draw(st.none() | TEXTS),
        labels=tuple(draw(st.lists(TEXTS, max_size=3))),
        meta=draw(st.dictionaries(TEXTS, JSON_VALUES, max_size=3)),
    )
