"""Web servers as remotes: they may send what they like, but not without end, and not elsewhere."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support import inside
from tests.support.repo import RepoBuilder
from tests.support.soundness import objects
from tests.support.stranger import digest_of, pointer

DATA = b"what the pointer names"


class Web(http.server.ThreadingHTTPServer):
    """Answers every object with what `kind` says, and notes the headers that it was sent."""

    daemon_threads = True
    kind = "right"
    elsewhere = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.heard: list[dict[str, str]] = []
        self.sent = 0


class _Answer(http.server.BaseHTTPRequestHandler):
    server: Web

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.server.heard.append(dict(self.headers.items()))
        if not self.path.startswith("/x/objects/"):
            self.send_error(404)
        elif self.server.kind == "redirect":
            self.send_response(302)
            self.send_header("Location", self.server.elsewhere + self.path)
            self.end_headers()
        elif self.server.kind == "endless":
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                while self.server.sent < 1 << 30:
                    self.server.sent += self.wfile.write(bytes(1 << 16))
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(DATA)))
            self.end_headers()
            self.wfile.write(DATA)


@pytest.fixture
def web() -> Iterator[Web]:
    """Return a running server."""
    with Web() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def project(repo: RepoBuilder, web: Web, **options: str) -> None:
    url = f"http://user:pass-word@127.0.0.1:{web.server_address[1]}/x"
    more = "".join(f'{name} = "{value}"\n' for name, value in options.items())
    config = repo.root / ".datavc/config.local.toml"
    config.write_text(f'[core]\nremote = "w"\n[remote.w]\nurl = "{url}"\nretries = 0\n{more}')
    repo.write("a.datavc", pointer("a", digest_of(DATA)))


def test_a_server_that_is_right_is_read(repo: RepoBuilder, web: Web):
    project(repo, web)

    assert inside.run(repo.root, "pull").code == 0
    assert repo.read("a") == DATA
    assert any("Authorization" in headers for headers in web.heard)


def test_a_body_without_end_is_read_no_further_than_asked(repo: RepoBuilder, web: Web):
    project(repo, web, read_timeout="5")
    web.kind = "endless"
    began = time.monotonic()

    done = inside.run(repo.root, "pull")

    assert done.code in (4, 6), done
    assert time.monotonic() - began < 30
    assert web.sent < 200 << 20
    assert objects(repo.root / ".datavc/cache") == {}


def test_credentials_do_not_follow_to_another_server(repo: RepoBuilder, web: Web):
    with Web() as other:
        threading.Thread(target=other.serve_forever, args=(0.05,), daemon=True).start()
        project(repo, web)
        web.kind = "redirect"
        web.elsewhere = f"http://127.0.0.1:{other.server_address[1]}"

        done = inside.run(repo.root, "pull")

        other.shutdown()
    assert done.code in (0, 4, 6), done
    assert "pass-word" not in done.stdout + done.stderr
    assert not any("Authorization" in headers for headers in other.heard)
