"""What the tests of costs share: a bucket at whose front door requests are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.network.conftest import Far
from tests.support import bad_server
from tests.support.bad_server import Request
from tests.support.repo import RepoBuilder
from tests.support.servers import S3Bucket

Counts = dict[str, int]
"""Requests by kind: GET, HEAD, LIST, PUT, and what else there may be."""


def kind(request: Request) -> str:
    """Return what S3 would bill a request as: a listing is a GET with a query."""
    return "LIST" if request.method == "GET" and "list-type=2" in request.path else request.method


@pytest.fixture(params=["obstore", "s3fs"])
def far(request: pytest.FixtureRequest, s3_bucket: S3Bucket, tmp_path: Path) -> Iterator[Far]:
    """Return a bucket behind a proxy that counts, once for each driver."""
    with bad_server.before(s3_bucket.server.endpoint) as server:
        yield Far(s3_bucket, server, tmp_path, request.param)


@pytest.fixture
def asked(far: Far) -> Callable[..., Counts]:
    """Return what runs a command, which must succeed, and returns the requests that it made."""

    def run(repo: RepoBuilder, *arguments: str) -> Counts:
        before = len(far.server.seen)
        done = far.run(repo, *arguments)
        assert done.code == 0, done
        return dict(Counter(kind(request) for request in far.server.seen[before:]))

    return run
