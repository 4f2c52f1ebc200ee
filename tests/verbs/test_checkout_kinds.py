from tests.support.work import Work


def data(work: Work) -> dict[str, bytes]:
    found = work.tree().items()
    return {p: text for p, text in found if p[0] != "." and not p.endswith((".datavc", "ignore"))}


def moved(work: Work, tag: str) -> None:
    work.git("checkout", "-q", tag)


def test_a_directory_becomes_a_file_and_back(work: Work) -> None:
    work.version({"d/a": b"a", "d/sub/b": b"b"}, "v1")
    work.remove("d")
    work.lay({"d": b"a file now"})
    work.add("d")
    work.commit("v2")

    moved(work, "v1")
    assert work.checkout().exit_code == 0
    assert data(work) == {"d/a": b"a", "d/sub/b": b"b"}
    moved(work, "v2")
    assert work.checkout().exit_code == 0
    assert data(work) == {"d": b"a file now"}
    assert work.status() == {}


def test_a_folder_inside_becomes_a_file_and_back(work: Work) -> None:
    work.version({"d/x/1": b"1", "d/x/2": b"2", "d/y": b"y"}, "v1")
    work.remove("d/x", "d/y")
    work.version({"d/x": b"x", "d/y/1": b"1"}, "v2")

    for tag, expected in (
        ("v1", {"d/x/1": b"1", "d/x/2": b"2", "d/y": b"y"}),
        ("v2", {"d/x": b"x", "d/y/1": b"1"}),
    ):
        moved(work, tag)
        assert work.checkout().exit_code == 0
        assert data(work) == expected
        assert work.status() == {}


def test_own_work_where_the_kind_changes_is_kept(work: Work) -> None:
    work.version({"d/x/1": b"1", "d/a": b"a"}, "v1")
    work.remove("d/x")
    work.version({"d/x": b"x"}, "v2")
    work.write("d/x", b"mine")
    moved(work, "v1")

    done = work.checkout()

    assert done.exit_code == 3
    assert data(work) == {"d/x": b"mine", "d/a": b"a"}
    assert work.checkout(force=True).exit_code == 0
    assert data(work) == {"d/x/1": b"1", "d/a": b"a"}
    assert work.object(b"mine").exists()


def test_own_files_below_a_name_that_becomes_a_file_are_kept(work: Work) -> None:
    work.version({"d/x": b"x", "d/a": b"a"}, "v1")
    work.remove("d/x")
    work.version({"d/x/1": b"1"}, "v2")
    work.write("d/x/mine", b"mine")
    moved(work, "v1")

    planned = work.checkout(dry_run=True)
    done = work.checkout()

    assert work.read("d/x/mine") == b"mine"
    assert done.exit_code == 3
    assert [f.path for f in done.failures] == [f.path for f in planned.failures] == ["d/x"]


def test_a_file_of_ones_own_where_a_folder_belongs_is_kept_and_named(work: Work) -> None:
    work.version({"d/x/1": b"1", "d/x/2": b"2"}, "v1")
    work.remove("d/x")
    work.write("d/x", b"mine")

    planned = work.checkout(dry_run=True)
    done = work.checkout()

    assert data(work) == {"d/x": b"mine"}
    assert done.exit_code == 3 and done.files == planned.files == 0
    assert {f.path for f in done.failures} == {f.path for f in planned.failures}
    assert work.checkout(force=True).exit_code == 0
    assert data(work) == {"d/x/1": b"1", "d/x/2": b"2"}
    assert work.object(b"mine").exists()


def test_an_empty_directory_that_was_filled_is_left_in_peace(work: Work) -> None:
    work.write("d/a", b"a")
    (work.root / "d/hollow").mkdir()
    work.add("d")
    work.write("d/hollow/mine", b"mine")

    assert work.checkout().files == 0
    assert work.read("d/hollow/mine") == b"mine"
