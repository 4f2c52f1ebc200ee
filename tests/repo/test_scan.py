import os
import time
from pathlib import Path

import pytest

from datavc.core.errors import DatavcError
from datavc.core.progress import SILENT
from datavc.core.tree import SEGMENT_MASK, begins_segment
from datavc.repo.file_reader import FileReader
from datavc.repo.scan import Scan, Trust
from datavc.store.stat_segment import StatSegment
from datavc.verbs.scanning import reader, scanner
from tests.support.work import Work


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path / "work")


class Reads:
    """Scans of one project, and which files each scan had to read."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.seen: list[str] = []

    def scan(self, output: str = "d", trust: Trust = Trust.CHANGED) -> Scan:
        repo = self.work.repo()
        eyes = reader(repo, SILENT)
        self.seen = []
        original = eyes.read

        def read(output, found, known):  # noqa: ANN202
            self.seen.append(found.key[0])
            return original(output, found, known)

        eyes.read = read  # type: ignore[method-assign]
        return scanner(repo, SILENT).scan(output, eyes, trust)

    def content(self, path: str, trust: Trust = Trust.CHANGED) -> str:
        entries = {entry.path: entry.content for entry in self.scan(trust=trust).entries()}
        return entries[path]


@pytest.fixture
def reads(work: Work) -> Reads:
    work.lay({"d/a": b"aaaa", "d/b": b"bbbb"})
    settle()
    found = Reads(work)
    found.scan()
    return found


def settle() -> None:
    """Let the file system's clock go on, so that what was written is not racy."""
    time.sleep(0.02)


def put_back_times(file: Path, change) -> None:
    before = file.stat()
    change()
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_did_not_change_is_not_read_again(reads: Reads) -> None:
    reads.scan()
    assert reads.seen == []
    reads.scan(trust=Trust.IDENTITY)
    assert reads.seen == []


def test_only_a_changed_file_is_read(reads: Reads) -> None:
    reads.work.write("d/b", b"BBBBB")

    assert reads.content("b") == reads.work.digest(b"BBBBB")
    assert reads.seen == ["b"]


def test_a_same_size_rewrite_with_its_time_put_back_is_noticed(reads: Reads) -> None:
    file = reads.work.root / "d/a"
    for number in range(20):
        text = b"%04d" % number
        put_back_times(file, lambda text=text: file.write_bytes(text))
        assert reads.content("a") == reads.work.digest(text)
        settle()


def test_a_rewrite_in_the_same_tick_is_noticed(work: Work) -> None:
    reads = Reads(work)
    for number in range(30):
        file = work.write("d/a", b"%04d" % number)
        inode = file.stat().st_ino
        reads.scan()
        file.write_bytes(b"%04d" % (number + 5000))
        assert file.stat().st_ino == inode
        assert reads.content("a") == work.digest(b"%04d" % (number + 5000))


def test_a_file_from_the_future_is_never_trusted(reads: Reads) -> None:
    os.utime(reads.work.root / "d/a", (2**32, 2**32))
    reads.scan()

    reads.scan()

    assert reads.seen == ["a"]


def test_a_touched_file_is_hashed_in_full_before_it_is_recorded(reads: Reads) -> None:
    os.utime(reads.work.root / "d/a")
    settle()
    reads.scan()
    assert reads.seen == ["a"]
    reads.scan()
    assert reads.seen == []

    reads.scan(trust=Trust.IDENTITY)
    assert reads.seen == ["a"]
    reads.scan(trust=Trust.IDENTITY)
    assert reads.seen == []


def test_bytes_of_equal_check_are_told_apart_before_they_are_recorded_or_replaced(
    work: Work,
) -> None:
    work.version({"d/a": b"aaaa"}, "v1")
    settle()
    work.status()
    repo = work.repo()
    segment = repo.stat_cache.load("d", "a")
    forged = segment.values[0]._replace(content=work.digest(b"other"), weak=True)
    repo.stat_cache.save("d", "a", StatSegment("", segment.keys, [forged]))

    assert work.status()["uncommitted"] == {"modified": ["d/"]}
    work.checkout()
    assert work.status() == {}
    assert work.read("d/a") == b"aaaa"
    work.add("d")
    assert work.status() == {}


def test_a_damaged_memo_costs_time_alone(reads: Reads) -> None:
    for file in (reads.work.root / ".datavc/state").rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

    assert reads.content("a") == reads.work.digest(b"aaaa")


def test_a_file_that_never_holds_still_is_refused(work: Work, monkeypatch) -> None:
    work.write("f", b"0")
    original = FileReader._content

    def busy(self, stream, size, known):  # noqa: ANN202
        found = original(self, stream, size, known)
        (work.root / "f").write_bytes(os.urandom(4))
        return found

    monkeypatch.setattr(FileReader, "_content", busy)
    with pytest.raises(DatavcError, match="f changes while it is read"):
        work.add("f")
    assert not (work.root / "f.datavc").exists()


def test_a_file_that_changes_once_is_read_again(work: Work, monkeypatch) -> None:
    work.write("f", b"before")
    original = FileReader._content
    times = iter([True])

    def busy(self, stream, size, known):  # noqa: ANN202
        found = original(self, stream, size, known)
        if next(times, False):
            (work.root / "f").write_bytes(b"after that")
        return found

    monkeypatch.setattr(FileReader, "_content", busy)
    work.add("f")

    assert work.pointed("f.datavc") == work.digest(b"after that")
    assert work.object(b"after that").read_bytes() == b"after that"


@pytest.fixture
def many(work: Work) -> Work:
    """A directory of several segments, two files before and after each cut."""
    names = [name for number in range(40_000) if begins_segment(name := f"n{number:06}")]
    assert len(names) > 3 and SEGMENT_MASK == 4095
    for name in names:
        work.lay({f"d/{name}": name, f"d/{name}x": "after"})
    work.add("d")
    work.commit("v1")
    settle()
    work.status()
    return work


def test_one_changed_file_touches_one_segment(many: Work) -> None:
    first = [segment.summary.digest for segment in Reads(many).scan().segments]
    victim = next(path for path in many.tree("d") if path.endswith("x"))
    many.write(f"d/{victim}", b"changed")

    reads = Reads(many)
    second = [segment.summary.digest for segment in reads.scan().segments]

    assert reads.seen == [victim]
    assert len(set(first) ^ set(second)) == 2 and len(first) == len(second) > 3
    many.add("d")
    many.git("checkout", "-q", "--", "d.datavc")
    done = many.checkout()
    assert done.modified == [f"d/{victim}"]


def test_a_file_that_begins_a_segment_may_go_and_come(many: Work) -> None:
    begin = sorted(many.tree("d"))[4]
    assert begins_segment(begin)
    expected = many.tree("d")

    many.remove(f"d/{begin}")
    many.add("d")
    assert many.status(granular=True)["committed"] == {
        "modified": ["d/"],
        "deleted": [f"d/{begin}"],
    }
    many.git("checkout", "-q", "--", "d.datavc")
    many.checkout()
    assert many.tree("d") == expected
    assert many.status() == {}


def test_names_that_are_not_utf_8_are_read_each_time_and_kept(work: Work) -> None:
    work.lay({"d/\udcff": b"odd", "d/z": b"z"})
    work.add("d")
    work.commit("v1")
    settle()

    assert work.status() == {}
    work.remove("d")
    work.checkout()
    assert work.tree("d") == {"\udcff": b"odd", "z": b"z"}
    assert work.add("d").outputs[0].modified == 0


def test_ignored_names_are_passed_over_and_never_recorded(work: Work) -> None:
    work.write(".datavcignore", "*.tmp\ncache/\n")
    work.lay({"d/a": b"a", "d/x.tmp": b"t", "d/cache/y": b"y", "d/sub/.datavcignore": "*.log\n"})
    work.lay({"d/sub/b.log": b"b", "d/sub/c": b"c"})

    entries = [entry.path for entry in Reads(work).scan().entries()]

    assert entries == ["a", "sub/.datavcignore", "sub/c"]


@pytest.mark.parametrize("name", [".git", ".datavc"])
def test_a_repository_inside_is_refused_by_name(work: Work, name: str) -> None:
    work.lay({"d/a": b"a", f"d/sub/{name}/config": b"x"})

    for _ in range(2):
        with pytest.raises(DatavcError, match=rf"d/sub/\{name}"):
            work.add("d")
        work.status()
    assert not (work.root / "d.datavc").exists()


@pytest.mark.parametrize(
    "make",
    [
        lambda file: file.symlink_to("/etc/passwd"),
        lambda file: file.symlink_to("../../outside"),
        lambda file: os.mkfifo(file),
        lambda file: file.write_bytes(b"1"),
    ],
    ids=["absolute", "outside", "fifo", "reserved"],
)
def test_what_status_saw_first_is_refused_by_add_all_the_same(work: Work, make) -> None:
    work.version({"d/a": b"a"}, "v1")
    before = work.read("d.datavc")
    name = "odd" if make.__code__.co_names[0] != "write_bytes" else ".GIT"
    make(work.root / "d" / name)
    settle()
    work.status()
    work.status()

    for target in ("d", f"d/{name}"):
        with pytest.raises(DatavcError, match=f"d/{name}"):
            work.add(target)
        assert work.read("d.datavc") == before


def test_links_are_not_followed(work: Work, tmp_path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_bytes(b"secret")
    work.write("d/a", b"a")
    (work.root / "d/away").symlink_to(tmp_path / "outside")

    entries = [entry.path for entry in Reads(work).scan().entries()]

    assert entries == ["a", "away"]


def test_an_unreadable_file_equals_nothing_and_stops_no_other(work: Work) -> None:
    work.version({"d/a": b"a", "d/b": b"b"}, "v1")
    work.remove("d/a")
    os.mkfifo(work.root / "d/a")
    settle()

    for _ in range(2):
        assert work.status(granular=True) == {"uncommitted": {"modified": ["d/", "d/a"]}}
