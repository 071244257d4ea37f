"""Brokers of jobs, Debian's own: Redis and RabbitMQ."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import pytest

from tests.services.killable import Server
from tests.services.processes import free_ports, running

REDIS_MISSING = "Redis is not here: apt-get install redis-server brings it."
RABBITMQ_MISSING = "RabbitMQ is not here: apt-get install rabbitmq-server brings it."
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's wrapper of it wants to be root."""


@dataclass(kw_only=True)
class Broker(Server):
    """A server of messages; `url` is its JOBS_BROKER_URL."""

    url: str


@contextmanager
def redis(folder: Path) -> Iterator[Broker]:
    """Start Redis with nothing in it. Skip the test where it is not here."""
    program = which("redis-server")
    if program is None:
        pytest.skip(REDIS_MISSING)
    (port,) = free_ports(1)
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with Broker(url=f"redis://127.0.0.1:{port}/0", port=port, command=command, folder=folder) as broker:
        yield broker


@contextmanager
def rabbitmq(folder: Path) -> Iterator[Broker]:
    """Start RabbitMQ with a name, folders and ports of its own. Skip the test where it is not here."""
    if not RABBITMQ.exists():
        pytest.skip(RABBITMQ_MISSING)
    port, distribution, names = free_ports(3)
    environment = {
        "HOME": str(folder), "RABBITMQ_NODENAME": f"templeops{port}@localhost", "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"), "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"), "RABBITMQ_CONFIG_FILE": str(folder / "config"),
        "ERL_EPMD_PORT": str(names), "ERL_EPMD_ADDRESS": "127.0.0.1",
    }  # fmt: skip
    broker = Broker(
        url=f"amqp://guest:guest@127.0.0.1:{port}//", port=port, command=[str(RABBITMQ)], folder=folder,
        environment=environment,
    )  # fmt: skip
    # Started by RabbitMQ, Erlang's directory of names would outlive it: ours ends with the block, or with the tests.
    with (
        running(["epmd", "-address", "127.0.0.1", "-port", str(names)], log=folder / "names", is_ready=_listens(names)),
        broker,
    ):
        yield broker


def _listens(port: int) -> Callable[[], bool]:
    def is_ready() -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    return is_ready
