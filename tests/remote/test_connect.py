"""Real servers, and what is said when they refuse, hang, lie or are not there."""

from __future__ import annotations

import functools
import http.server
import io
import os
import socket
import threading
import time

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem

from datavc.core.errors import ConfigError, DataError, RemoteError
from datavc.core.hashing import hash_bytes
from datavc.core.progress import SILENT
from datavc.core.remotes import RemoteConfig
from datavc.remote.connect import connect
from datavc.store.local import LocalStore
from datavc.store.memory import MemoryStore
from datavc.store.object_store import read
from datavc.store.transfer import copy

DRIVERS = ("s3fs", "obstore")


def _connect(remote, **settings):
    return connect(remote, algorithm="blake3", **settings)


def _digest(data: bytes):
    return hash_bytes(data, "blake3").digest


def _put(store, data: bytes):
    with store.writer() as writer:
        return writer.put(io.BytesIO(data)).digest


@pytest.fixture
def silent_server():
    """Accepts, and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(64)
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def http_folder(tmp_path):
    """A web server over a folder that LocalStore filled."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    store = LocalStore(str(tmp_path / "www"), "blake3")
    handler = functools.partial(Quiet, directory=str(tmp_path / "www"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield store, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_folders_are_served_by_the_local_store(tmp_path):
    for url in (str(tmp_path), f"file://{tmp_path}"):
        store = _connect(RemoteConfig("store", url))
        assert isinstance(store, LocalStore)
        assert store.root == str(tmp_path)


def test_two_remotes_of_one_memory_address_see_the_same():
    digest = _put(_connect(RemoteConfig("a", "memory://shared/x")), b"data")

    assert read(_connect(RemoteConfig("b", "memory://shared/x")), digest) == b"data"
    assert _connect(RemoteConfig("c", "memory://shared/y")).missing([digest]) == {digest}


def test_an_unknown_layout_and_a_driver_that_cannot_are_refused():
    with pytest.raises(ConfigError, match="layout"):
        _connect(RemoteConfig("r", "s3://bucket/x", layout="packed"))
    with pytest.raises(ConfigError, match="obstore"):
        _connect(RemoteConfig("r", "s3://b/x", driver="obstore", options={"profile": "p"}))


def test_a_missing_package_is_named_with_the_line_that_installs_it():
    remote = RemoteConfig("r", "hdfs://namenode/x")

    with pytest.raises(ConfigError) as refused:
        _connect(remote).missing([_digest(b"a")])

    assert "datavc[hdfs]" in refused.value.hint


def test_other_protocols_of_fsspec_work_once_they_are_allowed(tmp_path):
    class Shelf(LocalFileSystem):
        @classmethod
        def _strip_protocol(cls, path):
            return super()._strip_protocol(str(path).removeprefix("shelf:/"))

    fsspec.register_implementation("shelf", Shelf, clobber=True)
    remote = RemoteConfig("r", f"shelf://{tmp_path}", options={"auto_mkdir": True})
    with pytest.raises(ConfigError, match="shelf"):
        _connect(remote)

    store = _connect(remote, extra_protocols=frozenset({"shelf"}))
    digest = _put(store, b"data")

    assert read(store, digest) == b"data"
    assert [info.digest for info in store.iter()] == [digest]
    assert read(LocalStore(str(tmp_path), "blake3"), digest) == b"data"


@pytest.mark.s3
@pytest.mark.parametrize("driver", DRIVERS)
def test_both_drivers_read_what_the_other_wrote(s3_bucket, driver):
    other = DRIVERS[1 - DRIVERS.index(driver)]
    digest = _put(_connect(s3_bucket.remote(driver)), b"data")

    assert read(_connect(s3_bucket.remote(other)), digest) == b"data"


@pytest.mark.s3
@pytest.mark.parametrize("driver", DRIVERS)
def test_keys_of_the_environment_serve_too(s3_bucket, driver, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_bucket.server.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_bucket.server.secret)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_bucket.server.endpoint)

    digest = _put(_connect(RemoteConfig("r", s3_bucket.url, driver=driver)), b"data")

    assert read(_connect(s3_bucket.remote()), digest) == b"data"


@pytest.mark.s3
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("wrong", ["access_key_id", "secret_access_key"])
def test_wrong_credentials_are_said_to_be_wrong(s3_bucket, driver, wrong):
    remote = s3_bucket.remote(driver, **{wrong: "wrong"})

    with pytest.raises(RemoteError, match="does not accept the credentials") as refused:
        _connect(remote).missing([_digest(b"a")])

    assert s3_bucket.name in refused.value.message
    assert not refused.value.transient


@pytest.mark.s3
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_missing_bucket_is_named(s3_bucket, driver):
    remote = RemoteConfig("r", "s3://no-such-bucket/x", driver=driver,
                          options=s3_bucket.server.options())  # fmt: skip
    store = _connect(remote)

    with pytest.raises(RemoteError, match="s3://no-such-bucket/x has no such bucket"):
        store.missing([_digest(b"a")])
    with pytest.raises(RemoteError, match="has no such bucket"):
        _put(store, b"a")


@pytest.mark.s3
def test_storage_class_and_the_like_reach_the_server(s3_bucket):
    remote = s3_bucket.remote(storage_class="STANDARD_IA")

    digest = _put(_connect(remote), b"data")

    found = s3_bucket.server._filesystem().info(
        f"{s3_bucket.name}/some/prefix/objects/blake3/{digest[7:9]}/{digest[9:]}"
    )
    assert found["StorageClass"] == "STANDARD_IA"


@pytest.mark.s3
def test_a_thousand_objects_travel_there_and_back(s3_bucket):
    here, back, there = MemoryStore(), MemoryStore(), _connect(s3_bucket.remote())
    contents = [os.urandom(200) for _ in range(1000)] + [os.urandom(20 << 20), b""]
    wanted = [(one.digest, one.size) for one in (here.put(io.BytesIO(each)) for each in contents)]

    assert copy(here, there, wanted, jobs=16, progress=SILENT).failures == ()
    assert there.missing([digest for digest, _ in wanted]) == set()
    assert copy(there, back, wanted, jobs=16, progress=SILENT).failures == ()
    assert back.missing([digest for digest, _ in wanted]) == set()


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_unreachable_server_is_named_soon(driver):
    remote = RemoteConfig("r", "s3://bucket/x", driver=driver, retries=1, options={
        "endpointurl": "http://127.0.0.1:9", "access_key_id": "a", "secret_access_key": "b",
    })  # fmt: skip
    started = time.monotonic()

    with pytest.raises(RemoteError, match="s3://bucket/x cannot be reached") as unreachable:
        _connect(remote).missing([_digest(b"a")])

    assert time.monotonic() - started < 20
    assert unreachable.value.transient


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_server_that_never_answers_is_given_up(driver, silent_server):
    remote = RemoteConfig("r", "s3://bucket/x", driver=driver, read_timeout_s=0.3, options={
        "endpointurl": f"http://{silent_server}", "access_key_id": "a", "secret_access_key": "b",
    })  # fmt: skip
    started = time.monotonic()

    with pytest.raises(RemoteError, match="did not answer in time"):
        _connect(remote).open(_digest(b"a"))

    assert time.monotonic() - started < 20


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_server_that_never_answers_costs_a_copy_one_time_out(driver, silent_server):
    remote = RemoteConfig("r", "s3://bucket/x", driver=driver, read_timeout_s=0.5, options={
        "endpointurl": f"http://{silent_server}", "access_key_id": "a", "secret_access_key": "b",
    })  # fmt: skip
    wanted = [(_digest(str(number).encode()), 1) for number in range(50)]
    started = time.monotonic()

    with pytest.raises(RemoteError, match="did not answer in time"):
        copy(_connect(remote), MemoryStore(), wanted, jobs=8, progress=SILENT)
    with pytest.raises(RemoteError, match="did not answer in time"):
        copy(MemoryStore(), _connect(remote), wanted, jobs=8, progress=SILENT)

    assert time.monotonic() - started < 20


def test_web_servers_are_read_and_never_written(http_folder):
    local, url = http_folder
    small, large = _put(local, b"small"), _put(local, os.urandom(18 << 20))
    store = _connect(RemoteConfig("web", url))

    assert read(store, small) == b"small"
    assert hash_bytes(read(store, large), "blake3").digest == large
    assert store.missing([small, large, _digest(b"no")]) == {_digest(b"no")}
    with pytest.raises(DataError):
        store.open(_digest(b"no"))
    with pytest.raises(RemoteError, match="can only be read"):
        _put(store, b"new")


@pytest.mark.ssh
def test_an_unknown_host_key_is_refused(ssh_remote, tmp_path):
    (tmp_path / "empty").touch()

    with pytest.raises(RemoteError, match="host key") as refused:
        _connect(ssh_remote(known_hosts=str(tmp_path / "empty"))).missing([_digest(b"a")])

    assert "ssh" in refused.value.hint


@pytest.mark.ssh
def test_a_key_that_the_server_does_not_know_is_refused(ssh_remote, ssh_server):
    remote = ssh_remote(keyfile=str(ssh_server.folder / "host_key"))

    with pytest.raises(RemoteError, match="does not accept the credentials"):
        _connect(remote).missing([_digest(b"a")])


@pytest.mark.ssh
def test_a_local_store_reads_what_came_over_ssh(ssh_remote, tmp_path):
    data = os.urandom(9 << 20)
    digest = _put(_connect(ssh_remote()), data)

    assert read(LocalStore(str(tmp_path / "remote"), "blake3"), digest) == data
    assert os.listdir(tmp_path / "remote" / "tmp") == []
