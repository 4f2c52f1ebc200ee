"""Consent: nothing that came with a clone is spoken to before its user agreed to exactly that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from datavc.core.errors import DatavcError, FormatError
from datavc.core.remotes import RemoteConfig
from datavc.repo import config, consent
from datavc.repo.layout import Layout

REMOTE = RemoteConfig("storage", "s3://bucket/prefix", options={"endpointurl": "https://s3.org"})


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Return a place for a project, and give its user an empty memory."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "project" / ".datavc").mkdir(parents=True)
    return Layout(str(tmp_path / "project"))


def test_nothing_is_agreed_to_before_somebody_agreed(layout: Layout):
    assert not consent.is_agreed(layout, REMOTE)

    consent.agree(layout, [REMOTE])

    assert consent.is_agreed(layout, REMOTE)


@pytest.mark.parametrize(
    "changed",
    [
        REMOTE._replace(url="s3://other/prefix"),
        REMOTE._replace(name="backup"),
        REMOTE._replace(driver="obstore"),
        REMOTE._replace(options={"endpointurl": "https://evil.example"}),
        REMOTE._replace(options={"endpointurl": "https://s3.org", "region": "eu"}),
        REMOTE._replace(options={}),
    ],
)
def test_any_change_asks_again(layout: Layout, changed: RemoteConfig):
    consent.agree(layout, [REMOTE])

    assert not consent.is_agreed(layout, changed)


def test_consent_is_for_one_repository(layout: Layout, tmp_path: Path):
    consent.agree(layout, [REMOTE])

    assert not consent.is_agreed(Layout(str(tmp_path / "another")), REMOTE)


def test_a_new_secret_does_not_ask_again_and_is_not_written_down(layout: Layout, tmp_path: Path):
    options = {**REMOTE.options, "secret_access_key": "hunter22"}

    consent.agree(layout, [REMOTE._replace(options=options)])

    assert consent.is_agreed(layout, REMOTE)
    file = tmp_path / "data" / "datavc" / consent.FILE
    assert "hunter22" not in file.read_text()
    assert "bucket" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_own_remotes_and_trusting_machines_need_none(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
):
    assert consent.is_agreed(layout, REMOTE._replace(trusted_level=True))

    monkeypatch.setenv(consent.VARIABLE, "1")
    assert consent.is_agreed(layout, REMOTE)

    monkeypatch.setenv(consent.VARIABLE, "0")
    assert not consent.is_agreed(layout, REMOTE)


def test_requiring_asks_once_where_somebody_can_be_asked(layout: Layout):
    questions: list[str] = []

    def yes(question: str) -> bool:
        questions.append(question)
        return True

    consent.require(layout, REMOTE, yes)
    consent.require(layout, REMOTE, yes)

    assert len(questions) == 1
    assert "s3://bucket/prefix" in questions[0]
    assert "https://s3.org" in questions[0]


@pytest.mark.parametrize("ask", [None, lambda _: False])
def test_requiring_refuses_with_the_command_that_agrees(layout: Layout, ask: object):
    with pytest.raises(DatavcError, match="not agreed") as caught:
        consent.require(layout, REMOTE, ask)

    assert "`datavc remote trust storage`" in caught.value.hint
    assert "`datavc install`" in caught.value.hint
    assert not consent.is_agreed(layout, REMOTE)


def test_the_question_shows_no_password(layout: Layout):
    remote = REMOTE._replace(url="ssh://me:hunter22@host/path", options={"password": "hunter33"})

    assert "hunter" not in consent.sentence(remote)


def test_pending_are_those_of_the_tracked_file(layout: Layout):
    Path(layout.config).write_text('[remote.theirs]\nurl = "s3://a"\n')
    Path(layout.local_config).write_text('[remote.mine]\nurl = "s3://b"\n')
    found = config.load(layout, {})

    assert [remote.name for remote in consent.pending(layout, found)] == ["theirs"]

    consent.agree(layout, consent.pending(layout, found))
    assert consent.pending(layout, found) == ()


def test_consent_can_be_taken_back(layout: Layout):
    consent.agree(layout, [REMOTE])

    consent.forget(layout, REMOTE.name)

    assert not consent.is_agreed(layout, REMOTE)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"format": 2, "repositories": {}}', b"\xff", b"[" * 100_000]
)
def test_a_damaged_record_agrees_to_nothing(layout: Layout, tmp_path: Path, data: bytes):
    file = tmp_path / "data" / "datavc" / consent.FILE
    os.makedirs(file.parent)
    file.write_bytes(data)

    with pytest.raises(FormatError, match=r"consent\.json"):
        consent.is_agreed(layout, REMOTE)
