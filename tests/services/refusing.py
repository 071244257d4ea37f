"""A store that refuses every request on purpose: what no real server can be made to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Refusing(BaseHTTPRequestHandler):
    """Answers every request with one code; to 501 it accepts a put without a condition."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        server: Any = self.server
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        conditional = " if-none-match" if "if-none-match" in self.headers else ""
        server.seen.append(f"{self.command}{conditional}")
        status, code = server.answer
        if status == 501 and not conditional:
            status = 404 if self.command == "HEAD" else 200
        body = b"" if self.command == "HEAD" else f"<Error><Code>{code}</Code></Error>".encode()
        self.send_response(status)
        self.send_header("ETag", '"abc"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def refusing_store(status: int, code: str) -> Iterator[Any]:
    """Run one for the block. Its `answer` may be replaced; `seen` are the requests so far."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    server.answer, server.seen = (status, code), []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
