"""Settings of remotes under the names that their file systems have for them."""

from __future__ import annotations

import re

import pytest

from datavc.core.errors import ConfigError
from datavc.core.remotes import RemoteConfig
from datavc.remote.address import PROTOCOLS, parse
from datavc.remote.options import TRACKED_ALLOWED, for_other
from datavc.remote.s3_options import for_obstore, for_s3fs


def _remote(url: str = "s3://bucket/p", **options: object) -> RemoteConfig:
    return RemoteConfig("store", url, options=options)


def _other(url: str, **options: object):
    return for_other(parse(url), _remote(url, **options))


def test_s3_options_go_where_s3fs_wants_them():
    found = for_s3fs(
        _remote(
            endpointurl="https://s3.example.org",
            access_key_id="id",
            secret_access_key="secret",
            session_token="token",
            region="eu-west-1",
            ssl_verify="/etc/ca.pem",
            sse="aws:kms",
            sse_kms_key_id="key",
            acl="private",
            storage_class="STANDARD_IA",
            connect_timeout=3,
            proxy="http://proxy:3128",
            requester_pays="true",
            profile="team",
            cache_regions=True,
        ),
        {},
    )

    assert found["endpoint_url"] == "https://s3.example.org"
    assert (found["key"], found["secret"], found["token"]) == ("id", "secret", "token")
    assert found["client_kwargs"] == {"region_name": "eu-west-1", "verify": "/etc/ca.pem"}
    assert found["s3_additional_kwargs"] == {
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "key",
        "ACL": "private",
        "StorageClass": "STANDARD_IA",
    }
    assert found["config_kwargs"]["connect_timeout"] == 3
    assert found["config_kwargs"]["read_timeout"] >= 60
    assert found["config_kwargs"]["proxies"]["https"] == "http://proxy:3128"
    assert found["config_kwargs"]["s3"] == {"addressing_style": "path"}
    assert found["requester_pays"] is True
    assert (found["profile"], found["cache_regions"]) == ("team", True)


def test_fsspecs_own_nests_are_kept():
    found = for_s3fs(_remote(client_kwargs={"region_name": "x"}, ssl_verify="false"), {})

    assert found["client_kwargs"] == {"region_name": "x", "verify": False}


def test_an_endpoint_without_a_scheme_follows_use_ssl():
    assert for_s3fs(_remote(endpointurl="host:9000"), {})["endpoint_url"] == "https://host:9000"
    plain = for_s3fs(_remote(endpointurl="host:9000", use_ssl="false"), {})
    assert plain["endpoint_url"] == "http://host:9000"


def test_obstore_serves_given_keys_and_uses_http_only_where_it_is_written():
    given = {"access_key_id": "id", "secret_access_key": "secret"}

    open_http = for_obstore(_remote(endpointurl="http://host:1", **given), {})
    assert open_http is not None
    assert open_http["client_options"]["allow_http"] is True
    assert open_http["credential_provider"]()["access_key_id"] == "id"
    tls = for_obstore(_remote(endpointurl="https://host", **given), {"AWS_SESSION_TOKEN": "x"})
    assert tls is not None
    assert tls["client_options"]["allow_http"] is False
    assert tls["credential_provider"]()["token"] is None


def test_obstore_serves_keys_of_the_environment_and_none_at_all():
    environment = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "r"}

    assert for_obstore(_remote(), environment) is not None
    anonymous = for_obstore(_remote(allow_anonymous_login="true", region="r"), {})
    assert anonymous is not None
    assert anonymous["config"]["skip_signature"] is True


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        ({"endpointurl": "http://h"}, {}),
        ({"profile": "team", "region": "r"}, {}),
        ({"access_key_id": "id", "secret_access_key": "s"}, {}),
        ({"access_key_id": "id", "region": "r"}, {"AWS_SECRET_ACCESS_KEY": "other"}),
        ({"region": "r", "sse": "AES256", "access_key_id": "id", "secret_access_key": "s"}, {}),
        ({"region": "r"}, {"AWS_PROFILE": "p", "AWS_ACCESS_KEY_ID": "i"}),
    ],
)
def test_what_obstore_cannot_know_is_left_to_s3fs(options, environment):
    assert for_obstore(_remote(**options), environment) is None


def test_ssh_checks_host_keys_unless_told_otherwise():
    found = _other("ssh://me:pw@host:2222/data", keyfile="/k", timeout="7", allow_agent="false")

    assert (found["host"], found["port"], found["username"]) == ("host", 2222, "me")
    assert found["password"] == "pw"
    assert found["client_keys"] == ["/k"]
    assert found["known_hosts"] == ()
    assert found["login_timeout"] == 7
    assert found["agent_path"] is None


def test_options_win_over_the_address():
    assert _other("ssh://me@host/data", user="you", port="22")["username"] == "you"


def test_webdav_http_azure_and_google_have_their_own_names():
    dav = _other("webdavs://host:8443/dav", user="me", password="pw", cert_path="c", key_path="k")
    assert dav["base_url"] == "https://host:8443/"
    assert dav["auth"] == ("me", "pw")
    assert dav["cert"] == ("c", "k")
    assert _other("https://host/x", user="me", password="pw")["headers"] == {
        "Authorization": "Basic bWU6cHc="
    }
    assert _other("gs://b", allow_anonymous_login="yes")["token"] == "anon"
    assert _other("gs://b", credentialpath="/c.json", projectname="p")["project"] == "p"
    assert _other("az://c/p", account_name="a", sas_token="s")["account_name"] == "a"
    assert _other("hdfs://nn:8020/x", kerb_ticket="/t")["port"] == 8020


def test_a_setting_that_means_nothing_or_cannot_be_is_refused():
    with pytest.raises(ConfigError, match="storage_class"):
        _other("ssh://host/x", storage_class="COLD")
    with pytest.raises(ConfigError, match="port"):
        _other("ssh://host/x", port="many")
    with pytest.raises(ConfigError, match="use_ssl"):
        for_s3fs(_remote(use_ssl="maybe"), {})


def test_nothing_that_a_tracked_file_may_say_gives_access_or_runs_anything():
    dangerous = re.compile(
        "secret|passw|token|credential|key_id$|keyfile|profile|proxy|command|shell|verify|ca_bundle"
        "|known_hosts|config"
    )

    assert set(TRACKED_ALLOWED) == set(PROTOCOLS.values())
    for protocol, names in TRACKED_ALLOWED.items():
        found = {name for name in names if dangerous.search(name)} - {"sse_kms_key_id"}
        assert not found, protocol
