"""Somebody who reads pages all the time, and tries again when nobody answers."""

from __future__ import annotations

import http.client
import threading
from types import TracebackType
from typing import Self

from tests.hosts.site import Client

PATHS = ("/api/backups", "/api/backup/status", "/health/ready", "/metrics")
REST_SECONDS = 1.0
RENEWED_AFTER = 200
"""Requests. An access token is good for five minutes."""


class Reader:
    """Reads from the start of the block to its end. `answers` counts what was answered."""

    def __init__(self, port: int, username: str) -> None:
        self.answers = 0
        self._port, self._username, self._stop = port, username, threading.Event()
        self._thread = threading.Thread(target=self._read, name="reader")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stop.wait(REST_SECONDS):
            try:
                self._read_for_a_while()
            except (OSError, http.client.HTTPException, AssertionError):
                continue  # the web process was killed, or a server did not answer the sign-in: again, in a second

    def _read_for_a_while(self) -> None:
        client = Client(self._port)
        client.log_in(self._username)
        for number in range(RENEWED_AFTER):
            if self._stop.wait(REST_SECONDS):
                return
            client.get(PATHS[number % len(PATHS)])
            self.answers += 1
