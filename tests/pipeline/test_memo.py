"""Memos: a value is known for the very bytes it came from, and losing it costs time alone."""

from __future__ import annotations

from pathlib import Path

from datavc.pipeline.memo import Memo, digest_of
from datavc.store import memo_file


def noted(folder: Path, version: int = 1) -> Memo:
    memo = Memo(str(folder), "m", version)
    memo.put("a", digest_of(b"text"), ({"b": [1, 2.0, None, True, "é"]}, (1, 2)))
    memo.save()
    return Memo(str(folder), "m", version)


def test_a_value_is_known_for_what_it_came_from(tmp_path: Path):
    memo = noted(tmp_path)

    assert memo.get("a", digest_of(b"text")) == ({"b": [1, 2.0, None, True, "é"]}, (1, 2))
    assert memo.get("a", digest_of(b"other")) is None
    assert memo.get("b", digest_of(b"text")) is None


def test_another_version_knows_nothing(tmp_path: Path):
    noted(tmp_path, 1)

    assert Memo(str(tmp_path), "m", 2).get("a", digest_of(b"text")) is None


def test_no_bytes_are_not_empty_ones():
    assert digest_of(None) == ""
    assert len({digest_of(None), digest_of(b""), digest_of(b"\0")}) == 3


def test_a_damaged_memo_is_none(tmp_path: Path):
    noted(tmp_path)
    whole = (tmp_path / "m").read_bytes()
    for wrong in (b"", whole[:-1], whole[:32], whole[:31], b"x" * 200):
        (tmp_path / "m").write_bytes(wrong)

        assert Memo(str(tmp_path), "m", 1).get("a", digest_of(b"text")) is None
    for value in (None, 5, [1], "text"):
        memo_file.write(str(tmp_path / "m"), 1, value)

        assert Memo(str(tmp_path), "m", 1).get("a", digest_of(b"text")) is None


def test_what_is_not_changed_is_not_written(tmp_path: Path):
    memo = noted(tmp_path)
    (tmp_path / "m").unlink()
    memo.get("a", digest_of(b"text"))
    memo.save()

    assert not (tmp_path / "m").exists()
