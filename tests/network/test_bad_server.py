"""A server that throttles, cuts, flips, hangs: what arrives is right, or is said not to be."""

from __future__ import annotations

import hashlib
import random
import re
import socket
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.network.conftest import Far
from tests.support import soundness
from tests.support.bad_server import Request
from tests.support.kill import kill_group
from tests.support.ladder import LONG
from tests.support.repo import PROGRAM, RepoBuilder

pytestmark = pytest.mark.s3

RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def some(share: float, kind: str, which: Callable[[Request], bool], seed: int = 7):
    """Return trouble of one kind for a share of the requests that `which` picks."""
    drawn = random.Random(seed)

    def trouble(request: Request) -> str:
        return kind if which(request) and drawn.random() < share else ""

    return trouble


def everything(_: Request) -> bool:
    return True


def well(_: Request) -> str:
    return ""


def objects_are_sound(far: Far, repo: RepoBuilder) -> None:
    assert soundness.torn(repo.root / ".datavc/cache") == []
    assert [n for n, data in far.keys().items() if soundness.name_of(data)[7:] != n] == []


def pulled(far: Far, repo: RepoBuilder) -> RepoBuilder:
    """Return a clone that was pulled without trouble, and is exact."""
    far.server.trouble = well
    clone = far.clone(repo)
    done = far.run(clone, "pull")
    assert done.code == 0, done
    exact(repo, clone)
    return clone


def exact(repo: RepoBuilder, clone: RepoBuilder) -> None:
    assert clone.tree("d") == repo.tree("d")
    assert clone.read("large") == repo.read("large")


def test_a_fifth_of_all_requests_is_throttled(far: Far, filled: RepoBuilder):
    far.server.trouble = some(0.2, "slow down", everything)

    pushed = far.run(filled, "push")
    clone = far.clone(filled)
    fetched = far.run(clone, "pull")

    assert (pushed.code, fetched.code) == (0, 0), (pushed, fetched)
    exact(filled, clone)


def test_connections_are_reset_now_and_then(far: Far, filled: RepoBuilder):
    far.server.trouble = some(0.15, "reset", everything)

    pushed = far.run(filled, "push")
    clone = far.clone(filled)
    fetched = far.run(clone, "pull")

    assert (pushed.code, fetched.code) == (0, 0), (pushed, fetched)
    exact(filled, clone)


def test_a_tenth_of_the_downloads_is_cut(far: Far, filled: RepoBuilder):
    assert far.run(filled, "push").code == 0
    clone = far.clone(filled)
    far.server.trouble = some(0.1, "cut", lambda request: request.downloads)

    first = far.run(clone, "pull")
    objects_are_sound(far, clone)
    if first.code:
        far.run(clone, "pull")

    exact(filled, clone)


@pytest.mark.parametrize("checksums", [True, False])
def test_a_wrong_bit_on_the_way_never_arrives(far: Far, filled: RepoBuilder, checksums: bool):
    assert far.run(filled, "push").code == 0
    clone = far.clone(filled)
    far.server.keeps_checksums = checksums
    far.server.trouble = some(1, "flip", lambda request: request.downloads)

    done = far.run(clone, "pull")

    assert done.code in (4, 6), done
    assert soundness.objects(clone.root / ".datavc/cache") == {}
    assert clone.tree("d") == {}
    assert not (clone.root / "large").exists()
    far.server.trouble = some(0.2, "flip", lambda request: request.downloads)
    for _ in range(4):
        far.run(clone, "pull")
        objects_are_sound(far, clone)
    exact(filled, clone)


def test_an_upload_that_the_server_spoils_is_noticed(far: Far, filled: RepoBuilder):
    """Rot at the server: one object there has a wrong bit, and its length."""
    assert far.run(filled, "push").code == 0
    client = far.filesystem()
    path = client.find(f"{far.bucket.name}/some/prefix/objects")[3]
    data = bytearray(client.cat(path))
    data[len(data) // 2] ^= 1
    client.pipe(path, bytes(data))
    clone = far.clone(filled)

    done = far.run(clone, "pull")
    checked = far.run(filled, "fsck", "--remote")

    assert done.code == 4, done
    assert "Repaired" in checked.stdout, checked
    assert soundness.torn(clone.root / ".datavc/cache") == []
    name = "blake3:" + "".join(path.split("/")[-2:])
    assert name in soundness.objects(filled.root / ".datavc/cache")
    for file, content in clone.tree("d").items():
        assert content == filled.read(f"d/{file}")


def test_a_bit_that_flips_on_the_way_up_is_never_served(far: Far, filled: RepoBuilder):
    far.server.trouble = some(0.2, "flip upload", lambda request: request.uploads)

    pushed = far.run(filled, "push")
    far.server.trouble = well
    clone = far.clone(filled)
    done = far.run(clone, "pull")

    assert pushed.code in (0, 1, 4, 6), pushed
    assert soundness.torn(clone.root / ".datavc/cache") == []
    if done.code == 0:
        exact(filled, clone)
    for file, content in clone.tree("d").items():
        assert content == filled.read(f"d/{file}")


def test_a_fifth_of_the_uploads_is_cut(far: Far, filled: RepoBuilder):
    far.server.trouble = some(0.2, "cut upload", lambda request: request.uploads)

    first = far.run(filled, "push")

    objects_are_sound(far, filled)
    if first.code:
        far.server.trouble = well
        assert far.run(filled, "push").code == 0
    pulled(far, filled)


def test_an_upload_that_the_server_forgets_is_no_success(far: Far, filled: RepoBuilder):
    far.server.trouble = some(
        0.1, "forget", lambda request: request.uploads and request.size < 1 << 20
    )

    first = far.run(filled, "push")

    assert first.code != 0, first
    far.server.trouble = well
    assert far.run(filled, "push").code == 0
    pulled(far, filled)


@pytest.mark.parametrize("kind", ["forbid", "expire"])
def test_credentials_that_expire_in_the_middle_are_said_and_the_rest_follows(
    far: Far, filled: RepoBuilder, kind: str
):
    far.server.trouble = lambda request: kind if request.number > 30 else ""

    first = far.run(filled, "push")

    assert first.code == 6, first
    assert "credentials" in first.stderr
    far.server.trouble = well
    already = len(far.keys())
    sent = len(far.server.seen)
    assert far.run(filled, "push").code == 0
    uploads = sum(request.uploads for request in far.server.seen[sent:])
    assert uploads <= 62 + 2 - already + 8
    pulled(far, filled)


def test_a_server_that_never_answers_costs_a_bounded_time(far: Far, filled: RepoBuilder):
    """With the default of 60 s a request, twice over, this is 120 s; here a request has 1.5 s."""
    far.server.trouble = lambda request: "hang"
    clone = far.clone(filled)
    for command, repo in (("push", filled), ("pull", clone), ("fetch", clone)):
        began = time.monotonic()

        done = far.run(repo, "-c", "remote.store.read_timeout=1.5", command)

        assert done.code == 6, done
        assert "did not answer in time" in done.stderr
        assert time.monotonic() - began < 12


@pytest.mark.skipif(not LONG, reason="takes two minutes; runs with TORTURE_KILLS set")
@pytest.mark.timeout(400)
def test_a_server_that_never_answers_costs_what_is_promised_by_default(
    far: Far, filled: RepoBuilder
):
    far.server.trouble = lambda request: "hang"
    began = time.monotonic()

    done = far.run(filled, "push")

    assert done.code == 6, done
    assert time.monotonic() - began < 150


def test_a_server_that_stops_answering_half_way_costs_a_bounded_time(
    far: Far, filled: RepoBuilder
):
    assert far.run(filled, "push").code == 0
    clone = far.clone(filled)
    until = len(far.server.seen) + 25
    far.server.trouble = lambda request: "hang" if request.number > until else ""
    began = time.monotonic()

    done = far.run(clone, "-c", "remote.store.read_timeout=1.5", "pull")

    assert done.code in (4, 6), done
    assert time.monotonic() - began < 20
    assert soundness.torn(clone.root / ".datavc/cache") == []
    assert soundness.objects(clone.root / ".datavc/cache")
    far.server.trouble = well
    assert far.run(clone, "pull").code == 0
    exact(filled, clone)


def test_nobody_at_the_address_is_said_within_a_minute(far: Far, filled: RepoBuilder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for command in ("push", "status -c", "fsck --remote"):
        began = time.monotonic()

        done = far.run(
            filled, "-c", f"remote.store.endpointurl=http://127.0.0.1:{port}", *command.split()
        )

        assert done.code == 6, done
        assert time.monotonic() - began < 60
        assert "cannot be reached" in done.stderr
        assert far.bucket.name in done.stderr


@pytest.mark.parametrize("kind", ["nonsense", "escapes", "redirect"])
def test_a_server_that_talks_nonsense_is_refused_in_one_sentence(
    far: Far, filled: RepoBuilder, kind: str
):
    far.server.trouble = lambda request: kind
    clone = far.clone(filled)
    for command, repo in (("push", filled), ("pull", clone), ("status -c", filled)):
        done = far.run(repo, "-c", "remote.store.retries=1", *command.split())

        assert done.code in (1, 4, 6), (command, done)
        assert RAW.search(done.stdout + done.stderr) is None
        assert soundness.objects(clone.root / ".datavc/cache") == {}


def test_a_body_without_end_is_given_up(far: Far, filled: RepoBuilder):
    assert far.run(filled, "push").code == 0
    clone = far.clone(filled)
    far.server.trouble = lambda request: "endless" if request.downloads else ""
    began = time.monotonic()

    limits = ("-c", "remote.store.read_timeout=1", "-c", "remote.store.retries=0")
    done = far.run(clone, *limits, "pull", "-j", "2", "large")

    assert done.code in (4, 6), done
    assert time.monotonic() - began < 60
    assert soundness.objects(clone.root / ".datavc/cache") == {}


def test_a_push_that_was_killed_sends_only_what_is_missing(far: Far, filled: RepoBuilder):
    far.server.trouble = lambda request: "hang" if request.number > 40 else ""
    push = subprocess.Popen(
        (PROGRAM, "push"), cwd=filled.root, env=filled.env, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while len(far.server.seen) <= 40:
        assert push.poll() is None
        time.sleep(0.01)
    kill_group(push)
    far.server.trouble = well
    already, sent = len(far.keys()), len(far.server.seen)

    assert far.run(filled, "push").code == 0

    assert already
    uploads = [request for request in far.server.seen[sent:] if request.uploads]
    assert len(uploads) <= 62 + 2 - already + 8
    pulled(far, filled)


def test_what_is_stored_is_named_after_its_bytes(far: Far, filled: RepoBuilder):
    """The promise that all of the above rests on, once without trouble."""
    assert far.run(filled, "push").code == 0

    objects_are_sound(far, filled)
    assert len(far.keys()) == 62
    assert hashlib.sha256(pulled(far, filled).read("large")).digest()
