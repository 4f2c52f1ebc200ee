"""Every kind of refusal and accident is one sentence, and known to pass or to stay."""

from __future__ import annotations

import http.server
import threading

import pytest

from datavc.core.errors import RemoteError
from datavc.core.remotes import RemoteConfig
from datavc.remote import retry
from datavc.remote.connect import connect
from datavc.remote.trouble import explain


class Answer:
    """What a server says to everything: status, S3's code, and how much of the body it sends."""

    def __init__(self, status: int, code: str = "", *, cut: bool = False) -> None:
        self.status = status
        self.cut = cut
        self.asked = 0
        self.body = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()


@pytest.fixture
def serve(monkeypatch):
    """Return what starts a server with one answer."""
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.001)
    servers = []

    def start(answer: Answer) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                answer.asked += 1
                self.send_response(answer.status)
                self.send_header("Content-Type", "application/xml")
                self.send_header("Last-Modified", "Mon, 02 Nov 2026 10:00:00 GMT")
                self.send_header("ETag", '"1"')
                self.send_header(
                    "Content-Range", f"bytes 0-{len(answer.body) - 1}/{len(answer.body)}"
                )
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body[: 10 if answer.cut else None])
                self.close_connection = True

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("driver", ["s3fs", "obstore"])
@pytest.mark.parametrize(
    ("answer", "sentence", "attempts"),
    [
        (Answer(503, "SlowDown"), "overloaded", 3),
        (Answer(500, "InternalError"), "overloaded", 3),
        (Answer(429, "TooManyRequests"), "overloaded", 3),
        (Answer(403, "ExpiredToken"), "expired", 1),
        (Answer(403, "AccessDenied"), "may not do this", 1),
        (Answer(403, "SignatureDoesNotMatch"), "does not accept", 1),
        (Answer(403, "RequestTimeTooSkewed"), "clock", 1),
        (Answer(404, "NoSuchBucket"), "no such bucket", 1),
        (Answer(206, "whole", cut=True), "cut the connection", 3),
    ],
    ids=lambda value: getattr(value, "body", b"").decode()[13:30] or None,
)
def test_answers_of_a_server_are_told_apart(serve, driver, answer, sentence, attempts):
    answer.asked = 0
    remote = RemoteConfig("r", "s3://bucket/x", driver=driver, retries=2, options={
        "endpointurl": serve(answer), "access_key_id": "a", "secret_access_key": "b",
    })  # fmt: skip

    with pytest.raises(RemoteError, match=sentence) as refused:
        connect(remote, algorithm="blake3").missing(["blake3:" + "0" * 64])

    assert answer.asked == attempts
    assert refused.value.message.startswith("s3://bucket/x ")
    assert refused.value.hint


@pytest.mark.parametrize(
    ("error", "sentence", "transient"),
    [
        (ConnectionRefusedError(111, "Connect call failed"), "cannot be reached", True),
        (TimeoutError(), "in time", True),
        (ConnectionResetError(104, "reset by peer"), "cut the connection", True),
        (OSError(28, "No space left on device"), "no space left", False),
        (OSError(30, "Read-only file system"), "can only be read", False),
        (PermissionError(13, "denied"), "refused the request", False),
        (ValueError("odd https://me:pw@host/x?sig=1"), "answered with an error: odd", False),
    ],
)
def test_errors_of_the_system_are_told_apart(error, sentence, transient):
    explained = explain(error, "ssh://host/x")

    assert sentence in explained.message
    assert explained.transient is transient
    assert "pw" not in explained.message
    assert "sig" not in explained.message


def test_digits_of_an_address_are_not_taken_for_an_answer():
    error = OSError("odd http://127.0.0.1:503/403/NoSuchBucket in 500ms")

    assert "answered with an error" in explain(error, "s3://b").message
