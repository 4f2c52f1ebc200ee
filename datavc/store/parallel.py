"""One piece of work in several threads, over as soon as the user says so."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

_PATIENCE_S = 0.1
"""How long a wait lasts before signals are looked at again."""


def each(work: Callable[[T], object], items: Iterable[T], jobs: int) -> None:
    """Call `work` with every item, in at most `jobs` threads at once.

    The first exception stops the handing out of items and is raised when the calls that run have
    come back. The threads are daemons: Ctrl-C in the calling thread leaves at once, and what
    hangs in the network cannot hold the process.
    """
    waiting: queue.SimpleQueue[T] = queue.SimpleQueue()
    count = 0
    for item in items:
        waiting.put(item)
        count += 1
    failures: list[BaseException] = []
    stop = threading.Event()

    def run() -> None:
        try:
            while not stop.is_set():
                work(waiting.get_nowait())
        except queue.Empty:
            return
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            failures.append(error)
            stop.set()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(min(jobs, count))]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(_PATIENCE_S)
    finally:
        stop.set()
    if failures:
        raise failures[0]
