from pathlib import Path

import pytest

from datavc.core.digest import Digest, object_key
from datavc.core.errors import DatavcError
from datavc.verbs.checkout import CheckoutOptions
from datavc.verbs.sync_options import RevisionScope
from tests.support.work import Work
from tests.verbs.test_push import at, state, stored

FILES = {"f": b"one", "d/a": b"a", "d/b": b"b", "d/sub/c": b"c"}


@pytest.fixture
def storage(work: Work, tmp_path: Path) -> Path:
    work.version(FILES, "v1")
    remote = work.remote(tmp_path / "storage")
    work.push()
    return remote


@pytest.fixture
def clone(work: Work, storage: Path, tmp_path: Path) -> Work:
    return work.clone(tmp_path / "clone")


def data(work: Work) -> dict[str, bytes]:
    found = work.tree().items()
    return {p: text for p, text in found if p[0] != "." and not p.endswith((".datavc", "ignore"))}


def spoil(file: Path, text: bytes) -> None:
    file.chmod(0o644)
    file.write_bytes(text)
    file.chmod(0o444)


def test_a_clone_gets_the_same_bytes(clone: Work, storage: Path) -> None:
    before = state(storage)

    done = clone.pull()

    assert done.exit_code == 0
    assert data(clone) == FILES
    assert clone.status() == {}
    assert state(storage) == before
    again = clone.pull()
    assert (again.fetched.files, again.checked_out.files) == (0, 0)


def test_what_is_here_already_needs_no_remote(clone: Work, storage: Path) -> None:
    clone.pull()
    storage.rename(storage.parent / "away")
    clone.remove("d")

    assert clone.pull().exit_code == 0
    assert data(clone) == FILES


def test_a_file_that_the_remote_lost_is_named_and_the_rest_delivered(
    clone: Work, storage: Path
) -> None:
    at(storage, clone.digest(b"a")).unlink()

    done = clone.pull()

    assert done.exit_code == 4
    assert [failure.path for failure in done.failures] == ["d/a"]
    assert data(clone) == {path: text for path, text in FILES.items() if path != "d/a"}


def test_what_may_be_missing_is_no_failure(clone: Work, storage: Path) -> None:
    at(storage, clone.digest(b"a")).unlink()

    done = clone.pull(into=CheckoutOptions(allow_missing=True))

    assert done.exit_code == 0
    assert "d/a" not in data(clone) and "d/b" in data(clone)


def test_a_list_that_the_remote_lost_costs_no_other_output(clone: Work, storage: Path) -> None:
    at(storage, clone.pointed("d.datavc")).unlink()

    done = clone.pull()

    assert done.exit_code == 4
    assert [failure.path for failure in done.failures] == ["d"]
    assert data(clone) == {"f": b"one"}


@pytest.mark.parametrize("wrong", [b"X", b"", b"much longer than announced"])
def test_wrong_bytes_on_the_remote_never_arrive(clone: Work, storage: Path, wrong: bytes) -> None:
    spoil(at(storage, clone.digest(b"a")), wrong)

    done = clone.pull()

    assert done.exit_code == 4 and [failure.path for failure in done.failures] == ["d/a"]
    assert "d/a" not in data(clone)
    assert not clone.object(b"a").exists()
    if wrong:
        assert wrong not in stored(clone.root / ".datavc/cache")


def test_a_list_with_wrong_bytes_never_arrives(clone: Work, storage: Path) -> None:
    hostile = b'["datavc tree leaf",1]\n["../../escaped","blake3:' + b"0" * 64 + b'",1,0]\n'
    spoil(at(storage, clone.pointed("d.datavc")), hostile)

    done = clone.pull()

    assert done.exit_code == 4
    assert not (clone.root.parent / "escaped").exists()
    assert data(clone) == {"f": b"one"}


def test_a_pull_heals_a_damaged_object_of_the_cache(clone: Work) -> None:
    clone.pull()
    for text in (b"a", b"one"):
        spoil(clone.object(text), b"X" * len(text))
    clone.remove("d", "f")

    done = clone.pull()

    assert done.exit_code == 0
    assert data(clone) == FILES
    assert clone.object(b"a").read_bytes() == b"a"


def test_a_pull_heals_a_damaged_list_of_files(clone: Work) -> None:
    clone.pull()
    file = Path(clone.repo().objects.path(clone.pointed("d.datavc")))
    spoil(file, b"garbage")
    clone.remove("d")

    assert clone.pull().exit_code == 0
    assert data(clone) == FILES


def test_healing_goes_to_the_outputs_own_remote(work: Work, storage: Path, tmp_path: Path) -> None:
    work.remote(tmp_path / "other", "other", default=False)
    work.write("f.datavc", work.read("f.datavc") + b"remote: other\n")
    at(storage, work.digest(b"one")).unlink()
    work.push()
    spoil(work.object(b"one"), b"0ne")
    work.remove("f")

    assert work.pull().exit_code == 0
    assert work.read("f") == b"one"


def test_damage_that_no_remote_can_mend_is_named(clone: Work, storage: Path) -> None:
    clone.pull()
    spoil(clone.object(b"a"), b"X")
    at(storage, clone.digest(b"a")).unlink()
    clone.remove("d/a")

    done = clone.pull()

    assert done.exit_code == 4 and {failure.path for failure in done.failures} == {"d/a"}


def test_data_that_is_never_pushed_is_missing_without_a_remote_being_asked(work: Work) -> None:
    work.version({"f": b"one", "g": b"two"}, "v1")
    work.write("f.datavc", work.read("f.datavc") + b"push: false\n")
    work.remove("f", "g")
    work.lose(work.digest(b"one"))

    done = work.pull()

    assert done.exit_code == 4 and [failure.path for failure in done.failures] == ["f"]
    assert work.read("g") == b"two"


def test_one_local_change_in_the_way_stops_nothing_else(clone: Work) -> None:
    clone.lay({"d/a": b"mine", "d/own": b"own"})

    done = clone.pull()

    assert done.exit_code == 3 and [failure.path for failure in done.failures] == ["d/a"]
    assert data(clone) == FILES | {"d/a": b"mine", "d/own": b"own"}
    assert clone.pull(into=CheckoutOptions(force=True)).exit_code == 0
    assert data(clone) == FILES | {"d/own": b"own"}
    assert clone.object(b"mine").exists()


def test_something_in_the_way_asks_no_remote_again(clone: Work, storage: Path) -> None:
    clone.pull()
    clone.remove("d/sub")
    clone.write("d/sub", b"mine")
    storage.rename(storage.parent / "away")

    done = clone.pull()

    assert done.exit_code == 3
    assert clone.read("d/sub") == b"mine"


def test_sparse_pulls_bring_what_was_named(clone: Work) -> None:
    clone.pull("d/a")
    assert data(clone) == {"d/a": b"a"}
    assert not clone.object(b"b").exists()
    clone.pull("d/sub/*")
    assert data(clone) == {"d/a": b"a", "d/sub/c": b"c"}
    assert clone.status("d") == {"not_in_cache": ["d/"], "not_fetched": ["d/"]}
    clone.pull("d")
    assert clone.status("d") == {}


@pytest.mark.parametrize("target", ["d/zzz", "d/*.jpg", "zzz", "f/x"])
def test_a_target_that_names_nothing_is_an_error(clone: Work, target: str) -> None:
    with pytest.raises(DatavcError):
        clone.pull(target)
    assert data(clone) == {}


def test_old_versions_are_fetched_by_scope(work: Work, storage: Path, tmp_path: Path) -> None:
    work.version({"f": b"two"}, "v2")
    work.push()
    clone = work.clone(tmp_path / "clone")

    clone.fetch("f")
    assert not clone.object(b"one").exists()
    clone.fetch("f", scope=RevisionScope(all_tags=True))
    assert clone.object(b"one").exists()
    assert data(clone) == {}


def test_an_old_version_is_pulled_by_revision(work: Work, storage: Path, tmp_path: Path) -> None:
    work.version({"f": b"two"}, "v2")
    work.push()
    clone = work.clone(tmp_path / "clone")

    clone.pull(
        "f",
        scope=RevisionScope(revs=("v1",)),
        workspace=False,
        into=CheckoutOptions(rev="v1"),
    )

    assert data(clone) == {"f": b"one"}
    assert not clone.object(b"two").exists()


def test_an_interrupted_fetch_goes_on_object_by_object(clone: Work, storage: Path) -> None:
    clone.fetch("d/a")

    done = clone.fetch()

    assert done.exit_code == 0 and done.files == 3  # f, d/b and d/sub/c; the list is here


def test_a_dry_run_of_a_fresh_clone_is_no_failure_and_changes_nothing(clone: Work) -> None:
    done = clone.pull(dry_run=True, into=CheckoutOptions(dry_run=True))

    assert done.exit_code == 0
    assert done.fetched.files >= 2
    assert data(clone) == {}
    assert not (clone.root / ".datavc/cache/objects").exists()


def test_a_pull_never_writes_to_the_remote(clone: Work, storage: Path) -> None:
    spoil(at(storage, clone.digest(b"a")), b"X")
    before = state(storage)

    clone.pull()

    assert state(storage) == before


def test_keys_of_objects_are_the_ones_written_down() -> None:
    assert object_key(Digest("md5:" + "ab" * 16)) == "md5/ab/" + "ab" * 15
