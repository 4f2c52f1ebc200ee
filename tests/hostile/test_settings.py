"""The tracked config of a stranger: bounded in time, counts for little, asks before it counts."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from datavc.core.errors import ConfigError
from datavc.remote import address
from datavc.repo import config_keys
from tests.support import inside
from tests.support.repo import RepoBuilder
from tests.support.stranger import (
    CLEAN,
    SECRET,
    Machine,
    Stranger,
    attempt,
    digest_of,
    pointer,
    put_object,
)

DEEP = {
    "dotted": ".".join(["a"] * 400_000) + " = 1\n",
    "many dotted": (".".join(["a"] * 90) + " = 1\n") * 5000,
    "header": "[" + ".".join(["a"] * 400_000) + "]\n",
    "lists": "[core]\njobs = " + "[" * 100_000,
    "tables": "[core]\njobs = " + "{a=" * 100_000,
    "digits": "[core]\njobs = " + "9" * 500_000,
    "huge": "#" * (2 << 20),
    "zero": "[core]\n\0",
    "latin": b'[core]\nremote = "\xe9"\n',
    "markers": "<<<<<<< ours\n[core]\n=======\n>>>>>>> theirs\n",
    "twice": "[core]\njobs = 1\njobs = 2\n",
}


@pytest.mark.parametrize("kind", DEEP)
def test_settings_that_are_bombs_are_refused_at_once(repo: RepoBuilder, kind: str):
    repo.write(".datavc/config.toml", DEEP[kind])
    began = time.monotonic()

    done = inside.run(repo.root, "status")

    assert time.monotonic() - began < 10
    assert done.code == 1, done
    assert ".datavc/config.toml" in done.stderr


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("core.jobs", "100000"),
        ("remote.x.jobs", "1" + "0" * 15),
        ("gc.grace", "9" * 400),
        ("core.lock_timeout", "9" * 400 + "w"),
        ("remote.x.rate_limit", "9" * 400 + "T"),
        ("core.undo_days", "9" * 5000),
        ("core.jobs", "²"),
        ("core.jobs", "-1"),
        ("core.durability", "\x1b[2J"),
    ],
)
def test_numbers_beyond_all_use_are_refused_by_name(repo: RepoBuilder, key: str, value: str):
    done = inside.run(repo.root, "-c", "remote.x.url=/x", "-c", f"{key}={value}", "status")

    assert done.code == 1, done
    assert key in done.stderr


def test_every_reader_of_a_setting_refuses_with_a_sentence():
    odd = (
        "",
        "\0",
        "9" * 5000,
        "1e999",
        "-5",
        "inf",
        "nan",
        [],
        {},
        [[]],
        {"a": 1},
        None,
        1 << 80,
    )
    for key in (*config_keys.KEYS, *config_keys.REMOTE_KEYS):
        for value in odd:
            try:
                key.read(value)
            except ValueError as error:
                assert str(error)


ADDRESSES = (
    "file://[",
    "file://\u2100/x",
    "file://host/x",
    "s3://[",
    "s3://-bucket/x",
    "s3://%2dbucket/x",
    "s3://bucket/../other",
    "ssh://-oProxyCommand=touch%20pwned/x",
    "ssh://%2doProxyCommand=touch/x",
    "ssh://-oProxyCommand=x@host/x",
    "ssh://ho%0ast/x",
    "ssh://ho\nst/x",
    "simplecache::s3://bucket/x",
    "reference::file:///etc/passwd",
    "s3::http://x/y",
    "s3://a::b/x",
    "ext::sh -c touch% pwned",
    "python://os.system",
    "git+ssh://x/y",
    "github://a:b@c/",
    "http://host:99999/x",
    "http://host/x?query",
    "http:///x",
    "memory2://x",
    "",
)


@pytest.mark.parametrize("url", ADDRESSES)
def test_an_address_that_could_be_something_else_is_no_address(url: str):
    with pytest.raises(ConfigError):
        address.parse(url)


@pytest.mark.parametrize("url", [url for url in ADDRESSES if "\n" not in url])
def test_a_dangerous_address_of_a_clone_is_refused(machine: Machine, stranger: Stranger, url: str):
    text = f'[core]\nremote = "r"\n[remote.r]\nurl = {json.dumps(url)}\n'
    stranger.write(".datavc/config.toml", text)
    stranger.write("a.datavc", pointer("a", digest_of(SECRET)))

    done = attempt(
        stranger.repo, [("pull",), ("push",), ("fetch",), ("status", "-c"), ("install",)]
    )

    assert all(one.code != 0 for one in done[:4])
    assert not [path for path in Path(stranger.root).rglob("pwned*")]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("profile", "victim"),
        ("access_key_id", "x"),
        ("secret_access_key", "x"),
        ("credentialpath", "/home/victim/.aws/credentials"),
        ("configpath", "../aws"),
        ("ca_bundle", "evil.pem"),
        ("ssl_verify", "false"),
        ("proxy", "http://evil"),
        ("shell", "touch pwned"),
        ("client_kwargs", "x"),
        ("config_kwargs", "x"),
        ("session", "x"),
        ("protocol", "x"),
        ("target_protocol", "file"),
        ("asynchronous", "1"),
        ("skip_instance_cache", "1"),
    ],
)
def test_a_clone_chooses_no_credentials_nor_programs(
    stranger: Stranger, option: str, value: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DATAVC_TRUST", "1")
    stranger.write(
        ".datavc/config.toml",
        f'[core]\nremote = "r"\n[remote.r]\nurl = "s3://b/p"\n{option} = "{value}"\n',
    )
    stranger.write("a.datavc", pointer("a", digest_of(SECRET)))

    done = attempt(stranger.repo, [("pull",), ("push",), ("remote", "trust", "r")])

    assert all(one.code == 1 for one in done)
    assert f"sets {option} of remote r" in done[0].stderr


@pytest.mark.parametrize("level", ["url", "endpointurl", "region", "new option", "layer"])
def test_any_change_of_a_remote_asks_again(machine: Machine, stranger: Stranger, level: str):
    loot = machine.folder / "loot"
    put_object(loot, b"bait")
    text = f'[core]\nremote = "r"\n[remote.r]\nurl = "{loot}"\n'
    if level != "url":
        text = '[core]\nremote = "r"\n[remote.r]\nurl = "s3://b/p"\nendpointurl = "http://a"\n'
    stranger.write(".datavc/config.toml", text + 'region = "one"\n' * (level != "url"))
    stranger.write("a.datavc", pointer("a", digest_of(b"bait")))
    root = stranger.root
    assert "came with the repository" in inside.run(root, "pull").stderr
    assert inside.run(root, "remote", "trust", "r").code == 0
    changed = {
        "url": text.replace("loot", "loot/../loot2"),
        "endpointurl": text.replace("http://a", "http://evil") + 'region = "one"\n',
        "region": text + 'region = "two"\n',
        "new option": text + 'region = "one"\nacl = "public-read"\n',
        "layer": text + 'region = "one"\ndriver = "s3fs"\n',
    }[level]

    stranger.write(".datavc/config.toml", changed)
    done = [inside.run(root, name) for name in ("pull", "push", "fetch")]

    assert all(one.code == 1 for one in done)
    assert all("you have not agreed to it" in one.stderr for one in done)
    assert not (machine.folder / "loot2").exists()


def test_consent_for_one_clone_is_none_for_another(machine: Machine, stranger: Stranger):
    loot = machine.folder / "loot"
    put_object(loot, b"bait")
    stranger.write(".datavc/config.toml", f'[core]\nremote = "r"\n[remote.r]\nurl = "{loot}"\n')
    stranger.write("a.datavc", pointer("a", digest_of(b"bait")))
    stranger.commit()
    one, two = stranger.clone("one"), stranger.clone("two")
    inside.run(one.root, "install")

    assert inside.run(one.root, "pull").code == 0
    assert inside.run(two.root, "pull").code == 1
    assert not (two.root / "a").exists()


@pytest.mark.parametrize("chain", ["remote://mine/../loot", "remote://step/loot"])
def test_a_remote_of_a_clone_that_stands_on_one_of_the_user_is_not_the_users_word(
    machine: Machine, stranger: Stranger, chain: str
):
    stranger.write(
        ".datavc/config.toml",
        f'[remote.r]\nurl = "{chain}"\n[remote.step]\nurl = "remote://mine/.."\n',
    )
    stranger.commit()
    clone = stranger.clone()
    clone.run("config", "--local", "remote.mine.url", str(machine.folder / "mine"))
    clone.write("a", SECRET)
    clone.run("add", "a")

    done = attempt(clone, [("push", "-r", "r"), ("push", "-r", "mine")])

    assert [one.code for one in done] == [1, 0]
    assert "you have not agreed to it" in done[0].stderr
    assert not (machine.folder / "loot").exists()


@pytest.mark.parametrize("outside", ["../..", "/tmp/x", "~/x", "../.git/x", "link/x"])
def test_a_clone_cannot_put_the_cache_elsewhere(
    machine: Machine, stranger: Stranger, outside: str
):
    stranger.link(".datavc/link", machine.outside)
    stranger.write(".datavc/config.toml", f'[cache]\ndir = "{outside}"\n')
    stranger.write("a", SECRET)
    (stranger.root / ".datavc/link").exists()

    done = inside.run(stranger.root, "add", "a")

    assert done.code in CLEAN
    assert "does not count" in done.stderr
    assert (stranger.root / ".datavc/cache/objects").is_dir()
