from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datavc.core import digest as digests
from datavc.core.errors import FormatError
from tests.support.values import digests as any_digest


@given(any_digest())
def test_a_digest_survives_parsing_and_its_place_in_the_store(digest: digests.Digest) -> None:
    assert digests.parse(digest) == digest
    assert digests.from_object_key(digests.object_key(digest)) == digest


@given(st.text())
def test_no_other_text_is_a_digest(text: str) -> None:
    assert not digests.is_digest(text)


@pytest.mark.parametrize(
    "text",
    ["", "blake3:", "blake3:" + "0" * 63, "blake3:" + "A" * 64, "blake3:" + "0" * 64 + "\n"]
    + ["md4:" + "0" * 32, "md5:../" + "0" * 29, " md5:" + "0" * 32, None, 5],
)
def test_what_is_nearly_a_digest_is_refused(text: object) -> None:
    with pytest.raises(FormatError):
        digests.parse(text)


@pytest.mark.parametrize("key", ["", "md5/00", "md5/000/" + "0" * 29, "../00/" + "0" * 30])
def test_a_foreign_name_is_no_object(key: str) -> None:
    assert digests.from_object_key(key) is None
