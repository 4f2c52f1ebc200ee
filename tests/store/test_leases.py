"""Leases: what a running writer relies on is seen by whoever collects, and dies with it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading

import pytest

from datavc.core.errors import DatavcError
from datavc.core.hashing import hash_bytes
from datavc.store import leases
from datavc.store.leases import Lease, alive, dead, gate

ONE = hash_bytes(b"one", "blake3").digest
TWO = hash_bytes(b"two", "blake3").digest


@pytest.fixture
def root(tmp_path):
    return str(tmp_path / "cache")


def _names(root):
    return sorted(set(os.listdir(os.path.join(root, "leases"))) - {"gate"})


def test_claims_of_a_running_writer_are_seen(root):
    lease = Lease(root)
    lease.claim([ONE])
    lease.claim([TWO])

    assert alive(root) == {lease.name: {ONE, TWO}}
    lease.release()


def test_released_lease_leaves_nothing(root):
    lease = Lease(root)
    lease.claim([ONE])

    lease.release()

    assert alive(root) == {}
    assert _names(root) == []


def test_nothing_is_leased_where_nobody_ever_wrote(root):
    assert alive(root) == {}
    assert dead(root) == []


def test_lease_of_a_killed_process_is_swept(root):
    program = (
        "import os, signal, sys\n"
        "from datavc.store.leases import Lease\n"
        "lease = Lease(sys.argv[1])\n"
        "lease.claim([sys.argv[2]])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, root, ONE], check=False)
    left = _names(root)

    found = dead(root)

    assert [os.path.basename(path) for path in found] == left
    assert _names(root) == left, "asking changes nothing"
    assert alive(root) == {}
    assert _names(root) == []


def test_asking_without_sweeping_changes_nothing(root):
    Lease(root).release()
    stale = os.path.join(root, "leases", "123-abcabcabcabc")
    open(stale, "w").close()

    assert alive(root, sweep=False) == {}

    assert os.path.exists(stale)


def test_a_lease_held_elsewhere_counts_also_for_another_process(root):
    lease = Lease(root)
    lease.claim([ONE])
    program = (
        "import sys\nfrom datavc.store.leases import alive\n"
        "print(*[d for claims in alive(sys.argv[1]).values() for d in claims])\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, root], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == [ONE]
    lease.release()


def test_lines_that_are_no_digest_claim_nothing(root):
    lease = Lease(root)
    lease.claim([ONE, "half a digest"])

    assert alive(root) == {lease.name: {ONE}}
    lease.release()


def test_claiming_waits_while_somebody_deletes(root):
    lease = Lease(root)
    claimed = threading.Event()
    thread = threading.Thread(target=lambda: (lease.claim([ONE]), claimed.set()))

    with gate(os.path.join(root, "leases"), shared=False):
        thread.start()
        assert not claimed.wait(0.1)
    thread.join(10)

    assert claimed.is_set()
    lease.release()


def test_writers_claim_beside_each_other(root):
    with gate(os.path.join(root, "leases"), shared=True):
        lease = Lease(root)
        lease.claim([ONE])

    assert alive(root) == {lease.name: {ONE}}
    lease.release()


def test_no_sweeper_takes_a_lease_from_its_writer(root):
    """Sweeping all the time, from other threads, never makes a claim invisible."""
    over = threading.Event()

    def sweep():
        while not over.is_set():
            alive(root)

    sweepers = [threading.Thread(target=sweep) for _ in range(3)]
    for thread in sweepers:
        thread.start()
    try:
        for _ in range(200):
            lease = Lease(root)
            lease.claim([ONE])
            held = leases.alive(root)
            lease.release()
            assert held.get(lease.name) == {ONE}
    finally:
        over.set()
        for thread in sweepers:
            thread.join()


def test_in_a_folder_of_a_group_everybody_in_it_sees_claims(root):
    folder = os.path.join(root, "leases")
    os.makedirs(folder)
    os.chmod(folder, 0o2770)
    before = os.umask(0o077)
    try:
        lease = Lease(root)
        lease.claim([ONE])
    finally:
        os.umask(before)

    for name in (lease.name, "gate"):
        assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o660
    lease.release()


def test_a_lease_that_cannot_be_read_is_no_reason_to_go_on(root):
    folder = os.path.join(root, "leases")
    os.makedirs(folder)
    os.symlink("/nowhere", os.path.join(folder, "1-11aa11aa11aa"))

    with pytest.raises(DatavcError, match="1-11aa11aa11aa"):
        alive(root)
