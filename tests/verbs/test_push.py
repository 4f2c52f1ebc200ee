import json
import os
from pathlib import Path

import pytest

from datavc.core.digest import Digest, object_key
from datavc.core.errors import DatavcError
from datavc.verbs.sync_options import RevisionScope
from tests.support.work import Work


@pytest.fixture
def storage(work: Work, tmp_path: Path) -> Path:
    work.version({"f": b"one", "d/a": b"a", "d/b": b"b"}, "v1")
    return work.remote(tmp_path / "storage")


def stored(remote: Path) -> set[bytes]:
    return {file.read_bytes() for file in (remote / "objects").glob("*/*/*")}


def at(remote: Path, digest: Digest) -> Path:
    return remote / "objects" / object_key(digest)


def state(remote: Path) -> dict[str, tuple[int, int]]:
    """Everything on the remote, with what would show a write."""
    found = {}
    for folder, folders, files in os.walk(remote):
        for name in (*folders, *files):
            status = os.lstat(os.path.join(folder, name))
            found[os.path.join(folder, name)] = status.st_mtime_ns, status.st_ino
    return found


def test_files_and_lists_of_files_arrive(work: Work, storage: Path) -> None:
    done = work.push()

    assert (done.files, done.bytes, done.exit_code) == (4, 5 + len(tree(work)), 0)
    assert stored(storage) == {b"one", b"a", b"b", tree(work)}


def tree(work: Work) -> bytes:
    return Path(work.repo().objects.path(work.pointed("d.datavc"))).read_bytes()


def test_a_second_push_sends_nothing_and_writes_nothing(work: Work, storage: Path) -> None:
    work.push()
    before = state(storage)

    done = work.push()

    assert (done.files, done.skipped, done.exit_code) == (0, 4, 0)
    assert state(storage) == before


def test_only_what_the_remote_lacks_is_sent(work: Work, storage: Path) -> None:
    work.push()
    work.version({"d/a": b"changed"}, "v2")

    assert work.push().files == 2  # the file, and the list that names it


def test_the_remote_is_asked_anew_each_time(work: Work, storage: Path) -> None:
    work.push()
    at(storage, work.digest(b"a")).unlink()

    assert work.push().files == 1
    assert at(storage, work.digest(b"a")).read_bytes() == b"a"


def test_what_can_be_sent_is_sent_and_the_rest_named(work: Work, storage: Path) -> None:
    work.lose(work.digest(b"a"), work.digest(b"one"))

    done = work.push()

    assert done.exit_code == 4
    assert {(f.path, f.digest) for f in done.failures} == {
        ("d/a", work.digest(b"a")),
        ("f", work.digest(b"one")),
    }
    assert {b"b", tree(work)} <= stored(storage)


def test_an_object_that_is_here_no_more_but_there_is_no_failure(work: Work, storage: Path) -> None:
    work.push()
    work.lose(work.digest(b"a"))

    assert work.push().exit_code == 0


def test_a_damaged_object_is_set_aside_and_not_sent(work: Work, storage: Path) -> None:
    file = work.object(b"a")
    file.chmod(0o644)
    file.write_bytes(b"X")

    done = work.push()

    assert done.exit_code == 4 and [f.path for f in done.failures] == ["d/a"]
    assert b"X" not in stored(storage) and b"b" in stored(storage)
    assert not file.exists()


def test_a_remote_that_has_the_list_but_lost_a_file_is_found_out_by_a_bare_clone(
    work: Work, storage: Path, tmp_path: Path
) -> None:
    work.push()
    clone = work.clone(tmp_path / "clone")
    assert clone.push().exit_code == 0
    at(storage, work.digest(b"a")).unlink()

    done = clone.push()

    assert done.exit_code == 4 and [f.path for f in done.failures] == ["d/a"]


def test_what_is_neither_here_nor_there_is_named(
    work: Work, storage: Path, tmp_path: Path
) -> None:
    clone = work.clone(tmp_path / "clone")

    done = clone.push()

    assert done.exit_code == 4
    assert {failure.path for failure in done.failures} == {"d", "f"}


def test_an_output_that_is_not_to_be_pushed_stays_here(work: Work, storage: Path) -> None:
    work.write("f.datavc", work.read("f.datavc") + b"push: false\n")

    done = work.push()

    assert done.exit_code == 0
    assert b"one" not in stored(storage)


def test_an_outputs_own_remote_wins(work: Work, storage: Path, tmp_path: Path) -> None:
    other = work.remote(tmp_path / "other", "other", default=False)
    work.write("f.datavc", work.read("f.datavc") + b"remote: other\n")

    work.push()
    assert stored(other) == {b"one"} and b"one" not in stored(storage)
    done = work.push(remote="r")
    assert any("f" in warning and "other" in warning for warning in done.warnings)
    assert b"one" not in stored(storage)


@pytest.fixture
def history(work: Work, storage: Path) -> Work:
    """Commits v1, v2 (its branch `side` left), v3 on main, each with its own bytes of f."""
    work.git("checkout", "-q", "-b", "side")
    work.version({"f": b"two"}, "v2")
    work.git("tag", "-d", "v2")
    work.git("checkout", "-q", "main")
    work.checkout()
    work.version({"f": b"three"}, "v3")
    work.version({"f": b"four"}, "v4")
    work.git("tag", "-d", "v3", "v4")
    return work


@pytest.mark.parametrize(
    ("scope", "sent"),
    [
        ({}, {b"four"}),
        ({"all_branches": True}, {b"four", b"two"}),
        ({"all_tags": True}, {b"four", b"one"}),
        ({"all_commits": True}, {b"one", b"two", b"three", b"four"}),
        ({"revs": ("main~1",)}, {b"four", b"three"}),
    ],
)
def test_scopes_add_versions(history: Work, storage: Path, scope, sent) -> None:
    history.push("f", scope=RevisionScope(**scope) if scope else None)

    assert stored(storage) == sent


def test_targets_inside_a_directory_send_these_files_and_the_list(
    work: Work, storage: Path
) -> None:
    work.version({"d/sub/c.png": b"c", "d/e.png": b"e"}, "v2")

    work.push("d/a")
    assert stored(storage) == {b"a", tree(work)}
    work.push("d/*.png")
    assert stored(storage) == {b"a", b"e", tree(work)}
    work.push("d/sub")
    assert stored(storage) == {b"a", b"e", b"c", tree(work)}
    for target in ("d/zzz", "d/*.jpg", "nothing"):
        with pytest.raises(DatavcError):
            work.push(target)


def test_a_dry_run_sends_nothing_and_is_right(work: Work, storage: Path) -> None:
    planned = work.push(dry_run=True)

    assert not storage.exists() or stored(storage) == set()
    done = work.push()
    assert planned.files == done.files


def test_a_remote_of_the_repository_needs_consent(work: Work, tmp_path: Path) -> None:
    work.write("f", b"one")
    work.add("f")
    config = work.read(".datavc/config.toml").decode()
    work.write(
        ".datavc/config.toml",
        config.replace("[core]", '[core]\nremote = "r"') + f'[remote.r]\nurl = "{tmp_path}/r"\n',
    )

    refused = work.builder.run("push", "--json", check=False)
    assert refused.code == 1
    assert "install" in json.loads(refused.stdout)["error"]["hint"]
    assert not (tmp_path / "r").exists()
    work.builder.env["DATAVC_TRUST"] = "1"
    assert work.builder.run("push").code == 0
    assert stored(tmp_path / "r") == {b"one"}


def test_without_any_remote_the_way_to_one_is_told(work: Work) -> None:
    work.version({"f": b"one"}, "v1")

    with pytest.raises(DatavcError) as caught:
        work.push()
    assert "remote add" in caught.value.hint


def test_two_pushes_of_a_name_that_was_renamed_send_it_once(work: Work, storage: Path) -> None:
    work.push()
    (work.root / "d/a").rename(work.root / "d/z")
    work.add("d")

    assert work.push().files == 1  # the list alone
