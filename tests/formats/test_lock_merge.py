import pytest

from datavc.core.errors import FormatError
from datavc.core.lock import LockEntry
from datavc.core.paths import RepoPath
from datavc.formats import lockfile
from datavc.formats.lock_merge import merge

LOCK = RepoPath("datavc.lock")


def lock(**commands):
    return lockfile.render({name: LockEntry((cmd,)) for name, cmd in commands.items()}, LOCK)


def resolved(data, *, ours):
    """Return the entries once a person kept one side of each conflict."""
    kept, keeping = [], True
    for line in data.splitlines(keepends=True):
        if line.startswith(b"<<<<<<< "):
            keeping = ours
        elif line == b"=======\n":
            keeping = not ours
        elif line.startswith(b">>>>>>> "):
            keeping = True
        elif keeping:
            kept.append(line)
    return {name: entry.cmd[0] for name, entry in lockfile.parse(b"".join(kept), LOCK).items()}


def test_stages_that_one_side_changed_added_or_removed_are_taken_from_it():
    merged = merge(
        lock(a="1", b="1", c="1"), lock(a="2", b="1"), lock(a="1", b="3", c="1", d="9"), LOCK
    )

    assert merged.data == lock(a="2", b="3", d="9")
    assert merged.conflicts == ()


def test_what_both_did_alike_is_taken_once():
    assert merge(b"", lock(a="1", b="1"), lock(a="1", c="1"), LOCK).data == lock(
        a="1", b="1", c="1"
    )
    assert merge(lock(a="1"), lock(), lock(), LOCK).data == lock()


def test_a_stage_that_both_changed_stands_between_markers_that_name_it():
    merged = merge(lock(a="1", b="1"), lock(a="2", b="1"), lock(a="3", b="4"), LOCK)

    assert merged.conflicts == ("a",)
    assert merged.data.count(b"<<<<<<< ") == 1
    assert b'stage "a"' in merged.data
    assert resolved(merged.data, ours=True) == {"a": "2", "b": "4"}
    assert resolved(merged.data, ours=False) == {"a": "3", "b": "4"}


def test_changed_here_and_removed_there_is_a_conflict_that_either_side_resolves():
    merged = merge(lock(a="1", z="1"), lock(a="2", z="1"), lock(z="1"), LOCK)

    assert merged.conflicts == ("a",)
    assert resolved(merged.data, ours=True) == {"a": "2", "z": "1"}
    assert resolved(merged.data, ours=False) == {"z": "1"}


def test_a_parameter_that_only_changed_its_type_has_changed():
    def typed(value):
        entry = LockEntry(("x",), params={RepoPath("params.yaml"): {"lr": value}})
        return lockfile.render({"a": entry}, LOCK)

    assert merge(typed(1), typed(1), typed(1.0), LOCK).data == typed(1.0)
    assert merge(typed(1), typed(True), typed(1.0), LOCK).conflicts == ("a",)


def test_a_file_with_markers_is_named_when_it_is_read_and_when_it_is_merged():
    broken = merge(lock(a="1"), lock(a="2"), lock(a="3"), LOCK).data

    with pytest.raises(FormatError, match=r"datavc\.lock:4: holds the markers of a conflict"):
        lockfile.parse(broken, LOCK)
    with pytest.raises(FormatError, match="markers of a conflict"):
        merge(lock(a="1"), broken, lock(a="3"), LOCK)


def test_the_lock_of_a_folder_keeps_its_paths():
    where = RepoPath("sub/datavc.lock")
    text = lockfile.render({"a": LockEntry(("x",), wdir="other")}, where)

    assert b'"../other"' in text
    assert merge(b"", text, lockfile.render({}, where), where).data == text
