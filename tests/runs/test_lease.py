"""The lease is held for a block: renewed while the block lasts, let go at its end, refused to anybody else."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.catalog import lease as stored
from backups_app.errors import OwnershipLost, RunActive
from backups_app.runs import lease

Mongo = Database[dict[str, Any]]
LONGEST_SECONDS = 60


def test_somebody_else_is_refused_while_it_is_held_and_not_afterwards(local_db: Mongo) -> None:
    with lease.held(local_db, seconds=60), pytest.raises(RunActive), lease.held(local_db, seconds=60):
        pass

    assert stored.holder(local_db) is None
    with lease.held(local_db, seconds=60) as again:
        assert stored.holder(local_db) == again.owner.as_document()


def test_it_is_let_go_when_the_block_fails(local_db: Mongo) -> None:
    with pytest.raises(ValueError), lease.held(local_db, seconds=60):
        raise ValueError

    assert stored.holder(local_db) is None


def test_it_renews_itself_without_a_checkpoint(local_db: Mongo) -> None:
    with lease.held(local_db, seconds=4) as held:
        at_first, deadline = _end_of_lease(local_db), time.monotonic() + LONGEST_SECONDS
        while _end_of_lease(local_db) == at_first:
            assert time.monotonic() < deadline
            time.sleep(0.02)

        assert _end_of_lease(local_db) > at_first
        assert stored.take(local_db, owner={"token": "another"}, seconds=60) is None
        held.checkpoint()


def _end_of_lease(database: Mongo) -> Any:
    (found,) = database["backup_lease"].find()
    return found["expires_at"]


def test_a_lease_that_another_took_is_noticed_at_the_next_checkpoint_and_stays_theirs(local_db: Mongo) -> None:
    with lease.held(local_db, seconds=60) as held:
        theirs = {"token": "another"}
        assert stored.take(local_db, owner=theirs, seconds=60, dead=held.owner.as_document()) is not None
        time.sleep(2 * lease.RENEW_EVERY_SECONDS)

        with pytest.raises(OwnershipLost):
            held.checkpoint()

    assert stored.holder(local_db) == theirs
