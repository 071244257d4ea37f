"""A server in a process of its own that a test may kill, and start again on its port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from backups_app.mongo import embedded

START_SECONDS = 90.0


@dataclass(kw_only=True)
class Server:
    """A server for the block: `with Server(…) as server`. `folder` holds its log."""

    port: int
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it is ready. Raise TimeoutError with the end of its log."""
        log = self.folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                embedded.tethered(self.command, number=signal.SIGKILL), stdout=output, stderr=output,
                start_new_session=True, env={**os.environ, **self.environment}, cwd=self.folder,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError(log.read_text(errors="replace")[-2000:])
            time.sleep(0.1)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def is_ready(self) -> bool:
        """Whether it listens on its port."""
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0
