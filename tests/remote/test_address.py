"""Remote addresses: what is taken, what is refused, what messages show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datavc.core.errors import ConfigError
from datavc.remote.address import parse, redacted


@pytest.mark.parametrize(
    ("url", "protocol", "host", "path"),
    [
        ("/data/store", "local", "", "/data/store"),
        ("file:///data/my%20store", "local", "", "/data/my store"),
        ("s3://bucket/some/prefix/", "s3", "bucket", "some/prefix"),
        ("s3://bucket", "s3", "bucket", ""),
        ("gcs://bucket/p", "gs", "bucket", "p"),
        ("azure://container/p", "az", "container", "p"),
        ("abfs://container@account.dfs.core.windows.net/p", "az",
         "container@account.dfs.core.windows.net", "p"),
        ("ssh://host/abs/path", "ssh", "host", "/abs/path"),
        ("sftp://host/abs", "ssh", "host", "/abs"),
        ("webdavs://host/dav/", "webdavs", "host", "/dav"),
        ("https://host/data/", "https", "host", "/data"),
        ("hdfs://namenode/user/me", "hdfs", "namenode", "/user/me"),
        ("memory://anything/here", "memory", "anything", "/here"),
        ("S3://bucket/p", "s3", "bucket", "p"),
    ],
)  # fmt: skip
def test_known_addresses_are_taken_apart(url, protocol, host, path):
    address = parse(url)

    assert (address.protocol, address.host, address.path) == (protocol, host, path)


def test_user_port_and_password_of_a_host_are_kept_apart():
    address = parse("ssh://me:se%40cret@host:2222/data")

    assert (address.user, address.password, address.port) == ("me", "se@cret", 2222)
    assert address.shown == "ssh://me:***@host:2222/data"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "simplecache::s3://bucket/x",
        "s3://bucket/x::zip",
        "reference://x",
        "ftp://host/x",
        "github://org:repo@main/x",
        "ext://sh -c id",
        "ssh://-oProxyCommand=id/x",
        "ssh://-oProxyCommand=id@host/x",
        "ssh://me@ho%0ast/x",
        "ssh://ho\x1bst/x",
        "ssh://host/../../etc",
        "ssh://host:port/x",
        "ssh:///nohost",
        "s3:///nobucket",
        "s3://bucket/x?versionId=1",
        "file://otherhost/x",
        "/data\0/x",
        "https://[bad/x",
    ],
)
def test_hostile_and_unknown_addresses_are_refused(url):
    with pytest.raises(ConfigError):
        parse(url)


def test_a_protocol_that_the_user_allowed_is_taken():
    assert parse("ftp://host/x", frozenset({"ftp"})).protocol == "ftp"


def test_messages_never_show_passwords_or_queries():
    assert redacted("https://me:pw@host/x?sig=secret") == "https://me:***@host/x"
    assert redacted("webdav://token@host/x") == "webdav://token@host/x"
    with pytest.raises(ConfigError) as refused:
        parse("ftp://me:pw@host/x")
    assert "pw" not in refused.value.message


@given(st.text())
def test_any_text_is_an_address_or_a_clear_refusal(text):
    for url in (text, f"s3://{text}", f"ssh://{text}", f"https://{text}/x"):
        try:
            address = parse(url)
        except ConfigError:
            continue
        assert not address.host.startswith("-")
        assert "::" not in url
