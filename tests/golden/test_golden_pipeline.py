"""Bytes of every version of lock and run-cache entry: they parse for ever, and to the same."""

from __future__ import annotations

from pathlib import Path

from datavc.core.lock import LockEntry
from datavc.core.paths import RepoPath
from datavc.formats import lockfile
from datavc.pipeline import runcache

HERE = Path(__file__).parent
LOCK = RepoPath("sub/datavc.lock")
KEY = "e8d5f8e42c141b7496a64168d7f847ff5c618a1c1fc6763e680e111af9a61a2e"


def test_a_lock_is_rendered_the_same() -> None:
    data = (HERE / "lock-1.json").read_bytes()

    assert lockfile.render(lockfile.parse(data, LOCK), LOCK) == data


def test_a_lock_means_what_it_meant() -> None:
    found = lockfile.parse((HERE / "lock-1.json").read_bytes(), LOCK)

    assert found["bare"] == LockEntry(("true",), "sub")
    entry = found["train@a/b"]
    assert entry.cmd == ("python train.py --lr 1e-05", 'echo "é\t\\"')
    assert entry.wdir == "sub/deep"
    assert [(dep.path, dep.kind, dep.size, dep.files) for dep in entry.deps] == [
        ("raw.csv", "file", 7, None),
        ("sub/images", "directory", 614400, 3),
        ("unknown", "file", None, None),
    ]
    values = entry.params[RepoPath("params.yaml")]
    assert {key: (type(value), value) for key, value in values.items()} == {
        "net.layers": (list, [32, {"a": "ü", "b": 1}]),
        "none": (type(None), None),
        "part": (float, 1.0),
        "small": (float, 1e-05),
        "text": (str, "1"),
        "whole": (int, 1),
        "yes": (bool, True),
    }
    assert entry.env["UNSET"] == ""
    assert [(out.path, out.executable, out.cache, out.push, out.remote) for out in entry.outs] == [
        ("sub/metrics.json", False, False, True, None),
        ("sub/model", False, True, False, None),
        ("sub/run.sh", True, True, True, "backup"),
    ]


def test_a_run_lies_under_the_same_key_for_ever() -> None:
    data = (HERE / "run-1.json").read_bytes()

    found = runcache.parse(data, KEY)

    assert runcache.render(found) == data
    assert found.key == KEY
    assert (found.stage, found.seconds) == ("train", 12.25)
    assert found.log == "blake3:" + "8" * 64
