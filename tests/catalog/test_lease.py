"""The lease: one holder at a time, by the server's clock, with a fence that only grows."""

from __future__ import annotations

import threading
import time
from typing import Any

from pymongo.database import Database

from backups_app.catalog import lease

Db = Database[dict[str, Any]]
ANANYA, RAVI = {"token": "ananya"}, {"token": "ravi"}


def test_the_first_takes_it_and_the_second_does_not(local_db: Db) -> None:
    fence = lease.take(local_db, owner=ANANYA, seconds=60)

    assert fence is not None
    assert lease.take(local_db, owner=RAVI, seconds=60) is None
    assert lease.holder(local_db) == ANANYA


def test_of_twenty_who_take_it_at_once_exactly_one_has_it(local_db: Db) -> None:
    won: list[int] = []
    barrier = threading.Barrier(20)

    def take(number: int) -> None:
        barrier.wait()
        if lease.take(local_db, owner={"token": number}, seconds=60) is not None:
            won.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == 1


def test_an_expired_lease_is_taken_over_with_a_higher_fence_and_cannot_be_renewed(local_db: Db) -> None:
    first = lease.take(local_db, owner=ANANYA, seconds=1)
    time.sleep(1.2)

    second = lease.take(local_db, owner=RAVI, seconds=60)

    assert first is not None
    assert second is not None
    assert second > first
    assert not lease.renew(local_db, owner=ANANYA, fence=first, seconds=60)


def test_a_holder_known_to_be_gone_is_replaced_at_once(local_db: Db) -> None:
    lease.take(local_db, owner=ANANYA, seconds=60)

    assert lease.take(local_db, owner=RAVI, seconds=60, dead={"token": "somebody else"}) is None
    assert lease.take(local_db, owner=RAVI, seconds=60, dead=ANANYA) is not None


def test_the_fence_grows_even_when_the_stored_one_is_ahead_of_the_clock(local_db: Db) -> None:
    ahead = int(time.time() * 1000) + 10**9
    lease.collection(local_db).insert_one({"_id": lease.LEASE, "owner": None, "fence": ahead})

    assert lease.take(local_db, owner=ANANYA, seconds=60) == ahead + 1


def test_release_lets_the_next_one_in_and_keeps_the_fence(local_db: Db) -> None:
    fence = lease.take(local_db, owner=ANANYA, seconds=60)
    assert fence is not None

    lease.release(local_db, owner=ANANYA, fence=fence)
    after = lease.take(local_db, owner=RAVI, seconds=60)

    assert after is not None
    assert after > fence


def test_release_by_one_who_lost_it_changes_nothing(local_db: Db) -> None:
    fence = lease.take(local_db, owner=ANANYA, seconds=60)
    assert fence is not None
    lease.take(local_db, owner=RAVI, seconds=60, dead=ANANYA)

    lease.release(local_db, owner=ANANYA, fence=fence)

    assert lease.holder(local_db) == RAVI


def test_known_stores_are_remembered_once_each(local_db: Db) -> None:
    for store_id in ("a", "b", "a"):
        lease.remember_store(local_db, store_id=store_id)

    assert lease.known_stores(local_db) == ["a", "b"]
