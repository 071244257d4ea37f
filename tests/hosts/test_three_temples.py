"""Three temples on one machine as docs/operations.md describes them: one checkout, one PostgreSQL server, one database
of records each; settings, keys, folder, MongoDB and the label `instance` of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from backups_app.mongo.embedded import EmbeddedServer
from tests.conftest import NOBODY
from tests.fork_server import ForkServer
from tests.hosts import postgresql
from tests.hosts.site import Client, Site, free_port, settings_of

pytestmark = pytest.mark.skipif(postgresql.programs() is None, reason="PostgreSQL is not installed")
TEMPLES = {"shiva": 11, "vishnu": 22, "durga": 33}
"""How many bookings each has."""
TOKEN = "a-token-of-the-monitoring-0123456789"
DATABASE = "temple_db"


@pytest.fixture(scope="module")
def sites(
    tmp_path_factory: pytest.TempPathFactory, memory_folder: Path, fork_server: ForkServer
) -> Iterator[dict[str, Site]]:
    folder = tmp_path_factory.mktemp("temples")
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.running())
        _migrate(server.make("migrated"), folder, fork_server)
        found = {}
        for name, bookings in TEMPLES.items():
            mongod = stack.enter_context(EmbeddedServer(data_dir=memory_folder / name, replica_set=name))
            with MongoClient[Any](mongod.uri) as client:
                client[DATABASE]["bookings"].insert_many([{"_id": number} for number in range(bookings)])
            site = Site(
                folder=folder / name, port=free_port(), fork_server=fork_server,
                environment=settings_of(
                    name, folder=folder / name, mongodb=mongod.uri, django_database=server.make(name, like="migrated"),
                    DATABASE_NAME=DATABASE, METRICS_TOKEN=TOKEN,
                ),
            )  # fmt: skip
            stack.callback(site.stop)
            site.add_super_admin(f"admin-of-{name}")
            site.start_worker()
            site.start_web()
            found[name] = site
        yield found


def _migrate(django_database: str, folder: Path, fork_server: ForkServer) -> None:
    """Migrate a database of which each temple then gets a copy: PostgreSQL copies in a fraction of the time."""
    environment = settings_of("none", folder=folder / "none", mongodb=str(NOBODY), django_database=django_database)
    fork_server.run("migrate", "--verbosity", "0", environment=environment).check_returncode()


def test_each_makes_and_sees_its_own_backup_alone(sites: dict[str, Site]) -> None:
    made = {}
    for name, site in sites.items():
        client = Client(site.port)
        client.log_in(f"admin-of-{name}")
        status, run = client.send("POST", "/api/backup", {"delete_bookings": False})
        assert (status, run["status"]) == (200, "success"), run
        made[name] = run["backup_id"]

    for name, site in sites.items():
        client = Client(site.port)
        client.log_in(f"admin-of-{name}")
        listed = client.get("/api/backups")[1]
        assert [run["backup_id"] for run in listed] == [made[name]]
        documents = client.get(f"/api/backups/{made[name]}/collections/bookings?limit=1")[1]
        assert documents["total_documents"] == TEMPLES[name]


def test_people_and_tokens_of_one_temple_open_no_other(sites: dict[str, Site]) -> None:
    client = Client(sites["shiva"].port)
    client.log_in("admin-of-shiva")
    for other in ("vishnu", "durga"):
        stranger = Client(sites[other].port)
        stranger.token = client.token
        assert stranger.get("/api/backups")[0] == 401
        status, _ = stranger.send("POST", "/api/auth/login", {"username": "admin-of-shiva", "password": "x" * 20})
        assert status == 401


def test_the_figures_bear_the_temple(sites: dict[str, Site]) -> None:
    for name, site in sites.items():
        client = Client(site.port)
        client.token = TOKEN
        status, figures = client.get("/metrics")
        assert status == 200
        samples = [line for line in figures.splitlines() if line.startswith("templeops_")]
        assert samples and all(f'instance="{name}"' in line for line in samples)


def test_the_folder_of_one_temple_is_refused_to_another_one(sites: dict[str, Site], fork_server: ForkServer) -> None:
    """Where two databases bear one name, the folder knows the name alone: the stores on record differ."""
    shiva, vishnu = sites["shiva"], sites["vishnu"]
    wrong = {**vishnu.environment, "BACKUP_DIR": shiva.environment["BACKUP_DIR"]}

    ended = fork_server.run("backup_now", "--json", environment=wrong)

    assert (ended.returncode, json.loads(ended.stdout)["code"]) == (12, "store_missing")
