"""A mongos on either side is refused by name: by readiness, status, doctor and sync, and nothing is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone
from pymongo.database import Database

from backups_app.configuration import Configuration, Secret
from backups_app.errors import ShardedNotSupported
from backups_app.mongo import connections
from backups_app.records import Origin, Status
from backups_app.runs import preparation
from backups_app.use_cases.backups import backups
from backups_app.use_cases.doctor import doctor
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.status import status
from tests.mongo import fake_mongos
from tests.pages.test_hindi import carried_out

pytestmark = pytest.mark.django_db


@pytest.fixture
def mongos() -> Iterator[Secret]:
    with fake_mongos.running() as url:
        yield Secret(url)
        connections.close_all()


def seed(database: Database[Any]) -> None:
    database["bookings"].insert_many([{"_id": number} for number in range(20)])


def test_a_mongos_as_the_local_side_is_refused_before_a_run(configured: Configuration, mongos: Secret) -> None:
    settings = dataclasses.replace(configured, local_url=mongos, cloud_url=Secret(""))

    with override_settings(TEMPLEOPS=settings):
        with pytest.raises(ShardedNotSupported, match="local MongoDB is a sharded cluster"):
            readiness.require_ready(configuration=settings)
        with pytest.raises(ShardedNotSupported):
            backups.start_backup(
                created_by="ananya", delete_bookings=False, origin=Origin.WEB, now=timezone.now(), enqueue=False
            )
        shown = status.status(configuration=settings, now=timezone.now())
        examined = doctor.examine(configuration=settings)

    assert [refusal.code for refusal in shown.refusals] == ["sharded_not_supported"]
    assert shown.local.problem is not None and shown.local.problem.code == "sharded_not_supported"
    assert "sharded_not_supported" in [finding.subject for finding in examined]


def test_a_mongos_as_the_remote_side_fails_sync_by_name_and_deletes_nothing(
    configured: Configuration, local_db: Database[Any], mongos: Secret
) -> None:
    seed(local_db)
    settings = dataclasses.replace(configured, cloud_url=mongos)

    with override_settings(TEMPLEOPS=settings):
        shown = status.status(configuration=settings, now=timezone.now())
        examined = doctor.examine(configuration=settings)
        run = carried_out(delete_bookings=True)

    assert shown.remote is not None and shown.remote.problem is not None
    assert shown.remote.problem.code == "sharded_not_supported"
    assert "sharded_not_supported" in [finding.subject for finding in examined]
    sync = run.step("sync")
    assert (run.status, run.sync_status) == (Status.PARTIAL, "failed")
    assert sync is not None and "sharded cluster" in str(sync.sentence)
    assert local_db["bookings"].count_documents({}) == 20


def test_several_mongos_are_one_refusal(mongos: Secret) -> None:
    with fake_mongos.running() as other:
        both = Configuration(local_url=Secret(f"{mongos.rstrip('/')},{other.split('/')[2]}/"))
        client = preparation.local_database(both).client
        assert connections.facts(client).sharded
        connections.close_all()
