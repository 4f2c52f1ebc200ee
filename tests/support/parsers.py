"""Every parser of what comes from outside, by name, as a function of bytes, and good input for it.

Each may raise an error of ours or return; anything else is a bug. Shared by the tests and by
`scripts/fuzz`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from datavc.core import digest, paths, tree
from datavc.core.errors import DatavcError
from datavc.core.paths import RepoPath
from datavc.formats import data_file, flat_yaml, lock_merge, lockfile, pointer, strict_yaml
from datavc.formats import tree as tree_codec
from datavc.pipeline import runcache
from datavc.pipeline.expand import expand
from datavc.pipeline.memo import Memo
from datavc.remote import address, header
from datavc.repo import config_files, git_output
from datavc.repo.config_keys import KEYS, REMOTE_KEYS, known_key
from datavc.repo.ignore import load
from datavc.repo.journal import Journal
from datavc.repo.lock_journal import LockJournal
from datavc.repo.loose import LooseFiles
from datavc.repo.placed import Placed
from datavc.store.stat_cache import StatCache
from datavc.store.stat_segment import StatSegment, StatValue
from datavc.store.verified import VerifiedObjects
from datavc.store.whole import WholeTrees

GOLDEN = Path(__file__).parent.parent / "golden"
Parse = Callable[[bytes], object]


class Parser(NamedTuple):
    """A function of bytes, and bytes that it takes."""

    parse: Parse
    seeds: tuple[bytes, ...]


def text(parse: Callable[[str], object]) -> Parse:
    """Return a parser of texts as one of bytes, as file names are read."""
    return lambda data: parse(os.fsdecode(data))


def golden(pattern: str) -> tuple[bytes, ...]:
    """Return the golden files of that name."""
    return tuple(file.read_bytes() for file in sorted(GOLDEN.glob(pattern)))


def _pointer(data: bytes) -> None:
    found = pointer.parse(data, "x.datavc")
    again = pointer.parse(pointer.render(found).encode(), "x.datavc")
    if again != found:
        raise AssertionError(f"{found} is read again as {again}")
    rewritten = pointer.rewrite(data.decode(), found, "x.datavc")
    if pointer.parse(rewritten.encode(), "x.datavc") != found:
        raise AssertionError(f"rewritten, {found} changed")


def _yaml(data: bytes) -> None:
    with suppress(UnicodeDecodeError):
        strict_yaml.load(data.decode(), "x.yaml")


def _flat(data: bytes) -> None:
    flat_yaml.scan(flat_yaml.decode(data, "x"), "x")


def _leaf(data: bytes) -> None:
    entries = tree_codec.decode_leaf(data, "x")
    if tree_codec.encode_leaf(entries) != data:
        raise AssertionError("a leaf with two spellings")


def _root(data: bytes) -> None:
    if tree_codec.encode_root(tree_codec.decode_root(data, "x")) != data:
        raise AssertionError("a root with two spellings")


def _settings(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "config.toml")
        file.write_bytes(data)
        config_files.read_layer("project", str(file))


def _values(data: bytes) -> None:
    for key in (*KEYS, *REMOTE_KEYS):
        with suppress(ValueError):
            key.read(os.fsdecode(data))


def _address(found: str) -> None:
    shown = address.parse(found).shown
    address.redacted(shown)


def _link(found: str) -> None:
    path, _, target = found.partition("\n")
    tree.check_link(paths.parse(path), target)
    folder = os.path.dirname("/top/" + path)
    if not f"{os.path.normpath(os.path.join(folder, target))}/".startswith("/top/"):
        raise AssertionError(f"{path} leads out: {target}")


def _path(found: str) -> None:
    path = paths.parse(found)
    full = os.path.normpath(os.path.join("/top", path))
    if full != f"/top/{path}" or "/.git/" in f"{full.lower()}/":
        raise AssertionError(f"{path!r} leads to {full!r}")


def _key(found: str) -> None:
    name = digest.from_object_key(found)
    if name is not None and digest.object_key(digest.parse(name)) != found:
        raise AssertionError(found)


def _ignore(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, ".datavcignore").write_bytes(data)
        rules = load(folder)
        for path in ("a", "a/b.tmp", "keep.tmp", "c/ü/\udcff"):
            rules.match(path, is_dir=False)


def _state(data: bytes) -> None:
    """Memos of this machine: wrong bytes in them are as good as none."""
    with tempfile.TemporaryDirectory() as folder:
        placed, stat = Placed(folder), StatCache(f"{folder}/stat")
        Path(placed._file("d")).write_bytes(data)
        placed.get(RepoPath("d"))
        placed.outputs()
        file = Path(stat._file("d", "a"))
        file.parent.mkdir(parents=True)
        file.write_bytes(data)
        segment = stat.load("d", "a")
        if segment is not None:
            segment.known()
        Path(folder, "verified").write_bytes(data)
        VerifiedObjects(f"{folder}/verified").forget(digest.make("blake3", "0" * 64))
        Path(folder, "whole").write_bytes(data)
        WholeTrees(folder, f"{folder}/whole").knows(digest.make("blake3", "0" * 64))
        Path(folder, "1-a.jsonl").write_bytes(data)
        Journal(folder).operations()


LOCK = RepoPath("sub/datavc.lock")


def _lock(data: bytes) -> None:
    written = lockfile.render(lockfile.parse(data, LOCK), LOCK)
    if lockfile.render(lockfile.parse(written, LOCK), LOCK) != written:
        raise AssertionError("a lock that changes as it is written")
    lock_merge.merge(b"", data, lockfile.render({}, LOCK), LOCK)


def _run(data: bytes) -> None:
    for key in ("0" * 64, RUN_KEY):
        with suppress(DatavcError):
            runcache.parse(data, key)
    with tempfile.TemporaryDirectory() as folder:
        cache = runcache.RunCache(folder)
        cache.put_bytes(RUN_KEY, data)
        cache.get(RUN_KEY)


def _run_state(data: bytes) -> None:
    """What runs leave for the next: wrong bytes in it are as good as none."""
    with tempfile.TemporaryDirectory() as folder:
        journal = LockJournal(folder)
        Path(journal._file(LOCK)).write_bytes(data)
        journal.merged(LOCK, None)
        journal.entries(LOCK, b"lock")
        for name in ("memo", "loose"):
            Path(folder, name).write_bytes(data)
        Memo(folder, "memo", 1).get("a", "b")
        LooseFiles(f"{folder}/loose").last("a")


class _NoFiles:
    """A project in which there is nothing but its stage file."""

    def read(self, path: RepoPath) -> bytes | None:
        return b"lr: 1\nl: [1, a]\nm: {x: {y: 2}}\n" if path == "params.yaml" else None

    def stage_files(self) -> list[RepoPath]:
        return [RepoPath("datavc.yaml")]


def _stages(data: bytes) -> None:
    expand(RepoPath("datavc.yaml"), data, _NoFiles())


def _values_of(ending: str) -> Parse:
    return lambda data: data_file.load_data(f"p.{ending}", data)


def _git(data: bytes) -> None:
    list(git_output.names(data))
    git_output.changed_records(data, b"")


STAT = StatSegment(
    f"blake3:{'0' * 64}",
    [("a", 1, 2, 3, 4)],
    [StatValue(f"blake3:{'0' * 64}", 2, 0, "ab")],
).encode("boot")

RUN_KEY = "e8d5f8e42c141b7496a64168d7f847ff5c618a1c1fc6763e680e111af9a61a2e"


def _journal() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        journal = LockJournal(folder)
        journal.append(LOCK, None, lockfile.parse(golden("lock-*")[0], LOCK))
        return Path(journal._file(LOCK)).read_bytes()


STAGES = b"""\
vars: [{a: {b: 1}}]
stages:
  one: {cmd: "cat in ${lr} ${a.b}", deps: [in, ./d//e], params: [lr, {q.toml: [x.y]}, r.json: ],
        outs: [out, {o2: {cache: false, persist: true, push: false, remote: r, desc: t}}]}
  two:
    foreach: ${l}
    do: {cmd: ['echo ${item}', 'x \\${y}'], wdir: w, outs: ["o-${item}"], env: [HOME],
         resources: {mem: 4GiB, gpu: 1}, retries: 2, timeout: 5m, frozen: true}
  three:
    matrix: {a: [1, 2], b: "${l}"}
    cmd: echo ${item.a} ${item.b} ${key} ${m}
    metrics: [m.json]
    plots: [{p.csv: {x: a, y: b, template: linear}}]
plots: [{id: {x: a, y: {f.csv: b}}}, d]
metrics: [m2.json]
artifacts: {art: {path: out, type: model, labels: [x]}}
"""

PARSERS: dict[str, Parser] = {
    "pointer": Parser(_pointer, golden("pointer-*")),
    "flat": Parser(_flat, golden("pointer-*")),
    "yaml": Parser(_yaml, (b"a: [1, {b: c}]\nd: |\n  e\n", *golden("pointer-1-[df]*"))),
    "leaf": Parser(_leaf, golden("tree-1-[el]*")),
    "root": Parser(_root, golden("tree-1-root*")),
    "settings": Parser(
        _settings, (b'[core]\nremote = "x"\njobs = 4\n[remote.x]\nurl = "s3://a/b"\nacl = "c"\n',)
    ),
    "values": Parser(_values, (b"24h", b"20MiB", b"true", b"reflink,copy", b"3.5")),
    "key": Parser(text(lambda name: known_key(name, "x")), (b"core.jobs", b"remote.a.b.url")),
    "address": Parser(
        text(_address), (b"s3://b/p", b"ssh://u:p@h:22/x", b"file:///x", b"http://[::1]/x")
    ),
    "path": Parser(text(_path), (b"a/b.c", b".git/x", "ü/\u200c.git".encode(), b"a/../b")),
    "link": Parser(text(_link), (b"a/b\n../c", b"a\nb/./c", b"a/b/c\n../../d")),
    "digest": Parser(text(digest.parse), (b"blake3:" + b"0" * 64, b"md5:" + b"a" * 32)),
    "object key": Parser(text(_key), (b"blake3/00/" + b"0" * 62, b"md5/aa/" + b"a" * 30)),
    "header": Parser(
        lambda data: header._examine(data, "x"),
        (b'{"format": 1, "layout": "plain", "features": []}',),
    ),
    "ignore": Parser(_ignore, (b"*.tmp\n!keep.tmp\n/a/**/b\n[a-z]?\\#\n",)),
    "state": Parser(
        _state,
        (
            b'{"path": "d", "digest": "blake3:%s", "paths": ["a"]}' % (b"0" * 64),
            STAT or b"",
            b'{"blake3:%s": [1, 2, 3, 4]}' % (b"0" * 64),
            b'{"datavc operation": 1, "id": "1", "time": 1, "command": "add"}\n'
            b'["a", null, {"text": "b"}]\n',
        ),
    ),
    "lock": Parser(_lock, golden("lock-*")),
    "run": Parser(_run, golden("run-*")),
    "run state": Parser(_run_state, (_journal(),)),
    "stages": Parser(_stages, (STAGES,)),
    "params as YAML": Parser(_values_of("yaml"), (b"a: &x {b: [1, 2.5, null]}\nc: {<<: *x}\n",)),
    "params as JSON": Parser(_values_of("json"), (b'{"a": [1, 1e5, "x", null, {"b": true}]}',)),
    "params as TOML": Parser(
        _values_of("toml"), (b"a = 1\n[b]\nc = [1.5, '2']\nd = 2020-01-01\n",)
    ),
    "params as Python": Parser(
        _values_of("py"), (b"a = (1, -2.0)\nclass B:\n    c: int = {'x': [None]}\n",)
    ),
    "git": Parser(_git, (b"100644 %s 0\ta.datavc\0  ctime: 1:2\n  mtime: 3:4\n" % (b"a" * 40),)),
}


def try_parse(name: str, data: bytes) -> None:
    """Parse; an error of ours is an answer."""
    with suppress(DatavcError):
        PARSERS[name].parse(data)
