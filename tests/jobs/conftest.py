"""The engines, each started for the first test that asks for it."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.mongo.embedded import EmbeddedServer
from tests.conftest import NOBODY, ROOT, Migrated
from tests.jobs.house import House
from tests.services.brokers import Broker, rabbitmq, redis
from tests.services.killable import Server
from tests.services.postgres import Postgres, postgres

ENGINES = ("sqlite", "postgresql", "redis")
LEASE_SECONDS = "5"
MIGRATED = "migrated"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgres]:
    """PostgreSQL, for Django databases; one of them is migrated, as a template for others."""
    with postgres() as server:
        command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
        environment = {"DATABASE_URL": server.create(MIGRATED), "MONGODB_LOCAL_URL": str(NOBODY)}
        subprocess.run(command, env=os.environ | environment, check=True)
        yield server


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Redis, for messages."""
    with redis(tmp_path_factory.mktemp("redis")) as broker:
        yield broker


@pytest.fixture(scope="session")
def rabbitmq_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """RabbitMQ, for messages."""
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The engine that the test is for."""
    return str(request.param)


@pytest.fixture
def house(
    engine: str,
    request: pytest.FixtureRequest,
    local_server: EmbeddedServer,
    local_db: Database[Any],
    a_folder: Path,
    tmp_path: Path,
    migrated: Migrated,
) -> Iterator[House]:
    """A temple with a few documents, and an empty Django database of the engine."""
    servers: dict[str, Server] = {}
    environment = {
        "DJANGO_SETTINGS_MODULE": "templeops.settings", "MONGODB_LOCAL_URL": local_server.uri,
        "MONGODB_CLOUD_URL": "", "DATABASE_NAME": local_db.name, "BACKUP_DIR": str(a_folder),
        "BACKUP_ENGINE": "python", "LEASE_SECONDS": LEASE_SECONDS, "ALLOW_PLAIN_HTTP": "true",
        "SECRET_KEY": "k3y" + "0123456789abcdef" * 4, "AUDIT_KEY": "k3yA" + "0123456789abcdef" * 4,
        "JOBS_BROKER_URL": "", "DATABASE_URL": f"sqlite:///{tmp_path / 'django.sqlite3'}",
    }  # fmt: skip
    if engine == "sqlite":
        migrated(tmp_path / "django.sqlite3")
    else:
        server = request.getfixturevalue("postgresql")
        servers["postgresql"] = server
        environment["DATABASE_URL"] = server.create(f"jobs_{next(_numbers)}", like=MIGRATED)
    if engine in ("redis", "rabbitmq"):
        broker = request.getfixturevalue(f"{engine}_server")
        servers["broker"] = broker
        environment["JOBS_BROKER_URL"] = broker.url
    for name in ("devotees", "bookings", "halls"):
        local_db[name].insert_many([{"_id": number, "name": f"{name} {number}"} for number in range(20)])
    found = House(engine=engine, database=local_db, environment=environment, folder=tmp_path, servers=servers)
    try:
        yield found
    finally:
        found.clear()
