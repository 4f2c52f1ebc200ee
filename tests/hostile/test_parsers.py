"""Every parser of what comes from outside: whatever the bytes, a value or an error of ours."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.mutate import mutated
from tests.support.parsers import PARSERS, try_parse

BOUNDS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("name", PARSERS)
@BOUNDS
@given(data=st.binary(max_size=400))
def test_any_bytes(name: str, data: bytes):
    try_parse(name, data)


@pytest.mark.parametrize("name", PARSERS)
@BOUNDS
@given(data=st.text(max_size=200))
def test_any_text(name: str, data: str):
    try_parse(name, data.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("name", PARSERS)
def test_good_input_made_wrong(name: str):
    seeds = PARSERS[name].seeds
    assert seeds
    for number in range(200):
        drawn = random.Random(number)
        try_parse(name, mutated(drawn.choice(seeds), drawn))


@pytest.mark.parametrize("name", PARSERS)
def test_good_input_is_taken(name: str):
    """Without this the others would hold for a parser that refuses all."""
    for seed in PARSERS[name].seeds[:1]:
        PARSERS[name].parse(seed)
