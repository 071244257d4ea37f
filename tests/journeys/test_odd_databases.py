"""A temple's database may bear any name that a server takes: run, sync, rehearsal and test copy work as with any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import override_settings

from backups_app.configuration import Configuration
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.records import Status
from backups_app.use_cases.restores import restores
from tests.journeys.conftest import run_backup
from tests.journeys.test_restore import command

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["t*b", "(x+y)[z]^", "a:b", "a|b", "tab\tbase", "मन्दिर", "é" * 31], ids=ascii)
def odd(
    request: pytest.FixtureRequest,
    configured: Configuration,
    local_server: EmbeddedServer,
    remote_server: EmbeddedServer,
    db: None,
) -> Iterator[tuple[Configuration, Any, Any]]:
    """A temple whose database bears this name, on both sides."""
    name: str = request.param
    with local_server.client() as local, remote_server.client() as remote:
        local[name]["bookings"].insert_one({"_id": "here"})
        remote[name]["bookings"].insert_one({"_id": "there"})
        configuration = replace(configured, database_name=name)
        with override_settings(TEMPLEOPS=configuration):
            yield configuration, local[name], remote[name]
        local.drop_database(name)
        remote.drop_database(name)


def test_everything_works_in_it(odd: tuple[Configuration, Any, Any]) -> None:
    configuration, local, remote = odd
    run = run_backup(delete_bookings=False)
    remote["bookings"].insert_one({"_id": "later"})

    synced = command("backup_sync")[1]
    rehearsal = command("backup_rehearse")[1]
    name = restores.copy_name(configuration=configuration, backup_id=run["_id"])
    copy = command("backup_restore", run["_id"], "--to", name)[1]
    copies = command("backup_restore", "--copies")[1]
    left = command("backup_restore", "--remove-copy", name)[1]

    assert (run["status"], rehearsal["status"], copy["status"]) == (Status.SUCCESS, "success", "success")
    assert synced["detection"] == {"local": "stream", "remote": "stream", "reasons": []}
    for side in (local, remote):
        assert sorted(side["bookings"].distinct("_id")) == ["here", "later", "there"]
    assert copy["restore"]["sums"]["proven"] == 2
    assert ([one["database"] for one in copies], left) == ([name], [])
