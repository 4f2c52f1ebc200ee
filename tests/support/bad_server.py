"""A proxy before a real server, that misbehaves on request: throttles, cuts, flips, hangs.

    with before(endpoint) as server:
        server.trouble = lambda request: "slow down" if request.number % 5 == 0 else ""
        …  server.endpoint, server.seen

What is asked reaches the real server unchanged, its Host header too, so signatures hold.
"""

from __future__ import annotations

import http.client
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

SLOW_DOWN = (
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
EXPIRED = b"<Error><Code>ExpiredToken</Code><Message>The token has expired.</Message></Error>"
LONGEST_HANG_S = 600.0


class Request(NamedTuple):
    """One request as it came: its number from 1, method, path, and bytes of its body."""

    number: int
    method: str
    path: str
    size: int

    @property
    def downloads(self) -> bool:
        """Whether it asks for the bytes of an object."""
        return self.method == "GET" and "/objects/" in self.path.partition("?")[0]

    @property
    def uploads(self) -> bool:
        """Whether it brings the bytes of an object."""
        return self.method == "PUT" and "/objects/" in self.path.partition("?")[0]


Trouble = Callable[[Request], str]
"""Says what goes wrong with a request; nothing for most."""


class BadServer(ThreadingHTTPServer):
    """Passes requests on to `target`, save where `trouble` says otherwise."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(target).netloc
        self.trouble: Trouble = lambda request: ""
        self.seen: list[Request] = []
        self.over = threading.Event()
        self.keeps_checksums = True
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        """The address that clients are given."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def note(self, method: str, path: str, size: int) -> Request:
        """Remember a request, and return it with its number."""
        with self._lock:
            request = Request(len(self.seen) + 1, method, path, size)
            self.seen.append(request)
        return request

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients are cut off on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: BadServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        request = self.server.note(self.command, self.path, size)
        trouble = self.server.trouble(request)
        if trouble == "cut upload":
            self.rfile.read(size // 2)
            self._hang_up()
            return
        body = self.rfile.read(size)
        if trouble:
            getattr(self, "_" + trouble.replace(" ", "_"))(body)
        else:
            self._answer(*self._ask(body))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return status, headers and body of the real server's answer."""
        real = http.client.HTTPConnection(self.server.target, timeout=60)
        try:
            real.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "expect"):
                    real.putheader(name, value)
            real.endheaders(body)
            answer = real.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            real.close()

    def _answer(
        self, status: int, headers: list[tuple[str, str]], body: bytes, shown: int | None = None
    ) -> None:
        """Send an answer; `shown` is the length that it claims to have."""
        self.send_response_only(status)
        for name, value in headers:
            dropped = name.lower().startswith("x-amz-checksum") and not self.server.keeps_checksums
            if (
                name.lower() not in ("content-length", "transfer-encoding", "connection")
                and not dropped
            ):
                self.send_header(name, value)
        if self.command == "HEAD":
            length = next((v for n, v in headers if n.lower() == "content-length"), "0")
            self.send_header("Content-Length", length)
        elif status != 204:
            self.send_header("Content-Length", str(len(body) if shown is None else shown))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _slow_down(self, _: bytes) -> None:
        self._answer(503, [("Content-Type", "application/xml")], SLOW_DOWN)

    def _forbid(self, _: bytes) -> None:
        self._answer(403, [("Content-Type", "application/xml")], DENIED)

    def _expire(self, _: bytes) -> None:
        self._answer(400, [("Content-Type", "application/xml")], EXPIRED)

    def _hang(self, _: bytes) -> None:
        self.server.over.wait(LONGEST_HANG_S)
        self._hang_up()

    def _reset(self, _: bytes) -> None:
        self._hang_up()

    def _cut(self, body: bytes) -> None:
        status, headers, answer = self._ask(body)
        self._answer(status, headers, answer[: len(answer) // 2], len(answer))
        self._hang_up()

    def _flip(self, body: bytes) -> None:
        status, headers, answer = self._ask(body)
        wrong = bytearray(answer)
        if status < 300 and wrong:
            wrong[len(wrong) // 2] ^= 0x10
        self._answer(status, headers, bytes(wrong))

    def _flip_upload(self, body: bytes) -> None:
        wrong = bytearray(body)
        if wrong:
            wrong[len(wrong) // 2] ^= 0x10
        self._answer(*self._ask(bytes(wrong)))

    def _forget(self, body: bytes) -> None:
        """Say that an upload is done, and throw it away."""
        self._answer(200, [("ETag", '"0123456789abcdef0123456789abcdef"')], b"")

    def _nonsense(self, _: bytes) -> None:
        self._answer(200, [("Content-Type", "text/html")], b"<html>Please log in</html>")

    def _escapes(self, _: bytes) -> None:
        answer = (
            b"<Error><Code>\x1b]0;owned\x07</Code><Message>\x1b[2J\xc2\x9b31m</Message></Error>"
        )
        self._answer(400, [("Content-Type", "application/xml")], answer)

    def _redirect(self, _: bytes) -> None:
        place = f"http://127.0.0.1:{self.server.server_address[1]}/elsewhere{self.path}"
        self._answer(307, [("Location", place)], b"")

    def _endless(self, _: bytes) -> None:
        """Send bytes until the client has had enough."""
        self.send_response_only(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        piece = b"10000\r\n" + bytes(1 << 16) + b"\r\n"
        with suppress(OSError):
            while not self.server.over.wait(0.005):
                self.wfile.write(piece)
        self._hang_up()


@contextmanager
def before(target: str) -> Iterator[BadServer]:
    """Run a proxy before the server at the address `target`; it ends with the context."""
    server = BadServer(target)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        socketserver.TCPServer.server_close(server)
        thread.join(5)
