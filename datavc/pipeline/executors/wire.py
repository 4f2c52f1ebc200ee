"""What datavc and its launcher say to each other, over a private pair of sockets.

Both ends are the same interpreter and the same code, so Python's own `marshal` will do.
A message is its length (4 bytes) and a tuple; one is written by one call, so that the messages of
several supervisors do not mix.
"""

from __future__ import annotations

import marshal
import os
from typing import Any, NamedTuple

RUN, STOP = "run", "stop"


class Order(NamedTuple):
    """An action, as its supervisor gets it.

    `keys`: the commands may read the input; `terminal`: they get a pty. `confine` is what may be
    read and what may be written, None for everything.
    """

    id: int
    commands: tuple[str, ...]
    folder: str
    environment: dict[str, str]
    log: str
    shell: tuple[str, ...]
    timeout_s: float | None
    terminal: bool
    keys: bool
    confine: tuple[tuple[str, ...], tuple[str, ...]] | None


class Outcome(NamedTuple):
    """How an order ended; `failed` is the position of the command that failed, -1 for none."""

    id: int
    exit_code: int | None = None
    signal: int | None = None
    seconds: float = 0.0
    timed_out: bool = False
    interrupted: bool = False
    failed: int = -1
    note: str = ""


def lost(order: int) -> Outcome:
    """Return the outcome of an order whose supervisor is gone."""
    return Outcome(order, failed=0, note="its supervisor was killed")


def send(fd: int, message: tuple[Any, ...]) -> None:
    """Write one message."""
    body = marshal.dumps(tuple(message))
    view = memoryview(len(body).to_bytes(4, "little") + body)
    while view:
        view = view[os.write(fd, view) :]


class Reader:
    """The messages that come from a descriptor."""

    def __init__(self, fd: int) -> None:
        """Read from `fd`, which may be blocking: one read is made per call."""
        self.fd = fd
        self._bytes = b""

    def read(self) -> list[tuple[object, ...]] | None:
        """Return the messages that are complete after one more read; None at the end."""
        part = os.read(self.fd, 1 << 16)
        if not part:
            return None
        self._bytes += part
        messages = []
        while len(self._bytes) >= 4:
            size = int.from_bytes(self._bytes[:4], "little")
            if len(self._bytes) < 4 + size:
                break
            messages.append(marshal.loads(self._bytes[4 : 4 + size]))
            self._bytes = self._bytes[4 + size :]
        return messages
