"""Asks a fork server for a command: `python -I -S tests/fork_client.py SOCKET command …` is `manage.py command …`.

The command has this process's environment, directory and streams, and its exit code becomes this one's. Only a few
modules of Python are imported: a script of bash starts this for each command.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any

LENGTH = 8


def run(
    path: str, arguments: list[str], *, environment: dict[str, str], folder: str, streams: list[int],
    seconds: float | None = None,
) -> int:  # fmt: skip
    """Run a command with these three streams (descriptors) to its end. Return its exit code, negative for a signal.

    Raise TimeoutError when it takes longer than `seconds`.
    """
    order = json.dumps({"arguments": arguments, "environment": environment, "folder": folder}).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        socket.send_fds(connection, [len(order).to_bytes(LENGTH, "big")], streams)
        connection.sendall(order)
        connection.settimeout(seconds)
        answer = connection.recv(16)
    assert answer, "the process that forks has ended"
    return int(answer)


def received(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return what `run` sent: the order and the three streams."""
    head, streams, _, _ = socket.recv_fds(connection, LENGTH, 3)
    length, data = int.from_bytes(head, "big"), b""
    while len(data) < length:
        data += connection.recv(length - len(data))
    return json.loads(data), list(streams)


if __name__ == "__main__":
    code = run(sys.argv[1], sys.argv[2:], environment=dict(os.environ), folder=os.getcwd(), streams=[0, 1, 2])
    sys.exit(code if code >= 0 else 128 - code)
