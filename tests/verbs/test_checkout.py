import os
import shutil
import stat

import pytest

from datavc.core.errors import BusyError, DatavcError
from datavc.core.progress import SILENT
from datavc.store import trees
from datavc.store.lock import repository_lock
from datavc.verbs.checkout import CheckoutOptions, checkout
from datavc.verbs.scanning import inventory
from tests.support.work import Work

V1 = {"f": b"one", "d/a": b"a1", "d/b": b"b1", "d/sub/old": b"old"}
V2 = {"f": b"two", "d/a": b"a2", "d/b": b"b1", "d/new": b"new"}


@pytest.fixture
def two(work: Work) -> Work:
    """A project with tags v1 and v2, of which v2 lies there."""
    work.version(V1, "v1")
    work.remove("d/sub")
    work.version(V2, "v2")
    return work


def data(work: Work) -> dict[str, bytes]:
    found = work.tree().items()
    return {p: text for p, text in found if p[0] != "." and not p.endswith((".datavc", "ignore"))}


def moved(work: Work, tag: str) -> None:
    work.git("checkout", "-q", tag)


def test_data_becomes_what_the_pointers_say(two: Work) -> None:
    moved(two, "v1")

    done = two.checkout()

    assert data(two) == V1
    assert (done.added, done.deleted) == (["d/sub/old"], ["d/new"])
    assert sorted(done.modified) == ["d/a", "f"]
    assert two.status() == {}
    assert two.checkout().files == 0


def test_what_must_not_be_touched_is_left_and_named_and_all_else_restored(two: Work) -> None:
    moved(two, "v1")
    two.lay({"d/a": b"mine", "f": b"mine too"})

    done = two.checkout()

    assert done.exit_code == 3
    assert {failure.path for failure in done.failures} == {"d/a", "f"}
    assert data(two) == V1 | {"d/a": b"mine", "f": b"mine too"}


def test_one_missing_object_costs_no_neighbour(two: Work) -> None:
    two.lose(two.digest(b"a1"))
    moved(two, "v1")

    done = two.checkout()

    assert done.exit_code == 4
    assert [(f.path, f.digest) for f in done.failures] == [("d/a", two.digest(b"a1"))]
    assert data(two) == V1 | {"d/a": b"a2"}
    assert two.checkout(allow_missing=True).exit_code == 0


def test_a_missing_list_of_files_removes_nothing(two: Work) -> None:
    two.git("checkout", "-q", "v1")
    two.lose(two.pointed("d.datavc"))

    done = two.checkout()

    assert done.exit_code == 4
    assert data(two) == {**{p: t for p, t in V2.items() if p != "f"}, "f": b"one"}


@pytest.mark.parametrize("options", [{}, {"force": True}, {"discard": True}])
def test_untracked_files_in_a_tracked_directory_stay(two: Work, options) -> None:
    two.lay({"d/mine": b"mine", "d/sub/mine": b"mine"})
    moved(two, "v1")

    two.checkout(**options)

    assert data(two) == V1 | {"d/mine": b"mine", "d/sub/mine": b"mine"}


@pytest.mark.parametrize("options", [{}, {"force": True}, {"discard": True}])
def test_ignored_files_are_never_touched(two: Work, options) -> None:
    two.write(".datavcignore", "*.log\nprivate/\n")
    two.lay({"d/x.log": b"log", "d/private/x": b"note", "d/sub/y.log": b"log"})
    moved(two, "v1")

    two.checkout(**options)
    two.git("checkout", "-q", "v2")
    two.checkout(**options)

    kept = {"d/x.log": b"log", "d/private/x": b"note", "d/sub/y.log": b"log"}
    assert {path: two.read(path) for path in kept} == kept


def test_an_ignored_file_is_not_overwritten_by_a_version_that_has_one(work: Work) -> None:
    work.version({"d/x.log": b"tracked", "d/a": b"a"}, "v1")
    work.write(".datavcignore", "*.log\n")
    work.write("d/x.log", b"private note")

    for options in ({}, {"force": True}):
        work.checkout(**options)
        assert work.read("d/x.log") == b"private note"


def test_force_saves_what_it_replaces(two: Work) -> None:
    moved(two, "v1")
    two.lay({"d/a": b"mine", "f": b"mine too"})

    done = two.checkout(force=True)

    assert done.exit_code == 0
    assert data(two) == V1
    assert two.object(b"mine").read_bytes() == b"mine"
    assert two.object(b"mine too").read_bytes() == b"mine too"
    saved = {
        digest for operation in two.repo().journal.operations() for digest in operation.digests()
    }
    assert {two.digest(b"mine"), two.digest(b"mine too")} <= saved


def test_discard_gives_up_what_it_replaces(two: Work) -> None:
    two.write("f", b"mine")

    assert two.checkout(discard=True).exit_code == 0
    assert two.read("f") == b"two"
    assert not two.object(b"mine").exists()


def test_changes_that_are_saved_may_be_replaced(two: Work) -> None:
    two.write("f", b"one")  # the bytes of v1, which the cache has

    assert two.checkout().exit_code == 0
    assert two.read("f") == b"two"


def test_what_cannot_be_saved_costs_no_neighbour(two: Work) -> None:
    two.remove("d/a", "d/b")
    os.mkfifo(two.root / "d/a")

    done = two.checkout(force=True)

    assert [failure.path for failure in done.failures] == ["d/a"]
    assert done.exit_code == 3
    assert stat.S_ISFIFO(os.lstat(two.root / "d/a").st_mode)
    assert two.read("d/b") == b"b1"


def test_data_whose_pointer_git_took_away_goes_if_it_is_saved(two: Work) -> None:
    two.version({"g": b"saved"}, "v3")
    two.version({"h": b"h"}, "v4")
    two.write("h", b"changed since")
    moved(two, "v2")

    done = two.checkout()

    assert not (two.root / "g").exists()
    assert two.read("h") == b"changed since"
    assert [failure.path for failure in done.failures] == ["h"]


def test_data_of_a_pointer_that_is_gone_stays_if_the_cache_lost_it(two: Work) -> None:
    two.version({"g": b"saved"}, "v3")
    two.lose(two.digest(b"saved"))
    moved(two, "v2")

    two.checkout()

    assert two.read("g") == b"saved"


def test_data_that_went_over_to_git_is_not_deleted(two: Work) -> None:
    two.remove("f.datavc")
    two.write(".gitignore", "/d/\n")
    two.commit("v3")
    assert two.git("ls-files", "f").stdout == "f\n"

    two.checkout()
    assert two.read("f") == b"two"
    moved(two, "v1")
    two.checkout()
    assert data(two) == V1
    moved(two, "v3")
    two.checkout()
    assert two.read("f") == b"two"


def test_a_path_inside_a_directory_is_brought_back_alone(two: Work) -> None:
    two.remove("d")

    two.checkout("d/a")

    assert data(two) == {"d/a": b"a2", "f": b"two"}
    assert two.status(granular=True)["uncommitted"]["deleted"] == ["d/b", "d/new"]


def test_globs_choose_inside_directories(work: Work) -> None:
    files = {"d/a.png": b"1", "d/b.txt": b"2", "d/sub/c.png": b"3", "f": b"f"}
    work.version(files, "v1")

    for pattern, expected in (
        ("d/*.png", {"d/a.png"}),
        ("d/**/*.png", {"d/a.png", "d/sub/c.png"}),
        ("d/sub", {"d/sub/c.png"}),
        ("*", set(files)),
    ):
        work.remove(*(path for path in ("d", "f") if (work.root / path).exists()))
        work.checkout(pattern)
        assert data(work).keys() == expected
    with pytest.raises(DatavcError, match=r"d/\*\.jpg"):
        work.checkout("d/*.jpg")


def test_an_old_version_comes_without_moving_git_and_goes_again(two: Work) -> None:
    two.checkout("d", rev="v1")

    assert data(two) == {**V1, "f": b"two"}
    assert two.status()["uncommitted"] == {"modified": ["d/"]}
    two.checkout()
    assert data(two) == V2
    assert two.status() == {}


def test_an_old_version_of_everything_comes_and_goes(two: Work) -> None:
    two.checkout(rev="v1")
    assert data(two) == V1
    two.checkout(rev="v2")
    assert data(two) == V2
    two.checkout("d/sub/old", rev="v1")
    assert data(two) == V2 | {"d/sub/old": b"old"}
    two.checkout()
    assert data(two) == V2


def test_an_old_version_that_was_put_back_can_be_added(two: Work) -> None:
    old = two.git("show", "v1:d.datavc").stdout
    two.checkout("d", rev="v1")

    two.add("d")

    assert two.read("d.datavc").decode() == old


def test_an_old_file_that_is_tracked_no_longer_stays_once_it_was_brought(two: Work) -> None:
    two.version({"g": b"g"}, "v3")
    two.remove("g.datavc")
    two.commit("v4")
    two.checkout()
    assert not (two.root / "g").exists()

    two.checkout("g", rev="v3")
    two.checkout()

    assert two.read("g") == b"g"


def test_own_files_stay_where_an_old_version_was_looked_at(two: Work) -> None:
    two.checkout("d", rev="v1")
    two.lay({"d/sub/old": b"mine now", "d/own": b"own"})

    two.checkout()

    assert data(two) == V2 | {"d/sub/old": b"mine now", "d/own": b"own"}


@pytest.mark.parametrize("options", [{}, {"force": True}, {"discard": True}])
def test_a_dry_run_says_what_then_happens(two: Work, options) -> None:
    moved(two, "v1")
    two.lay({"d/a": b"mine", "d/own": b"own"})
    two.lose(two.digest(b"one"))
    before, journal = two.tree(), two.repo().journal.ids()

    planned = two.checkout(dry_run=True, **options)

    assert two.tree() == before and two.repo().journal.ids() == journal
    assert not two.object(b"mine").exists()
    done = two.checkout(**options)
    assert vars(planned) == {**vars(done), "dry_run": True}
    assert done.exit_code == 4


def test_a_target_that_names_nothing_changes_nothing(two: Work) -> None:
    moved(two, "v1")

    for target in ("ff", "d/zzz", "f/x"):
        with pytest.raises(DatavcError):
            two.checkout(target)
    assert data(two) == V2
    with pytest.raises(DatavcError):
        two.checkout("d/a", "d/zzz")
    assert data(two) == V2


def test_a_broken_pointer_stops_no_other_output(two: Work) -> None:
    moved(two, "v1")
    two.write("f.datavc", b"<<<<<<< ours\n")

    done = two.checkout()

    assert data(two) == V1 | {"f": b"two"}
    assert done.exit_code == 3
    assert [failure.path for failure in done.failures] == ["f.datavc"]
    assert any("f.datavc" in warning for warning in two.checkout("d").warnings)


def test_a_tracked_path_whose_folder_git_ignores_later_is_still_tracked(work: Work) -> None:
    work.version({"d/a": b"a"}, "v1")
    work.lay({"deep/x": b"x"})
    work.add("deep/x")
    work.write(".gitignore", work.read(".gitignore") + b"/deep/\n")
    work.git("add", "-f", "deep/x.datavc")
    work.commit("v2")
    work.remove("deep/x")

    work.checkout()

    assert work.read("deep/x") == b"x"


def test_a_lock_that_somebody_holds_is_one_clear_failure(two: Work) -> None:
    moved(two, "v1")
    two.settings = {"core.lock_timeout": "0.1"}

    with repository_lock(two.repo().layout.lock, 1.0, SILENT), pytest.raises(BusyError):
        two.checkout()

    assert data(two) == V2


def test_from_a_folder_below_paths_are_seen_from_there(work: Work) -> None:
    work.lay({"sub/f": b"f", "sub/d/x": b"x"})
    work.add("sub/f", "sub/d")
    work.remove("sub/f", "sub/d")

    checkout(work.repo("sub"), ["f", "d/*"], CheckoutOptions())

    assert work.tree("sub/d") == {"x": b"x"}
    assert work.read("sub/f") == b"f"


def test_the_summary_is_one_line(two: Work) -> None:
    moved(two, "v1")

    done = two.builder.run("checkout", "--summary")

    (line,) = done.stdout.splitlines()
    assert "1 file added, 2 changed, 1 deleted" in line


def test_what_was_laid_into_nothing_is_known_without_looking(two: Work) -> None:
    two.remove("d")
    two.checkout()
    repo = two.repo()
    (output,) = [out for out in inventory(repo).outputs.values() if out.is_directory]
    segments = trees.segments(repo.objects, output.digest)

    noted = [repo.stat_cache.load(output.path, part.first) for part in segments]

    assert [memo and memo.leaf for memo in noted] == [part.digest for part in segments]
    assert [memo and [key[0] for key in memo.keys] for memo in noted] == [["a", "b", "new"]]
    assert two.status() == {}


def test_files_that_are_passed_over_count_as_not_fetched_where_nothing_was(work: Work) -> None:
    work.version({"d/a": b"a", "d/x": b"x"}, "one")
    work.write(".datavcignore", "x\n")
    shutil.rmtree(work.root / "d")
    work.checkout("d")
    assert work.status() == {"not_fetched": ["d/"]}
    assert work.add("d").outputs[0].deleted == 0
