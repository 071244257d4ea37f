"""A server in a process of its own, on ports that are free, ended with the one who started it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from backups_app.mongo import embedded

START_SECONDS = 60.0
GRPC = 10_000
"""SeaweedFS listens on each port plus this number too."""


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on; neither on the ones that lie 10,000 above."""
    found: list[int] = []
    while len(found) < count:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1] % 20_000 + 20_000
        if port not in found and _is_free(port) and _is_free(port + GRPC):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def running(command: Sequence[str], *, log: Path, is_ready: Callable[[], bool]) -> Iterator[None]:
    """Run a server for the block. Raise TimeoutError with the end of its log where it is not ready in a minute."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            embedded.tethered(command, number=signal.SIGKILL), stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait(process, log, is_ready)
        yield
    finally:
        with suppress(ProcessLookupError):  # it ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(process: subprocess.Popen[bytes], log: Path, is_ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError(log.read_text(errors="replace")[-2000:])
        time.sleep(0.1)
