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
MANAGE = "manage.py"


def run(
    path: str, arguments: list[str], *, environment: dict[str, str], folder: str, streams: list[int],
    seconds: float | None = None,
) -> int:  # fmt: skip
    """Run a command with these three streams (descriptors) to its end. Return its exit code, negative for a signal.

    Raise TimeoutError when it takes longer than `seconds`.
    """
    order = {"program": MANAGE, "arguments": arguments, "environment": environment, "folder": folder}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        send(connection, order, streams=streams)
        connection.settimeout(seconds)
        answer = connection.recv(16)
    assert answer, "the process that forks has ended"
    return int(answer)


def send(connection: socket.socket, order: dict[str, Any], *, streams: list[int]) -> None:
    """Send an order and the three streams of the process that is to carry it out."""
    data = json.dumps(order).encode()
    socket.send_fds(connection, [len(data).to_bytes(LENGTH, "big")], streams)
    connection.sendall(data)


def received(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return what `send` sent: the order and the three streams."""
    head, streams, _, _ = socket.recv_fds(connection, LENGTH, 3)
    length, data = int.from_bytes(head, "big"), b""
    while len(data) < length:
        data += connection.recv(length - len(data))
    return json.loads(data), list(streams)


if __name__ == "__main__":
    code = run(sys.argv[1], sys.argv[2:], environment=dict(os.environ), folder=os.getcwd(), streams=[0, 1, 2])
    sys.exit(code if code >= 0 else 128 - code)
